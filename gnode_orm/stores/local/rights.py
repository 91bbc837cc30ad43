"""Who may read and write what, as SQL; the one place that names the tables of objects in a query.

Rights follow the root, the block or document above an object. They are those of now, also for reading the past.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause, NamedFromClause

from gnode_orm.stores.local.runs import Cursor, walk
from gnode_orm.stores.local.tables import BoundText, lab_tables, root_kind

PUBLIC, FRIENDLY, PRIVATE = 1, 2, 3

ACTOR = sa.bindparam("actor", type_=BoundText)
AT = sa.bindparam("at", type_=sa.BigInteger())


def readable(table: FromClause, kind: str) -> ColumnElement[bool]:
    """True where the actor may read a row: his own orphans, and what a root of his, shared or public holds."""
    tables = lab_tables()
    root = tables.root.alias()
    friend = sa.exists().where(tables.account.c.name == ACTOR)
    allowed = sa.or_(
        root.c.owner == ACTOR,
        root.c.level <= sa.literal_column(str(PUBLIC)),
        sa.and_(root.c.level == sa.literal_column(str(FRIENDLY)), friend),
        _shared(root),
    )
    return _by_root(table, root, kind, allowed)


def writable(table: FromClause, kind: str) -> ColumnElement[bool]:
    """True where the actor may change a row: his own orphans, and what a root of his or shared for writing holds."""
    root = lab_tables().root.alias()
    return _by_root(table, root, kind, sa.or_(root.c.owner == ACTOR, _shared(root, "write")))


def _by_root(table: FromClause, root: NamedFromClause, kind: str, allowed: ColumnElement[bool]) -> ColumnElement[bool]:
    of_row = sa.and_(root.c.kind == sa.literal_column(f"'{root_kind(kind)}'"), root.c.id == table.c.root)
    by_root = sa.exists().select_from(root).where(of_row, allowed).correlate(table)
    return sa.or_(by_root, sa.and_(table.c.root.is_(None), table.c.owner == ACTOR))


def _shared(root: NamedFromClause, level: str | None = None) -> ColumnElement[bool]:
    access = lab_tables().access.alias()
    of_actor = [access.c.root_kind == root.c.kind, access.c.root_id == root.c.id, access.c.account == ACTOR]
    if level is not None:
        of_actor.append(access.c.level == sa.literal_column(f"'{level}'"))
    return sa.exists().select_from(access).where(*of_actor).correlate(root)


def source(kind: str, past: bool) -> FromClause:
    """The rows of a kind that the actor may read: those of now, or those of the version ``at``."""
    return _both(kind, past, lambda table: _rows(table, kind))


def source_in_order(kind: str, past: bool, behind: Cursor | None) -> FromClause:
    """The same, led to by their runs, whose ``first`` stands among the columns; only those ``behind`` a cursor."""
    return _both(kind, past, lambda table: _rows_in_order(table, kind, behind))


def _both(kind: str, past: bool, rows: Callable[[FromClause], sa.Select[Any]]) -> FromClause:
    tables = lab_tables().kinds[kind]
    live = tables.live.alias()
    if not past:
        return rows(live).subquery()
    old = tables.past.alias()
    then = rows(old).where(old.c.rev <= AT, old.c.rev + old.c.held > AT)
    return sa.union_all(rows(live).where(live.c.rev <= AT), then).subquery()


def _rows(table: FromClause, kind: str) -> sa.Select[Any]:
    return sa.select(*(table.c[name] for name in lab_tables().kinds[kind].columns)).where(readable(table, kind))


def _rows_in_order(table: FromClause, kind: str, behind: Cursor | None) -> sa.Select[Any]:
    run, conditions = walk(table, kind, behind)
    columns = [run.c.born if name == "born" else table.c[name] for name in lab_tables().kinds[kind].columns]
    return sa.select(*columns, run.c.first).where(*conditions, readable(table, kind))


def link_source(past: bool) -> FromClause:
    """The pairs of channel and channel group, of now or of the version ``at``; rights are those of both ends."""
    tables = lab_tables()
    live = tables.link.alias()
    names = ("channel", "grp", "born", "n")
    now = sa.select(*(live.c[name] for name in names))
    if not past:
        return now.subquery()
    old = tables.link_past.alias()
    then = sa.select(*(old.c[name] for name in names)).where(old.c.born <= AT, old.c.until > AT)
    return sa.union_all(now.where(live.c.born <= AT), then).subquery()


def states(kind: str) -> sa.ClauseElement:
    """Id, version, root, and whether the actor may read and write, of the rows of the bound ``ids``."""
    from gnode_orm.stores.local.elements import in_ids

    table = lab_tables().kinds[kind].live
    may_read, may_write = (
        sa.case((right(table, kind), sa.literal_column("1")), else_=sa.literal_column("0"))
        for right in (readable, writable)
    )
    return sa.select(table.c.id, table.c.rev, table.c.root, may_read, may_write).where(in_ids(table.c.id, "ids"))
