"""Reading records: by id, by query, and along eager paths, each call from one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any

import sqlalchemy as sa

from gnode_orm.core.select import Select, Selected
from gnode_orm.stores.local.binds import Statement
from gnode_orm.stores.local.compile_select import compile_count, compile_rows, get_statement, kind_spec
from gnode_orm.stores.local.database import Compiler, Database, Row, Transaction
from gnode_orm.stores.local.eager import read_eager
from gnode_orm.stores.local.elements import in_ids
from gnode_orm.stores.local.rights import link_source, source, states
from gnode_orm.stores.local.shapes import shape_of

_KEEP = 2000
_EVERYTHING = 2**62


class Statements:
    """The compiled statement of each shape of query, shared by the labs on one kind of database."""

    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler
        self._rows: dict[Select, Statement] = {}
        self._counts: dict[tuple[Select, tuple[str, ...]], Statement] = {}

    def rows(self, select: Select) -> tuple[Statement, list[Any]]:
        """The statement for the records of a query, and the query's values."""
        shape = shape_of(select)
        return _kept(self._rows, shape.select, lambda: compile_rows(shape.select, self.compiler)), shape.values

    def count(self, select: Select, path: tuple[str, ...] = ()) -> tuple[Statement, list[Any]]:
        """The statement for the number of rows of a query, or for those by what a path leads to; and the values."""
        shape = shape_of(replace(select, order=(), limit=None, offset=0, after=None))
        key = shape.select, path
        return _kept(self._counts, key, lambda: compile_count(shape.select, path, self.compiler)), shape.values


@cache
def statements_of(compiler: Compiler) -> Statements:
    """Give the statements that a compiler made; opening a lab again compiles nothing anew."""
    return Statements(compiler)


def _kept(known: dict[Any, Statement], key: Any, build: Callable[[], Statement]) -> Statement:
    statement = known.get(key)
    if statement is None:
        if len(known) >= _KEEP:
            known.clear()
        statement = known[key] = build()
    return statement


def get(database: Database, kind: str, ids: Sequence[int], actor: str, at: int | None) -> list[Row]:
    """Read the records of some ids that the actor may read."""
    text = _get_text(database.compiler, kind, at is not None, len(ids) == 1)
    with database.read() as transaction:
        return transaction.rows(text, {"ids": transaction.one_or_more(ids), "actor": actor, "at": at})


@cache
def _get_text(compiler: Compiler, kind: str, past: bool, one: bool) -> str:
    return compiler.compile(get_statement(kind, past, one))


def select(database: Database, statements: Statements, query: Select, actor: str) -> Selected:
    """Answer a query."""
    statement, values = statements.rows(query)
    params = _params(statement, values, query, actor)
    if not query.eager:
        with database.read() as transaction:
            return _page(query, statement, transaction.rows(statement.text, params))
    with database.snapshot() as transaction:
        page = _page(query, statement, transaction.rows(statement.text, params))
        page.eager = read_eager(transaction, query, [row[0] for row in page.rows], actor)
        return page


def _params(statement: Statement, values: list[Any], query: Select, actor: str) -> dict[str, Any]:
    # One row more than asked for says whether there is a next page.
    limit = _EVERYTHING if query.limit is None else query.limit + 1
    return statement.params(values, actor=actor, at=query.at, limit=limit, offset=query.offset)


def _page(query: Select, statement: Statement, rows: list[Row]) -> Selected:
    cut = query.limit is not None and len(rows) > query.limit
    if cut:
        del rows[query.limit :]
    cursor = _cursor(rows[-1], statement.extra) if cut and rows else None
    if statement.extra:
        rows = [row[: -statement.extra] for row in rows]
    return Selected(query.kind, rows, cursor=cursor)


def _cursor(row: Row, extra: int) -> tuple[Any, ...]:
    keys = row[len(row) - extra :] if extra else ()
    return (*(_plain(key) for key in keys), row[2], row[0])


def _plain(key: Any) -> Any:
    if isinstance(key, Decimal):
        return int(key) if key == key.to_integral_value() else float(key)
    return key


def count(database: Database, statements: Statements, query: Select, actor: str) -> int:
    """Count the rows of a query."""
    statement, values = statements.count(query)
    with database.read() as transaction:
        ((number,),) = transaction.rows(statement.text, statement.params(values, actor=actor, at=query.at))
    return int(number)


def count_by(
    database: Database, statements: Statements, query: Select, path: tuple[str, ...], actor: str
) -> dict[int, int]:
    """Count the rows of a query by what a path of foreign keys leads to."""
    statement, values = statements.count(query, path)
    with database.read() as transaction:
        return dict(transaction.rows(statement.text, statement.params(values, actor=actor, at=query.at)))


def explain(statements: Statements, query: Select) -> list[str]:
    """The statements that a query runs."""
    from gnode_orm.stores.local.eager import eager_texts

    statement, _ = statements.rows(query)
    return [statement.text, *eager_texts(statements.compiler, query)]


def links(
    database: Database, channels: Sequence[int], groups: Sequence[int], actor: str, at: int | None
) -> list[tuple[int, int]]:
    """Pairs of channel and channel group, in the order of linking."""
    text = database.compiler.cached(("links", at is not None), lambda: _links_statement(at is not None))
    with database.read() as transaction:
        params = {"channels": transaction.ids(channels), "groups": transaction.ids(groups), "actor": actor, "at": at}
        return [(channel, group) for channel, group in transaction.rows(text, params)]


def _links_statement(past: bool) -> sa.ClauseElement:
    link = link_source(past)
    channel, group = (source(kind, past) for kind in ("recordingchannel", "recordingchannelgroup"))
    return (
        sa.select(link.c.channel, link.c.grp)
        .join(channel, channel.c.id == link.c.channel)
        .join(group, group.c.id == link.c.grp)
        .where(sa.or_(in_ids(link.c.channel, "channels"), in_ids(link.c.grp, "groups")))
        .order_by(link.c.born, link.c.n)
    )


def record_of(transaction: Transaction, kind: str, id_: int, actor: str) -> Row | None:
    """One record as it is now, if the actor may read it."""
    kind_spec(kind)
    text = _get_text(transaction.database.compiler, kind, False, True)
    rows = transaction.rows(text, {"ids": id_, "actor": actor, "at": None})
    return rows[0] if rows else None


def may_write(transaction: Transaction, kind: str, id_: int, actor: str) -> bool:
    """Tell whether the actor may change an object."""
    text = transaction.database.compiler.cached(("states", kind), lambda: states(kind))
    rows = transaction.rows(text, {"ids": transaction.ids([id_]), "actor": actor})
    return bool(rows and rows[0][3] and rows[0][4])
