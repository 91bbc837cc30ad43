"""PostgreSQL 15 or newer, through psycopg 3."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.adapt import Dumper
from psycopg.types.numeric import FloatDumper
from sqlalchemy.dialects.postgresql import psycopg as dialect

from gnode_orm.errors import GnodeError, IntegrityError, QueryError, StoreUnavailable, ValidationFailed
from gnode_orm.stores.local.database import Compiler, Database, Params, Row, Transaction
from gnode_orm.stores.local.elements import POSTGRES_IN_IDS

_CONNECTIONS = 16
# Every writer takes this lock for its transaction, so commits have one order, and versions rise in it.
_WRITE_LOCK = 0x676E6F6465


class _NumberOfTruth(Dumper):
    """Truth values are kept as 0 and 1, as in SQLite."""

    oid = psycopg.postgres.types["int2"].oid

    def dump(self, obj: bool) -> bytes:
        return b"1" if obj else b"0"


class _FloatOrNull(FloatDumper):
    """NaN is kept as null, as in SQLite; the exact text beside it says what it is."""

    def dump(self, obj: float) -> Any:
        return None if obj != obj else super().dump(obj)


@cache
def _compiler() -> Compiler:
    return Compiler(
        dialect.dialect(),  # type: ignore[no-untyped-call]
        POSTGRES_IN_IDS,
        list,
        walks_runs=False,
    )


class PostgresTransaction(Transaction):
    """A transaction on PostgreSQL."""

    def run_many(self, sql: str, params: Sequence[Params]) -> int:
        with self.connection.cursor() as cursor:
            cursor.executemany(self.database.compiler.text(sql), params)
            return int(cursor.rowcount)

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        with self.connection.cursor() as cursor, cursor.copy(_copy_text(table, tuple(columns))) as copy:
            for row in rows:
                copy.write_row(row)

    def pages(self, text: str, size: int) -> Iterator[list[Row]]:
        # A cursor with a name stays at the server; one without brings every row at once.
        with self.connection.cursor("pages") as cursor:
            cursor.execute(text)
            while page := cursor.fetchmany(size):
                yield page

    def table_names(self) -> set[str]:
        rows = self.query("SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = current_schema()")
        return {name for (name,) in rows}


@cache
def _copy_text(table: str, columns: tuple[str, ...]) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)


class PostgresDatabase(Database):
    """A PostgreSQL database.

    Args:
        address: what libpq connects to.
        shown: the address without its password.
    """

    def __init__(self, address: str, shown: str, *, readonly: bool = False) -> None:
        super().__init__(_CONNECTIONS)
        self.compiler = _compiler()
        self._address = address
        self._shown = shown
        self._readonly = readonly

    def _connect(self) -> psycopg.Connection[Any]:
        connection = psycopg.connect(self._address, autocommit=True)
        connection.adapters.register_dumper(bool, _NumberOfTruth)
        connection.adapters.register_dumper(float, _FloatOrNull)
        if connection.info.encoding != "utf-8":
            connection.close()
            raise StoreUnavailable(f"{self._shown}: the database must be made with ENCODING 'UTF8'")
        # Compiling a plan to machine code takes longer than our statements run.
        connection.execute("SET jit = off")
        if self._readonly:
            connection.execute("SET default_transaction_read_only = on")
        return connection

    def _usable(self, connection: psycopg.Connection[Any]) -> bool:
        return not connection.closed and connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

    def _transaction(self, connection: Any) -> PostgresTransaction:
        return PostgresTransaction(self, connection)

    def _begin(self, transaction: Transaction, how: str) -> None:
        if how == "read":
            transaction.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            return
        transaction.connection.execute("BEGIN")
        if how == "relaxed write":
            transaction.connection.execute("SET LOCAL synchronous_commit = off")
        transaction.connection.execute(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")

    def _roll_back(self, connection: psycopg.Connection[Any]) -> None:
        if not connection.closed:
            connection.execute("ROLLBACK")

    def is_duplicate(self, error: Exception) -> bool:
        return isinstance(error, errors.UniqueViolation)

    def translate(self, error: Exception) -> GnodeError | None:
        if isinstance(error, OSError):
            return StoreUnavailable(f"{self._shown}: {error.strerror or error}; nothing was written")
        if not isinstance(error, psycopg.Error):
            return None
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        if isinstance(error, errors.InvalidRegularExpression):
            return QueryError(f"PostgreSQL cannot read this regular expression: {text}")
        if isinstance(error, errors.ReadOnlySqlTransaction | errors.InsufficientPrivilege):
            return StoreUnavailable(f"{self._shown} is read-only for you: {text}")
        if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
            return StoreUnavailable(f"{self._shown}: {text}")
        if isinstance(error, psycopg.IntegrityError):
            return IntegrityError(f"The change set breaks a rule of the lab ({text}); nothing was written")
        if isinstance(error, psycopg.DataError) and re.search("NUL|0x00", text):
            return ValidationFailed("PostgreSQL keeps no text with a NUL character; remove it")
        return None
