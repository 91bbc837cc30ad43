"""What the store asks of a database: pooled connections, transactions, and statements compiled once."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from gnode_orm.errors import GnodeError, StoreUnavailable
from gnode_orm.stores.local.slots import Slots

Params = Mapping[str, Any]
Row = tuple[Any, ...]


class Compiler:
    """Turns statements into text once; shared by every lab on the same kind of database.

    Attributes:
        in_ids: what stands behind a column that is among the ids bound to ``:ids``.
        bind_ids: brings ids into the form in which they are bound to an id set.
        walks_runs: whether the order of creation is read from the runs; there is an index by row where it is not.
    """

    def __init__(
        self, dialect: sa.Dialect, in_ids: str, bind_ids: Callable[[Sequence[int]], Any], *, walks_runs: bool
    ) -> None:
        self.dialect = dialect
        self.in_ids = in_ids
        self.bind_ids = bind_ids
        self.walks_runs = walks_runs
        self._texts: dict[Hashable, str] = {}

    def text(self, sql: str) -> str:
        """Spell ``:name`` as the driver does."""
        return self.cached(sql, lambda: sa.text(sql))

    def cached(self, key: Hashable, build: Callable[[], sa.ClauseElement]) -> str:
        """Compile the statement that ``build`` gives, unless one was compiled under the same key."""
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = self.compile(build())
        return text

    def compile(self, statement: sa.ClauseElement) -> str:
        """Spell a statement in the database's own words."""
        compiled = statement.compile(dialect=self.dialect)
        # Statements run on the driver, which would not know of values that SQLAlchemy bound by itself.
        stray = [name for name, value in (compiled.params or {}).items() if value is not None]
        assert not stray, f"{stray} bound inside {compiled}"
        return str(compiled)


class Transaction(ABC):
    """One connection inside one transaction or read."""

    def __init__(self, database: Database, connection: Any) -> None:
        self.database = database
        self.connection = connection

    def rows(self, text: str, params: Params | None = None) -> list[Row]:
        """Run a compiled statement and fetch everything."""
        rows: list[Row] = self.connection.execute(text, params or {}).fetchall()
        return rows

    def query(self, sql: str, **params: Any) -> list[Row]:
        """Run a statement with ``:name`` in it and fetch everything."""
        return self.rows(self.database.compiler.text(sql), params)

    def run(self, sql: str, **params: Any) -> int:
        """Run a statement with ``:name`` in it; gives the number of rows written."""
        return int(self.connection.execute(self.database.compiler.text(sql), params).rowcount)

    @abstractmethod
    def run_many(self, sql: str, params: Sequence[Params]) -> int:
        """Run a statement once for each set of parameters; gives the number of rows written."""

    @abstractmethod
    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Row]) -> None:
        """Insert many rows in the driver's fastest way."""

    @abstractmethod
    def table_names(self) -> set[str]:
        """The tables that there are."""

    def column_names(self, table: str) -> list[str]:
        """The columns of a table, in order."""
        return [column[0] for column in self.connection.execute(f'SELECT * FROM "{table}" LIMIT 0').description]

    @abstractmethod
    def pages(self, text: str, size: int) -> Iterator[list[Row]]:
        """Run a compiled statement and give its rows by the page, so that memory does not grow with their number."""

    def ids(self, ids: Sequence[int]) -> Any:
        """Ids in the form in which they are bound to an id set."""
        return self.database.compiler.bind_ids(ids)

    def one_or_more(self, ids: Sequence[int]) -> Any:
        """What is bound to a statement that was compiled for one id, or for an id set."""
        return ids[0] if len(ids) == 1 else self.ids(ids)


class Database(ABC):
    """A database with a pool of connections; safe to use from many threads."""

    compiler: Compiler

    def __init__(self, capacity: int) -> None:
        self._idle: list[Any] = []
        self._lock = threading.Lock()
        self._slots = Slots(capacity)
        self._process = os.getpid()
        self._abandoned: list[Any] = []
        self._closed = False

    @abstractmethod
    def translate(self, error: Exception) -> GnodeError | None:
        """Say a driver's error in our words; ``None`` for what is our own fault."""

    @abstractmethod
    def is_duplicate(self, error: Exception) -> bool:
        """Tell whether an insert failed because a key is in use."""

    @abstractmethod
    def _connect(self) -> Any: ...

    @abstractmethod
    def _usable(self, connection: Any) -> bool: ...

    @abstractmethod
    def _transaction(self, connection: Any) -> Transaction: ...

    @abstractmethod
    def _begin(self, transaction: Transaction, how: str) -> None: ...

    def read(self) -> Reading:
        """A connection for one statement."""
        return Reading(self)

    def say(self, error: BaseException) -> None:
        """Raise a driver's error in our words; nothing happens to what is our own fault or already said."""
        if isinstance(error, Exception) and not isinstance(error, GnodeError):
            said = self.translate(error)
            if said is not None:
                raise said from error

    def _take(self) -> Any:
        with self._lock:
            if self._closed:
                raise StoreUnavailable("The lab is closed; open it again with connect()")
            if self._process != os.getpid():
                # Connections do not survive a fork; closing them here would harm the parent's, so they are kept aside.
                self._abandoned, self._idle, self._process = self._idle, [], os.getpid()
            if self._idle:
                return self._idle.pop()
        return self._connect()

    def _give_back(self, connection: Any) -> None:
        with self._lock:
            if not self._closed and self._usable(connection):
                self._idle.append(connection)
                return
        connection.close()

    @contextmanager
    def snapshot(self) -> Iterator[Transaction]:
        """A transaction in which every statement sees the same state."""
        with self.read() as transaction, self._scope(transaction, "read"):
            yield transaction

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[Transaction]:
        """A transaction that excludes other writers; committed when left without an error.

        It is on disk then, or, where it need not be ``durable`` by itself, at the latest with the next one that is.
        """
        with self.read() as transaction, self._scope(transaction, "write" if durable else "relaxed write"):
            yield transaction

    @contextmanager
    def _scope(self, transaction: Transaction, how: str) -> Iterator[None]:
        try:
            self._begin(transaction, how)
            yield
            # Deferred foreign keys fail here and leave the transaction open, so this stands inside the try.
            transaction.connection.execute("COMMIT")
        except BaseException:
            self._roll_back(transaction.connection)
            raise

    @abstractmethod
    def _roll_back(self, connection: Any) -> None: ...

    def close(self) -> None:
        """Close every connection; those in use close when they come back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


class Reading:
    """The time for which a connection is taken from the pool; the driver's errors leave it in our words.

    A class, since a generator would take as long as the statement of a point read.
    """

    __slots__ = ("_connection", "_database")

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Transaction:
        database = self._database
        database._slots.take()
        try:
            self._connection = database._take()
        except BaseException as error:
            database._slots.give_back()
            database.say(error)
            raise
        return database._transaction(self._connection)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._database._give_back(self._connection)
        finally:
            self._database._slots.give_back()
        if error is not None:
            self._database.say(error)
