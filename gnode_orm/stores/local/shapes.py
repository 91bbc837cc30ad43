"""The shape of a query: the query with its values taken out, so that one compiled statement serves every value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from gnode_orm.core.select import And, AnyOf, Comparison, Measure, Node, Not, Or, Select
from gnode_orm.location import Location


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a value.

    Attributes:
        index: the place in the list of values.
        type: the Python type, on which the statement may depend.
        detail: what else it may depend on: the unit of a measure, the kind of a location, whether a text is empty.
    """

    index: int
    type: type
    detail: Any = None


@dataclass(frozen=True, slots=True)
class Many:
    """A list of ids or locations of any length, bound as one value."""

    index: int
    types: frozenset[tuple[type, Any]]


@dataclass(frozen=True)
class Shape:
    """A query whose values are slots, and the values."""

    select: Select
    values: list[Any]


def shape_of(select: Select) -> Shape:
    """Take the values out of a query."""
    values: list[Any] = []
    limited = select.limit is not None
    where = _node(select.where, values) if select.where is not None else None
    after: Any = tuple(_slot(value, values) for value in select.after) if select.after is not None else None
    plain = replace(
        select, where=where, after=after, limit=1 if limited else None, offset=1 if select.offset else 0,
        eager=(), at=1 if select.at is not None else None,
    )  # fmt: skip
    return Shape(plain, values)


def _node(node: Node, values: list[Any]) -> Node:
    if isinstance(node, Comparison):
        return Comparison(node.attr, node.operator, _value(node, values))
    if isinstance(node, And | Or):
        return type(node)(tuple(_node(item, values) for item in node.items))
    if isinstance(node, Not):
        return Not(_node(node.item, values))
    assert isinstance(node, AnyOf)
    return AnyOf(node.path, node.relation, None if node.condition is None else _node(node.condition, values))


def _value(node: Comparison, values: list[Any]) -> Any:
    value = node.value
    if node.operator == "is_null":
        return bool(value)
    if not isinstance(value, tuple | list):
        return _slot(value, values)
    if node.operator == "in" and not node.attr.keys and _are_ids(node.attr.path[-1], value):
        values.append(value)
        return Many(len(values) - 1, frozenset((type(item), _detail(item)) for item in value))
    return tuple(_slot(item, values) for item in value)


def _are_ids(name: str, value: Sequence[Any]) -> bool:
    return bool(value) and (name == "id" or all(isinstance(item, Location) for item in value))


def _slot(value: Any, values: list[Any]) -> Slot:
    values.append(value)
    return Slot(len(values) - 1, _type(value), _detail(value))


def _type(value: Any) -> type:
    # Subclasses behave as their bases; the order puts bool before int and datetime before date.
    for known in (type(None), bool, Location, str, int, float, Measure, datetime, date):
        if isinstance(value, known):
            return known
    return type(value)


def _detail(value: Any) -> Any:
    if isinstance(value, Measure):
        return value.unit
    if isinstance(value, Location):
        return value.kind
    if isinstance(value, str):
        return value == ""
    return None
