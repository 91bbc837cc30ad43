"""A lab inside a database: its tables, its format version, its key."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa

from gnode_orm.errors import FormatError, NotFound
from gnode_orm.stores.local.clock import now_us
from gnode_orm.stores.local.database import Compiler, Database, Transaction
from gnode_orm.stores.local.formats import FORMAT, package_version
from gnode_orm.stores.local.tables import UNLESS_WALKED, lab_tables

log = logging.getLogger("gnode_orm")


@dataclass(frozen=True)
class Lab:
    """What a lab says of itself; ``package`` is the version of gnode-orm that gave it its format."""

    format: int
    uuid: str
    created: int
    package: str | None


def open_lab(database: Database, shown: str, create: bool) -> Lab:
    """Find the lab in a database, or make it.

    Raises:
        NotFound: the database holds no lab, and none shall be made.
        FormatError: the lab is of another format, or the tables are those of something else.
    """
    with database.read() as transaction:
        tables = transaction.table_names()
        lab = read_lab(transaction) if "lab" in tables else None
    if lab is None:
        if not create:
            raise NotFound(f"No lab in {shown}. Make one: gnode-orm init {shown}")
        lab = _create(database, shown)
    if lab.format < FORMAT:
        raise FormatError(
            f"The lab {shown} has format {lab.format}; this version of gnode-orm opens format {FORMAT}. "
            f"Bring it up to that, with a copy of what it is now: gnode-orm upgrade {shown}"
        )
    check_not_newer(lab, shown)
    return lab


def check_not_newer(lab: Lab, shown: str) -> None:
    """Refuse a lab of a format that only newer versions of this package know.

    Raises:
        FormatError: it is one.
    """
    if lab.format > FORMAT:
        needed = "a newer gnode-orm" if lab.package is None else f"gnode-orm {lab.package} or newer"
        raise FormatError(
            f"The lab {shown} has format {lab.format}; this version of gnode-orm opens format {FORMAT}. "
            f"Install {needed}: pip install --upgrade gnode-orm"
        )


def read_lab(transaction: Transaction) -> Lab:
    """Read what a lab of any format says of itself.

    Raises:
        FormatError: the tables are those of something else.
    """
    try:
        package = "package" if "package" in transaction.column_names("lab") else "NULL"
        rows = transaction.query(f"SELECT format, uuid, created, {package} FROM lab")
    except Exception as error:
        raise FormatError(f"The table 'lab' is not one of gnode-orm ({error})") from error
    if len(rows) != 1:
        raise FormatError(f"The table 'lab' has {len(rows)} rows; one is needed")
    return Lab(*rows[0])


def _create(database: Database, shown: str) -> Lab:
    with database.write() as transaction:
        tables = transaction.table_names()
        if "lab" in tables:
            # Another process made it in the meantime.
            return read_lab(transaction)
        taken = sorted(set(tables) & set(lab_tables().metadata.tables))
        if taken:
            raise FormatError(f"{shown} is not a lab, but has tables of the same names ({', '.join(taken[:3])})")
        make_tables(transaction)
        lab = Lab(FORMAT, secrets.token_hex(16), now_us(), package_version())
        row = (lab.format, lab.uuid, lab.created, lab.package)
        transaction.insert("lab", ("format", "uuid", "created", "package"), [row])
    log.info("Made a new lab at %s", shown)
    return lab


def make_tables(transaction: Transaction) -> None:
    """Make every table of a lab, without a row."""
    for text in _table_texts(transaction.database.compiler):
        transaction.connection.execute(text)


@cache
def _table_texts(compiler: Compiler) -> list[str]:
    tables = lab_tables().metadata.sorted_tables
    return [compiler.compile(statement) for table in tables for statement in _making(table, compiler.walks_runs)]


def _making(table: sa.Table, walks_runs: bool) -> Iterator[sa.schema.ExecutableDDLElement]:
    yield sa.schema.CreateTable(table)
    for index in sorted(table.indexes, key=str):
        if not (walks_runs and index.info.get(UNLESS_WALKED)):
            yield sa.schema.CreateIndex(index)
