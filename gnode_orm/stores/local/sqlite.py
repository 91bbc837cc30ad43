"""SQLite: one file with a write-ahead log, or memory."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from sqlalchemy.dialects import sqlite as dialect

from gnode_orm.errors import FormatError, GnodeError, IntegrityError, QueryError, StoreUnavailable
from gnode_orm.stores.local.database import Compiler, Database, Params, Row, Transaction
from gnode_orm.stores.local.elements import SQLITE_IN_IDS
from gnode_orm.stores.local.patterns import matches, matches_in_any_case

BUSY_SECONDS = 60.0
_CONNECTIONS = 16
_VARIABLES = 999  # what any build of SQLite takes in one statement


@cache
def _compiler() -> Compiler:
    return Compiler(dialect.dialect(paramstyle="named"), SQLITE_IN_IDS, _bind_ids, walks_runs=True)


def _bind_ids(ids: Sequence[int]) -> str:
    return orjson.dumps(ids if isinstance(ids, list) else list(ids)).decode()


def fold(text: str | None) -> str | None:
    """Make texts equal that differ in case alone."""
    return None if text is None else text.upper().lower().replace("ς", "σ")


class SqliteTransaction(Transaction):
    """A transaction on SQLite."""

    def run_many(self, sql: str, params: Sequence[Params]) -> int:
        return int(self.connection.executemany(self.database.compiler.text(sql), params).rowcount)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        # A statement of many rows takes two thirds of the time of as many statements of one.
        together = _VARIABLES // len(columns)
        waiting = iter(rows)
        while len(batch := list(islice(waiting, together))) == together:
            self.connection.execute(_insert_text(table, tuple(columns), together), list(chain.from_iterable(batch)))
        self.connection.executemany(_insert_text(table, tuple(columns), 1), batch)

    def pages(self, text: str, size: int) -> Iterator[list[Row]]:
        cursor = self.connection.execute(text)
        while page := cursor.fetchmany(size):
            yield page

    def table_names(self) -> set[str]:
        return {name for (name,) in self.query("SELECT name FROM sqlite_master WHERE type = 'table'")}


@cache
def _insert_text(table: str, columns: tuple[str, ...], rows: int) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    row = f"({', '.join('?' * len(columns))})"
    return f'INSERT INTO "{table}" ({names}) VALUES {", ".join([row] * rows)}'


class SqliteDatabase(Database):
    """A SQLite file, or memory where ``path`` is ``None``.

    Args:
        path: the database file.
        readonly: open without ever writing.
        journal: ``"WAL"``, or ``"DELETE"`` where shared memory between processes does not work.
        patience: seconds that a write waits for other threads, and for other programs; without, a minute for programs,
            and as long as it takes for threads, which come to an end.
    """

    def __init__(
        self, path: Path | None, *, readonly: bool = False, journal: str = "WAL", patience: float | None = None
    ) -> None:
        # All users of a lab in memory share its one connection.
        super().__init__(capacity=1 if path is None else _CONNECTIONS)
        self.compiler = _compiler()
        self.path = path
        self.readonly = readonly
        self.journal = journal
        self._patience = patience
        self._writers = threading.Lock()

    def _connect(self) -> sqlite3.Connection:
        seconds = BUSY_SECONDS if self._patience is None else self._patience
        connection = sqlite3.connect(
            self._address(), uri=True, timeout=seconds, isolation_level=None, check_same_thread=False
        )
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _address(self) -> str:
        if self.path is None:
            return ":memory:"
        mode = "rw" if not self.readonly else "ro"
        if self.readonly and not self._has_log():
            # Nobody writes; SQLite needs no shared memory then, so a folder without write permission will do.
            mode = "ro&immutable=1" if not _may_write(self.path.parent) else mode
        return f"file:{quote(str(self.path))}?mode={mode}"

    def _has_log(self) -> bool:
        assert self.path is not None
        return self.path.with_name(self.path.name + "-wal").exists()

    def _prepare(self, connection: sqlite3.Connection) -> None:
        for name, function in (("fold", fold), ("matches", matches), ("imatches", matches_in_any_case)):
            connection.create_function(name, 1 if name == "fold" else 2, function, deterministic=True)
        connection.execute("PRAGMA foreign_keys = ON")
        if self.path is not None and not self.readonly:
            self._set_journal(connection)

    def _set_journal(self, connection: sqlite3.Connection) -> None:
        (mode,) = connection.execute(f"PRAGMA journal_mode = {self.journal}").fetchone()
        if mode.upper() != self.journal:
            raise StoreUnavailable(
                f"{self.path}: the journal mode is {mode}, not {self.journal}; close every program that uses the lab"
            )

    def _usable(self, connection: sqlite3.Connection) -> bool:
        return not connection.in_transaction

    def _transaction(self, connection: Any) -> SqliteTransaction:
        return SqliteTransaction(self, connection)

    def _begin(self, transaction: Transaction, how: str) -> None:
        if how == "read":
            transaction.connection.execute("BEGIN")
            return
        # A log is synced in its order; without one, the database itself could be harmed.
        level = "NORMAL" if how == "relaxed write" and self.journal == "WAL" else "FULL"
        transaction.connection.execute(f"PRAGMA synchronous = {level}")
        transaction.connection.execute("BEGIN IMMEDIATE")

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        # A full disk makes SQLite roll back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Transaction]:
        # Threads queue up here, in order; SQLite's own waiting is by polling, for other processes.
        if not self._writers.acquire(timeout=-1 if self._patience is None else self._patience):
            raise StoreUnavailable(f"{self.path}: others are writing; nothing was written: try again")
        try:
            with super().write(durable=durable) as transaction:
                yield transaction
        finally:
            self._writers.release()

    def is_duplicate(self, error: Exception) -> bool:
        return isinstance(error, sqlite3.IntegrityError) and "UNIQUE" in str(error)

    def translate(self, error: Exception) -> GnodeError | None:
        where = self.path or ":memory:"
        if isinstance(error, OSError):
            return StoreUnavailable(f"{where}: {error.strerror or error}; nothing was written")
        if not isinstance(error, sqlite3.Error):
            return None
        if isinstance(error, sqlite3.IntegrityError):
            return IntegrityError(f"The change set breaks a rule of the lab ({error}); nothing was written")
        if isinstance(error, sqlite3.OperationalError):
            return _operational(str(where), error)
        if isinstance(error, sqlite3.DatabaseError) and "not a database" in str(error):
            return FormatError(f"{where} is not a lab: {error}")
        if isinstance(error, sqlite3.DatabaseError) and "malformed" in str(error):
            return FormatError(f"{where} is damaged ({error}); restore it from a backup")
        return None


_REMEDIES = {
    "disk is full": "free some space and commit again",
    "readonly": "the lab can be read but not written here; open it with readonly=True",
    "unable to open": "check that the folder exists and that you may write to it, or open it with readonly=True",
    "locked": "another program is writing; try again",
    "disk I/O error": "check the disk",
}


def _operational(where: str, error: sqlite3.OperationalError) -> GnodeError | None:
    if "user-defined function" in str(error):
        return QueryError("The regular expression cannot be evaluated")
    if "Expression tree is too large" in str(error):
        return QueryError("The query has too many conditions; look for several values of one field by in_([...])")
    if "parser stack overflow" in str(error):
        return QueryError("The query has too many conditions within each other; ask several queries")
    for words, remedy in _REMEDIES.items():
        if words in str(error):
            return StoreUnavailable(f"{where}: {error}; nothing was written: {remedy}")
    return None


def _may_write(folder: Path) -> bool:
    import os

    return os.access(folder, os.W_OK)
