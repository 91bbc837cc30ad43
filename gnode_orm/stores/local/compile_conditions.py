"""Conditions as SQL.

A condition is *positive*: where SQL says null, it counts as false. ``Not`` makes that explicit. Paths over foreign keys
become ``IN`` with a nested query over what the actor may read, so an object that he may not read is as good as null.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from gnode_orm.core.schema import SCHEMA, FieldType, KindSpec, Relation
from gnode_orm.core.select import And, AnyOf, Attr, Comparison, Node, Not, Or
from gnode_orm.errors import QueryError, did_you_mean
from gnode_orm.stores.local.binds import Binds
from gnode_orm.stores.local.elements import Contains, EndsWith, Fold, IMatches, Matches, in_ids
from gnode_orm.stores.local.operands import Expression, Operand, Side
from gnode_orm.stores.local.patterns import compiled
from gnode_orm.stores.local.rights import link_source, source
from gnode_orm.stores.local.shapes import Many, Slot

Condition = ColumnElement[bool]

_ORDERED: dict[str, Callable[[Expression, Any], Condition]] = {
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
}
_MOST_VALUES = 30_000  # SQLite binds 32,766 values to a statement, PostgreSQL 65,535
_LIKE = {"contains", "startswith", "endswith", "iexact", "icontains", "istartswith", "iendswith", "regex", "iregex"}


class Conditions:
    """Compiles the conditions of one query."""

    def __init__(self, binds: Binds, past: bool) -> None:
        self.binds = binds
        self.past = past

    def compile(self, node: Node, spec: KindSpec, rows: FromClause) -> Condition:
        """A condition over the rows of a kind."""
        if isinstance(node, And):
            return sa.and_(sa.true(), *(self.compile(item, spec, rows) for item in node.items))
        if isinstance(node, Or):
            return sa.or_(sa.false(), *(self.compile(item, spec, rows) for item in node.items))
        if isinstance(node, Not):
            return _negated(self.compile(node.item, spec, rows))
        if isinstance(node, AnyOf):
            return self._any_of(node, spec, rows)
        return self._comparison(node, spec, rows)

    def _comparison(self, node: Comparison, spec: KindSpec, rows: FromClause) -> Condition:
        value, attr = node.value, node.attr
        if node.operator == "ne":
            return _negated(self._comparison(Comparison(attr, "eq", value), spec, rows))
        if node.operator == "is_null" or _is_null(value):
            if node.operator not in ("is_null", "eq"):
                raise QueryError(f"{spec.class_name}.{attr}: None has no order; use == None or is_null()")
            present = self._along(attr.path, spec, rows, lambda s, r: self._operand(attr, s, r).present())
            return present if value is False else _negated(present)
        if node.operator == "in" and isinstance(value, tuple):
            return self._in(node, value, spec, rows)
        return self._along(attr.path, spec, rows, lambda s, r: self._compare(node, self._operand(attr, s, r)))

    def _in(self, node: Comparison, values: tuple[Any, ...], spec: KindSpec, rows: FromClause) -> Condition:
        equal = [Comparison(node.attr, "eq", value) for value in values if _is_null(value)]
        nulls = [self._comparison(item, spec, rows) for item in equal[:1]]
        given: Any = tuple(value for value in values if not _is_null(value))
        found = self._along(
            node.attr.path, spec, rows, lambda s, r: self._any_value(self._operand(node.attr, s, r), given)
        )
        return sa.or_(found, *nulls)

    def _any_value(self, operand: Operand, values: tuple[Slot, ...]) -> Condition:
        if len(values) > _MOST_VALUES:
            raise operand.refusal(f"at most {_MOST_VALUES} values are looked for at once, not {len(values)}")
        alike: dict[Any, list[Slot]] = {}
        for value in values:
            alike.setdefault((value.type, value.detail), []).append(value)
        return sa.or_(sa.false(), *(self._one_of(operand.side(slots[0]), slots) for slots in alike.values()))

    def _one_of(self, side: Side, slots: list[Slot]) -> Condition:
        bound = [self.binds.slot(slot, side.convert, side.type) for slot in slots]
        return side.met(lambda expression: expression.in_(bound))

    def _along(
        self, path: tuple[str, ...], spec: KindSpec, rows: FromClause,
        leaf: Callable[[KindSpec, FromClause], Condition],
    ) -> Condition:  # fmt: skip
        if len(path) == 1:
            return leaf(spec, rows)
        target = target_of(spec, path[0])
        parents = source(target.kind, self.past)
        found = sa.select(parents.c.id).where(self._along(path[1:], target, parents, leaf))
        return rows.c[f"{path[0]}_id"].in_(found)

    def _operand(self, attr: Attr, spec: KindSpec, rows: FromClause) -> Operand:
        return Operand(Attr(attr.path[-1:], attr.keys, attr.part), spec, rows, self.binds)

    def _compare(self, node: Comparison, operand: Operand) -> Condition:
        value: Any = node.value
        if isinstance(value, Many):
            return self._among(operand, value)
        side = operand.side(value[0] if node.operator == "between" else value)
        if node.operator == "eq":
            return self._equal(side, value)
        if node.operator in _LIKE:
            return self._like(node.operator, side, value, operand)
        if not side.ordered:
            raise operand.refusal(f"{node.operator} does not apply to it; use == or !=")
        if node.operator == "between":
            # Each end has a type of its own, and a measure its own unit.
            low, high = (self.binds.slot(item, operand.side(item).convert, side.type) for item in value)
            return side.met(lambda expression: expression.between(low, high))
        if node.operator not in _ORDERED:
            raise operand.refusal(f"there is no comparison {node.operator!r}{did_you_mean(node.operator, _ORDERED)}")
        bound = self.binds.slot(value, side.convert, side.type)
        return side.met(lambda expression: _ORDERED[node.operator](expression, bound))

    def _equal(self, side: Side, slot: Slot) -> Condition:
        bound = self.binds.slot(slot, side.convert, side.type)
        return side.met(lambda expression: expression == bound)

    def _among(self, operand: Operand, slot: Many) -> Condition:
        side = operand.side(Slot(slot.index, str))
        return in_ids(side.expression, self.binds.id_list(slot, side.convert))

    def _like(self, operator: str, side: Side, slot: Slot, operand: Operand) -> Condition:
        if not side.text:
            raise operand.refusal(f"{operator} applies to text alone")
        convert = _pattern if operator.endswith("regex") else side.convert
        part: Expression = self.binds.slot(slot, convert, side.type)
        text = side.expression
        if operator == "regex":
            return Matches(text, part)
        if operator == "iregex":
            return IMatches(text, part)
        if operator.startswith("i"):
            text, part = Fold(text), Fold(part)
        return _text_test(operator.removeprefix("i"), text, part, empty=bool(slot.detail))

    def _any_of(self, node: AnyOf, spec: KindSpec, rows: FromClause) -> Condition:
        return self._along((*node.path, ""), spec, rows, lambda s, r: self._exists(node, s, r))

    def _exists(self, node: AnyOf, spec: KindSpec, rows: FromClause) -> Condition:
        relation = relation_of(spec, node.relation)
        members = source(relation.kind, self.past)
        found: sa.Select[Any] = sa.select(sa.literal_column("1")).select_from(members)
        if relation.many_to_many:
            links = link_source(self.past)
            ours, theirs = link_columns(relation)
            found = found.join(links, links.c[theirs] == members.c.id).where(links.c[ours] == rows.c.id)
        else:
            found = found.where(members.c[f"{relation.fk}_id"] == rows.c.id)
        if node.condition is not None:
            found = found.where(self.compile(node.condition, SCHEMA[relation.kind], members))
        return found.correlate(rows).exists()


def target_of(spec: KindSpec, name: str) -> KindSpec:
    """The kind that a foreign key leads to.

    Raises:
        QueryError: it is no foreign key.
    """
    field = spec.by_name.get(name)
    if field is None or field.type is not FieldType.REF or field.target is None:
        known = [ref.name for ref in spec.refs]
        raise QueryError(f"{spec.class_name}.{name} is not a foreign key{did_you_mean(name, known)}", field=name)
    return SCHEMA[field.target]


def relation_of(spec: KindSpec, name: str) -> Relation:
    """A collection of a kind.

    Raises:
        QueryError: the kind has no such collection.
    """
    relation = spec.relation_by_name.get(name)
    if relation is None:
        near = did_you_mean(name, spec.relation_by_name)
        raise QueryError(f"{spec.class_name} has no collection {name!r}{near}", field=name)
    return relation


def link_columns(relation: Relation) -> tuple[str, str]:
    """The columns of a link that name the object with the collection, and its member."""
    return ("grp", "channel") if relation.kind == "recordingchannel" else ("channel", "grp")


def _negated(condition: Condition) -> Condition:
    return sa.not_(sa.func.coalesce(condition, sa.false()))


def _is_null(value: Any) -> bool:
    return isinstance(value, Slot) and value.type is type(None)


def _text_test(operator: str, text: Expression, part: Expression, empty: bool) -> Condition:
    if empty and operator != "exact":
        return text.is_not(None)
    if operator == "exact":
        return text == part
    if operator == "contains":
        return Contains(text, part)
    if operator == "startswith":
        return sa.func.substr(text, sa.literal_column("1"), sa.func.length(part)) == part
    return EndsWith(text, part)


def _pattern(value: Any) -> str:
    if not isinstance(value, str):
        raise QueryError(f"{value!r} is not a regular expression: text is needed", value=value)
    compiled(value)
    return value
