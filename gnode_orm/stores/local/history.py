"""The versions of an object, and the commits that wrote them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from gnode_orm.core.changes import VersionRow
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import NotFound
from gnode_orm.stores.local.compile_select import kind_spec, record_columns
from gnode_orm.stores.local.database import Database, Row, Transaction
from gnode_orm.stores.local.rights import readable
from gnode_orm.stores.local.tables import lab_tables
from gnode_orm.stores.local.work import label


def history(database: Database, kind: str, id_: int, actor: str) -> list[VersionRow]:
    """Every version of an object, oldest first; a deletion is a version without a record.

    Raises:
        NotFound: there is no such object to see.
    """
    kind_spec(kind)
    with database.snapshot() as transaction:
        text = database.compiler.cached(("history", kind), lambda: _statement(kind))
        rows = transaction.rows(text, {"id": id_, "actor": actor})
        if not rows:
            raise NotFound(f"{label(kind, id_)} does not exist")
        versions = list(_versions(rows))
        commits = _commits(transaction, [version for version, _ in versions])
    return [
        VersionRow(commit, version, user, message, row)
        for version, row in versions
        for commit, user, message in [commits[version]]
    ]


def _statement(kind: str) -> sa.CompoundSelect[Any]:
    tables = lab_tables().kinds[kind]
    spec = SCHEMA[kind]
    queries = []
    for table, until in ((tables.past, tables.past.c.rev + tables.past.c.held), (tables.live, sa.null())):
        this = sa.and_(table.c.id == sa.bindparam("id"), readable(table, kind))
        queries.append(
            sa.select(*record_columns(spec, table), sa.cast(until, sa.BigInteger).label("until")).where(this)
        )
    return sa.union_all(*queries).order_by("rev")


def _versions(rows: list[Row]) -> Iterable[tuple[int, Row | None]]:
    for number, row in enumerate(rows):
        yield row[1], row[:-1]
        until, following = row[-1], rows[number + 1][1] if number + 1 < len(rows) else None
        if until is not None and until != following:
            yield until, None


def _commits(transaction: Transaction, versions: list[int]) -> dict[int, tuple[str, str, str | None]]:
    rows = transaction.query(
        f"SELECT seq, id, actor, message FROM change_set WHERE seq {transaction.database.compiler.in_ids}",
        ids=transaction.ids(versions),
    )
    return {seq: (id_, actor, message) for seq, id_, actor, message in rows}
