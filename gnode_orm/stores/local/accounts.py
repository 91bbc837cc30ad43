"""Accounts of a lab: names, password hashes, tokens, and the level that new blocks and documents get.

Of passwords and tokens only hashes are kept. Failed logins are counted in the lab, so that every process that serves
it knows of them.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from gnode_orm.errors import AuthenticationFailed, IntegrityError, NotFound, ValidationFailed
from gnode_orm.stores.local.clock import now_us
from gnode_orm.stores.local.database import Database, Transaction
from gnode_orm.stores.local.rights import PRIVATE

SESSION, BEARER = "session", "bearer"
MIN_PASSWORD, MAX_PASSWORD = 8, 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@+-]{0,63}")
_SECOND = 1_000_000
_LONGEST_WAIT = 900
_FORGET = 24 * 3600 * _SECOND


@dataclass(frozen=True, slots=True)
class Account:
    """One account; without a password nobody can log in to it."""

    name: str
    has_password: bool


class Accounts:
    """The accounts of one lab; safe to use from many threads and processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Account]:
        """Give every account, by name."""
        with self._database.read() as transaction:
            rows = transaction.query("SELECT name, password IS NOT NULL FROM account ORDER BY name")
        return [Account(name, bool(has)) for name, has in rows]

    def names(self) -> list[str]:
        """Give the name of every account."""
        return [account.name for account in self.all()]

    def add(self, name: str, password: str) -> None:
        """Make an account, or give a password to one that has none.

        Raises:
            ValidationFailed: a name or password that is not acceptable.
            IntegrityError: the account is there and has a password.
        """
        _check_name(name)
        hashed = _hashed(password)
        with self._database.write() as transaction:
            rows = transaction.query("SELECT password FROM account WHERE name = :name", name=name)
            if rows and rows[0][0] is not None:
                raise IntegrityError(f"There is an account {name!r} already; user passwd changes its password")
            transaction.run(
                "INSERT INTO account (name, password) VALUES (:name, :password) "
                "ON CONFLICT (name) DO UPDATE SET password = excluded.password",
                name=name,
                password=hashed,
            )

    def set_password(self, name: str, password: str) -> None:
        """Change a password; every session and token of the account ends.

        Raises:
            NotFound: there is no such account.
        """
        hashed = _hashed(password)
        with self._database.write() as transaction:
            if not transaction.run(
                "UPDATE account SET password = :password WHERE name = :name", name=name, password=hashed
            ):
                raise _unknown(name)
            transaction.run("DELETE FROM token WHERE account = :name", name=name)

    def check_password(self, name: str, password: str) -> bool:
        """Tell whether a password is right; takes as long for a name that does not exist."""
        from argon2.exceptions import InvalidHashError, VerificationError

        with self._database.read() as transaction:
            rows = transaction.query("SELECT password FROM account WHERE name = :name", name=name)
        kept = rows[0][0] if rows else None
        try:
            _hasher().verify(kept or _nobodys_hash(), password[:MAX_PASSWORD])
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False
        return kept is not None

    def new_token(self, name: str, purpose: str, seconds: int) -> str:
        """Make a secret that stands for an account for some time.

        Raises:
            NotFound: there is no such account.
        """
        secret = secrets.token_urlsafe(32)
        now = now_us()
        with self._database.write() as transaction:
            if not transaction.query("SELECT 1 FROM account WHERE name = :name", name=name):
                raise _unknown(name)
            transaction.run("DELETE FROM token WHERE expires < :now", now=now)
            row = (_digest(secret), name, purpose, now, now + seconds * _SECOND)
            transaction.insert("token", ("hash", "account", "purpose", "created", "expires"), [row])
        return secret

    def token_owner(self, secret: str, purpose: str) -> str | None:
        """Give the account that a secret stands for, unless it is unknown or has expired."""
        with self._database.read() as transaction:
            rows = transaction.query(
                "SELECT account FROM token WHERE hash = :hash AND purpose = :purpose AND expires > :now",
                hash=_digest(secret),
                purpose=purpose,
                now=now_us(),
            )
        return str(rows[0][0]) if rows else None

    def end_token(self, secret: str) -> None:
        """Make a secret worthless."""
        with self._database.write() as transaction:
            transaction.run("DELETE FROM token WHERE hash = :hash", hash=_digest(secret))

    def check_attempts(self, subjects: Mapping[str, int]) -> None:
        """Refuse a login while one of its subjects has to wait; each has a number of failures that are free.

        Raises:
            LoginThrottled: too many failures; ``seconds`` says how long to wait.
        """
        with self._database.read() as transaction:
            waits = [_wait(transaction, subject, free) for subject, free in subjects.items()]
        longest = max(waits, default=0)
        if longest > 0:
            raise LoginThrottled(f"Too many failed logins; wait {longest} s and try again", longest)

    def count_failure(self, subjects: Iterable[str]) -> None:
        """Remember a failed login."""
        now = now_us()
        with self._database.write() as transaction:
            transaction.run("DELETE FROM login_failure WHERE last < :old", old=now - _FORGET)
            for subject in subjects:
                transaction.run(
                    "INSERT INTO login_failure (subject, count, last) VALUES (:subject, 1, :now) "
                    "ON CONFLICT (subject) DO UPDATE SET count = login_failure.count + 1, last = excluded.last",
                    subject=_digest(subject),
                    now=now,
                )

    def forget_failures(self, subject: str) -> None:
        """Forget failed logins after one that succeeded."""
        with self._database.write() as transaction:
            transaction.run("DELETE FROM login_failure WHERE subject = :subject", subject=_digest(subject))

    def default_level(self) -> int:
        """The level of blocks and documents whose maker names none."""
        with self._database.read() as transaction:
            ((level,),) = transaction.query("SELECT default_level FROM lab")
        return PRIVATE if level is None else int(level)

    def set_default_level(self, level: int) -> None:
        """Set the level of blocks and documents whose maker names none.

        Raises:
            ValidationFailed: there is no such level.
        """
        if level not in (1, 2, 3):
            raise ValidationFailed(
                f"{level!r} is not a level; use 1 (public), 2 (friendly) or 3 (private)", value=level
            )
        with self._database.write() as transaction:
            transaction.run("UPDATE lab SET default_level = :level", level=level)


class LoginThrottled(AuthenticationFailed):
    """Too many failed logins; ``seconds`` says how long to wait."""

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


def _wait(transaction: Transaction, subject: str, free: int) -> int:
    rows = transaction.query("SELECT count, last FROM login_failure WHERE subject = :subject", subject=_digest(subject))
    if not rows or rows[0][0] < free:
        return 0
    ((count, last),) = rows
    wait = min(_LONGEST_WAIT, 1 << min(int(count) - free, 20))
    return max(0, wait - (now_us() - int(last)) // _SECOND)


def _digest(secret: str) -> bytes:
    # Secrets are long and random, so a plain hash cannot be turned back.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


@cache
def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return str(_hasher().hash(secrets.token_hex(16)))


def _hashed(password: str) -> str:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise ValidationFailed(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters, not {len(password)}")
    return str(_hasher().hash(password))


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValidationFailed(
            f"{name!r} is not an account name: letters, digits and _ . @ + - are needed, at most 64 characters",
            value=name,
        )


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no account {name!r}; gnode-orm user list shows those that there are")
