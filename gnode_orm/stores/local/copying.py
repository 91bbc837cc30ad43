"""A copy of the database of a lab as one SQLite file, from either kind of database."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from gnode_orm.stores.local.database import Database, Transaction
from gnode_orm.stores.local.durable import sync
from gnode_orm.stores.local.sqlite import SqliteDatabase
from gnode_orm.stores.local.tables import lab_tables

_ROWS = 5000


def copy_database(database: Database, transaction: Transaction, path: Path) -> None:
    """Write what a transaction sees into a new SQLite file; on disk when this returns, not there when it fails.

    From SQLite it is the same database. From PostgreSQL it is every table with its rows, without keys and indexes.
    """
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
            if isinstance(database, SqliteDatabase):
                # In one step, which other writers neither disturb nor wait for; and from a connection of its own, since
                # one that is writing cannot be copied from.
                with database.read() as reader:
                    reader.connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
            else:
                _copy_tables(transaction, copy)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def _copy_tables(transaction: Transaction, copy: sqlite3.Connection) -> None:
    copy.execute("BEGIN")
    for table in sorted(transaction.table_names() & set(lab_tables().metadata.tables)):
        names = ", ".join(f'"{name}"' for name in transaction.column_names(table))
        # Without types SQLite keeps every value as it comes.
        copy.execute(f'CREATE TABLE "{table}" ({names})')
        places = ", ".join("?" * len(transaction.column_names(table)))
        for page in transaction.pages(f'SELECT {names} FROM "{table}"', _ROWS):
            copy.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', page)
    copy.execute("COMMIT")
