"""What every request handler shares, and who is asking."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from gnode_orm.server.problems import Refusal
from gnode_orm.server.threads import in_thread
from gnode_orm.stores.local.accounts import BEARER, SESSION, Accounts

COOKIE = "sessionid"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a request may ask for.

    Attributes:
        body: bytes of a JSON or form body.
        upload: bytes of a file.
        credentials: bytes of a body from somebody who is not known yet, and of one text field of a form.
        idle_seconds: how long a client may be silent in the middle of a body.
        request_seconds: how long a request may take in all.
        session_seconds, token_seconds: how long a login and a token last.
    """

    body: int = 16 << 20
    upload: int = 4 << 30
    credentials: int = 64 << 10
    idle_seconds: float = 30.0
    request_seconds: float = 600.0
    session_seconds: int = 14 * 86400
    token_seconds: int = 365 * 86400


@dataclass(frozen=True)
class Context:
    """The lab behind the server. ``store`` is any store that keeps accounts."""

    store: Any
    limits: Limits = field(default_factory=Limits)

    @property
    def accounts(self) -> Accounts:
        accounts: Accounts = self.store.accounts
        return accounts

    async def user_of(self, request: Request) -> str:
        """Give the account that a request comes from.

        Raises:
            Refusal: 401, without a valid token or session.
        """
        return await in_thread(self.known_user, request)

    def known_user(self, request: Request) -> str:
        """Give the account that a request comes from; to be called in a thread.

        Raises:
            Refusal: 401, without a valid token or session.
        """
        user = self.find_user(request)
        if user is None:
            raise Refusal(
                401, "Log in first, or send a token as Authorization: Bearer", headers={"WWW-Authenticate": "Bearer"}
            )
        request.scope["user_name"] = user
        return user

    def find_user(self, request: Request) -> str | None:
        """Give the account of a request's token or session, if it has a valid one."""
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer" and secret:
            return self.accounts.token_owner(secret.strip(), BEARER)
        cookie = request.cookies.get(COOKIE)
        return self.accounts.token_owner(cookie, SESSION) if cookie else None


def base_url(request: Request) -> str:
    """The scheme and host that the client used, with which addresses begin."""
    return f"{request.url.scheme}://{request.headers.get('host') or request.url.netloc}"
