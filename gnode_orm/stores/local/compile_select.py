"""Queries as SQL: records of one kind, under conditions, in an order, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.sql.selectable import FromClause

from gnode_orm.core.schema import SCHEMA, KindSpec
from gnode_orm.core.select import And, Attr, Comparison, Node, Or, Order, Select
from gnode_orm.errors import QueryError, did_you_mean
from gnode_orm.stores.local.binds import Binds, Statement
from gnode_orm.stores.local.compile_conditions import Conditions, target_of
from gnode_orm.stores.local.database import Compiler
from gnode_orm.stores.local.elements import is_among
from gnode_orm.stores.local.operands import Operand
from gnode_orm.stores.local.rights import source, source_in_order
from gnode_orm.stores.local.runs import Cursor
from gnode_orm.stores.local.shapes import Slot
from gnode_orm.stores.local.tables import READ_META, Integer

Expression = ColumnElement[Any]


@dataclass(frozen=True)
class _Key:
    expression: Expression
    descending: bool
    nullable: bool = True

    def ordered(self) -> Any:
        order = self.expression.desc() if self.descending else self.expression.asc()
        return order.nulls_last() if self.nullable else order


def kind_spec(kind: str) -> KindSpec:
    """The schema of a kind.

    Raises:
        QueryError: there is no such kind.
    """
    spec = SCHEMA.get(kind)
    if spec is None:
        raise QueryError(f"There is no kind {kind!r}{did_you_mean(kind, SCHEMA)}", value=kind)
    return spec


def record_columns(spec: KindSpec, rows: FromClause) -> list[Expression]:
    """The columns of a record, in the order of the schema."""
    names = [*READ_META, *(column for field in spec.fields for column in field.read_columns)]
    return [rows.c[name] for name in names]


def get_statement(kind: str, past: bool, one: bool) -> sa.Select[Any]:
    """Records by the bound ``ids``, or by the one id bound there."""
    spec = kind_spec(kind)
    rows = source(kind, past)
    return sa.select(*record_columns(spec, rows)).where(is_among(rows.c.id, "ids", one))


def compile_rows(select: Select, compiler: Compiler) -> Statement:
    """Compile the shape of a query for its records."""
    spec = kind_spec(select.kind)
    if compiler.walks_runs and not select.order and not _is_narrow(select.where, spec):
        return _compile_walk(select, compiler)
    past = select.at is not None
    binds = Binds(compiler)
    rows = source(select.kind, past)
    keys = [key for order in select.order for key in _sort_keys(order, spec, rows, binds, past)]
    # The default order's cursor is in the record itself; other keys come along behind it.
    extra = [key.expression for key in keys] if select.limit is not None else []
    statement: sa.Select[Any] = sa.select(*record_columns(spec, rows), *extra)
    statement = _where(statement, select, spec, rows, binds, past)
    if select.after is not None:
        statement = statement.where(_behind(keys, rows, select.after, binds))
    statement = statement.order_by(*(key.ordered() for key in keys), rows.c.born, rows.c.id)
    return _statement(statement, select, binds, len(extra))


def _compile_walk(select: Select, compiler: Compiler) -> Statement:
    """Compile a query that lists objects in the order of their creation, with no index that leads to few of them."""
    spec = kind_spec(select.kind)
    past = select.at is not None
    binds = Binds(compiler)
    behind = None if select.after is None else Cursor(*_last_two(select.after, int(past), binds))
    rows = source_in_order(select.kind, past, behind)
    # SQLite merges what is and what was without sorting only by columns that are asked for.
    extra = [rows.c.first] if past else []
    statement: sa.Select[Any] = sa.select(*record_columns(spec, rows), *extra)
    statement = _where(statement, select, spec, rows, binds, past)
    return _statement(statement.order_by(rows.c.born, rows.c.first, rows.c.id), select, binds, len(extra))


def _statement(statement: sa.Select[Any], select: Select, binds: Binds, extra: int) -> Statement:
    if select.limit is not None or select.offset:
        statement = statement.limit(sa.bindparam("limit", type_=Integer)).offset(sa.bindparam("offset", type_=Integer))
    return Statement(binds.compiler.compile(statement), binds.constants, binds.slots, extra)


def _is_narrow(node: Node | None, spec: KindSpec) -> bool:
    """Whether an index leads to the few rows that a condition leaves: by their ids, or by what they refer to."""
    if isinstance(node, And):
        return any(_is_narrow(item, spec) for item in node.items)
    if isinstance(node, Or):
        return all(_is_narrow(item, spec) for item in node.items)
    if not isinstance(node, Comparison) or node.operator not in ("eq", "in"):
        return False
    first = node.attr.path[0]
    is_none = isinstance(node.value, Slot) and node.value.type is type(None)
    return not is_none and (first in ("id", "location") or any(first == ref.name for ref in spec.refs))


def compile_count(select: Select, path: tuple[str, ...], compiler: Compiler) -> Statement:
    """Compile the shape of a query for the number of its rows, or for those by the ids that ``path`` leads to."""
    spec = kind_spec(select.kind)
    binds = Binds(compiler)
    past = select.at is not None
    rows = source(select.kind, past)
    counts: Any = sa.select(sa.func.count()).select_from(rows)
    if path:
        parents, key = _led_to(path, spec, rows, past)
        counts = sa.select(key, sa.func.count()).select_from(parents).where(key.is_not(None)).group_by(key)
    statement = _where(counts, select, spec, rows, binds, past)
    return Statement(compiler.compile(statement), binds.constants, binds.slots)


def _led_to(
    path: tuple[str, ...], spec: KindSpec, rows: FromClause, past: bool
) -> tuple[FromClause, ColumnElement[Any]]:
    """Join the parents along a path; gives the join, and the foreign key at the path's end."""
    joined, child = rows, rows
    for name in path[:-1]:
        spec = target_of(spec, name)
        parent = source(spec.kind, past)
        joined = joined.join(parent, parent.c.id == child.c[f"{name}_id"])
        child = parent
    target_of(spec, path[-1])  # says so where that is no foreign key
    return joined, child.c[f"{path[-1]}_id"]


def _where(
    statement: sa.Select[Any], select: Select, spec: KindSpec, rows: FromClause, binds: Binds, past: bool
) -> sa.Select[Any]:
    if select.where is None:
        return statement
    return statement.where(Conditions(binds, past).compile(select.where, spec, rows))


def _sort_keys(order: Order, spec: KindSpec, rows: FromClause, binds: Binds, past: bool) -> list[_Key]:
    keys = _along(order.attr, order.attr.path, spec, rows, binds, past)
    return [_Key(key, order.descending) for key in keys]


def _along(
    attr: Attr, path: tuple[str, ...], spec: KindSpec, rows: FromClause, binds: Binds, past: bool
) -> list[Expression]:
    if len(path) == 1:
        return Operand(Attr(path, attr.keys, attr.part), spec, rows, binds).sort_keys()
    target = target_of(spec, path[0])
    parents = source(target.kind, past)
    this = parents.c.id == rows.c[f"{path[0]}_id"]
    keys = _along(attr, path[1:], target, parents, binds, past)
    return [sa.select(key).where(this).correlate(rows).scalar_subquery() for key in keys]


def _behind(keys: list[_Key], rows: FromClause, after: tuple[Any, ...], binds: Binds) -> ColumnElement[bool]:
    # Lexicographic: behind in the first key, or equal there and behind in the rest.
    born, id_ = _last_two(after, len(keys), binds)
    condition: ColumnElement[bool] = sa.tuple_(rows.c.born, rows.c.id) > sa.tuple_(born, id_)
    for key, slot in reversed(list(zip(keys, after, strict=False))):
        condition = _behind_key(key, slot, condition, binds)
    return condition


def _last_two(after: tuple[Any, ...], keys: int, binds: Binds) -> list[BindParameter[Any]]:
    """Bind the version and id of a cursor, which stand behind its keys."""
    if len(after) != keys + 2:
        raise QueryError("The cursor belongs to a query in another order", value=after)
    return [binds.slot(slot, _same, Integer) for slot in after[-2:]]


def _behind_key(key: _Key, slot: Slot, rest: ColumnElement[bool], binds: Binds) -> ColumnElement[bool]:
    if slot.type is type(None):
        return sa.and_(key.expression.is_(None), rest)
    bound = [binds.slot(slot, _same, sa.types.NullType()) for _ in range(2)]
    further = key.expression < bound[0] if key.descending else key.expression > bound[0]
    return sa.or_(further, key.expression.is_(None), sa.and_(key.expression == bound[1], rest))


def _same(value: Any) -> Any:
    return value
