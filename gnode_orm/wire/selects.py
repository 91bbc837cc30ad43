"""Queries as JSON, and back with every part checked."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from gnode_orm.core.select import MAX_DEPTH, And, AnyOf, Attr, Comparison, Measure, Node, Not, Or, Order, Select
from gnode_orm.errors import GnodeError, QueryError
from gnode_orm.location import Location
from gnode_orm.wire.malformed import Malformed, member, optional, typed, whole

MAX_NODES = 5000
_INT64 = range(-(2**63), 2**63)


def select_message(select: Select) -> dict[str, Any]:
    """Write a query."""
    return {
        "kind": select.kind,
        "where": None if select.where is None else _node_message(select.where),
        "order": [[_attr_message(item.attr), item.descending] for item in select.order],
        "limit": select.limit,
        "offset": select.offset,
        "after": None if select.after is None else cursor_message(select.after),
        "eager": list(select.eager),
        "at": select.at,
    }


def read_select(message: Any) -> Select:
    """Read a query.

    Raises:
        Malformed: it is none, or one nested beyond measure.
    """
    where, after, limit, at = (typed(message, dict, "A query").get(name) for name in ("where", "after", "limit", "at"))
    return Select(
        member(message, "kind", str),
        where=None if where is None else _Nodes().read(where, 0),
        order=tuple(map(_read_order, optional(message, "order", list) or [])),
        limit=None if limit is None else _count(limit, "limit"),
        offset=_count(message.get("offset", 0), "offset"),
        after=None if after is None else read_cursor(after),
        eager=tuple(typed(path, str, "A path") for path in optional(message, "eager", list) or []),
        at=None if at is None else whole(at, "at"),
    )


def cursor_message(cursor: tuple[Any, ...]) -> list[Any]:
    """Write the place where a page ends."""
    return [_value_message(item) for item in cursor]


def read_cursor(message: Any) -> tuple[Any, ...]:
    """Read the place where a page ends.

    Raises:
        Malformed: it is none.
    """
    items = [_read_scalar(item) for item in typed(message, list, "A cursor")]
    if len(items) < 2 or any(isinstance(item, Location | Measure | date) for item in items):
        raise Malformed("The cursor is not one of this protocol", value=message)
    return (*items[:-2], *(whole(item, "A cursor's end") for item in items[-2:]))


def _count(value: Any, what: str) -> int:
    if whole(value, what) < 0 or value > 2**62 - 2:
        raise Malformed(f"{what} is {value}; it cannot be below zero or beyond measure", value=value)
    return int(value)


def _attr_message(attr: Attr) -> list[Any]:
    return [list(attr.path), list(attr.keys), attr.part]


def _read_attr(message: Any) -> Attr:
    if type(message) is not list or len(message) != 3:
        raise Malformed("An attribute is a list of path, keys and part", value=message)
    path, keys, part = message
    names = tuple(typed(name, str, "A step of a path") for name in typed(path, list, "A path"))
    if not names:
        raise Malformed("A path has no steps")
    below = tuple(typed(key, str, "A key") for key in typed(keys, list, "Keys"))
    return Attr(names, below, None if part is None else typed(part, str, "A part"))


def _read_order(message: Any) -> Order:
    if type(message) is not list or len(message) != 2:
        raise Malformed("A sort key is a list of attribute and direction", value=message)
    return Order(_read_attr(message[0]), typed(message[1], bool, "A direction"))


def _node_message(node: Node) -> list[Any]:
    if isinstance(node, Comparison):
        return ["is", _attr_message(node.attr), node.operator, _value_message(node.value)]
    if isinstance(node, And | Or):
        return ["and" if isinstance(node, And) else "or", *map(_node_message, node.items)]
    if isinstance(node, Not):
        return ["not", _node_message(node.item)]
    condition = None if node.condition is None else _node_message(node.condition)
    return ["any", list(node.path), node.relation, condition]


class _Nodes:
    """Reads one condition, and counts what it holds."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def read(self, message: Any, depth: int) -> Node:
        self._left -= 1
        if depth > MAX_DEPTH or self._left < 0:
            raise Malformed(f"A condition holds at most {MAX_NODES} parts, {MAX_DEPTH} within each other")
        word, *rest = typed(message, list, "A condition") or [None]
        if word in ("and", "or"):
            items = tuple(self.read(item, depth + 1) for item in rest)
            return And(items) if word == "and" else Or(items)
        if word == "not" and len(rest) == 1:
            return Not(self.read(rest[0], depth + 1))
        if word == "any" and len(rest) == 3:
            path = tuple(typed(name, str, "A step of a path") for name in typed(rest[0], list, "A path"))
            condition = None if rest[2] is None else self.read(rest[2], depth + 1)
            return AnyOf(path, typed(rest[1], str, "A collection"), condition)
        if word == "is" and len(rest) == 3:
            return _read_comparison(*rest)
        raise Malformed(f"{word!r} begins no condition of this protocol", value=word)


def _read_comparison(attr: Any, operator: Any, value: Any) -> Comparison:
    typed(operator, str, "An operator")  # which there are, the store says
    if operator in ("in", "between"):
        items = tuple(_read_scalar(item) for item in typed(value, list, f"What stands behind {operator!r}"))
        if operator == "between" and len(items) != 2:
            raise Malformed(f"'between' takes two values, not {len(items)}")
        return Comparison(_read_attr(attr), operator, items)
    return Comparison(_read_attr(attr), operator, _read_scalar(value))


def _value_message(value: Any) -> Any:
    if isinstance(value, tuple | list | range):
        return [_value_message(item) for item in value]
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    item = getattr(value, "item", None)  # a number of NumPy
    if item is not None:
        return _value_message(item())
    raise QueryError(f"{value!r} cannot stand in a condition", value=value)


def _float_message(value: float) -> Any:
    return float(value) if math.isfinite(value) else {"$": "float", "v": repr(float(value))}


def _int_message(value: int) -> Any:
    return int(value) if value in _INT64 else {"$": "int", "v": str(value)}


# The order matters: a bool is an int, a datetime a date, a location text.
_WRITERS: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (type(None), lambda value: None),
    (bool, lambda value: value),
    (int, _int_message),
    (float, _float_message),
    (Location, lambda value: {"$": "location", "v": str(value)}),
    (str, str),
    (datetime, lambda value: {"$": "datetime", "v": value.isoformat()}),
    (date, lambda value: {"$": "date", "v": value.isoformat()}),
    (Measure, lambda value: {"$": "measure", "v": _float_message(value.value), "u": value.unit}),
)

_READERS: dict[Any, Callable[[dict[str, Any]], Any]] = {
    "float": lambda message: float(member(message, "v", str)),
    "int": lambda message: int(member(message, "v", str)),
    "location": lambda message: Location(member(message, "v", str)),
    "datetime": lambda message: datetime.fromisoformat(member(message, "v", str)),
    "date": lambda message: date.fromisoformat(member(message, "v", str)),
    "measure": lambda message: Measure(_number(_read_scalar(message.get("v"))), member(message, "u", str)),
}


def _read_scalar(message: Any) -> Any:
    if isinstance(message, dict):
        tag = message.get("$")
        read = _READERS.get(tag) if isinstance(tag, str) else None
        if read is None:
            raise Malformed(f"{tag!r} is no type of value", value=tag)
        try:
            return read(message)
        except (ValueError, ArithmeticError) as error:
            if isinstance(error, GnodeError):
                raise
            raise Malformed(f"A value of type {tag!r} cannot be read ({error})") from None
    if isinstance(message, list):
        raise QueryError("A list stands where one value is needed")
    return message


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(f"A quantity has a number, not {value!r}", value=value)
    return float(value)
