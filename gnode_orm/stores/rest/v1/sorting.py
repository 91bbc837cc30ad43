"""The order of records, which are sorted here since the server has no order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gnode_orm.core.schema import SCHEMA, FieldType
from gnode_orm.core.select import Order, Select
from gnode_orm.stores.rest.v1.records import Record
from gnode_orm.stores.rest.v1.unsupported import unsupported

_META_COLUMN = {"id": 0, "location": 0, "date_created": 2, "owner": 3}
_SORTED = frozenset({FieldType.TEXT, FieldType.INTEGER, FieldType.BOOLEAN, FieldType.DATE, FieldType.DATETIME})


def sort_key(select: Select, target: str) -> Callable[[Record], Any] | None:
    """Give the key to sort records by; ``None`` where nobody asked for an order.

    Raises:
        UnsupportedByStore: the order is one of a foreign key, a quantity or an annotation.
    """
    steps = [(_column(select.kind, order, target), order.descending) for order in select.order]
    if not steps:
        return None

    def key(row: Record) -> Any:
        return tuple(_ranked(row[place], descending) for place, descending in steps)

    return key


def _column(kind: str, order: Order, target: str) -> int:
    name = order.attr.path[-1]
    spec = SCHEMA[kind]
    field = spec.by_name.get(name)
    plain = field is not None and field.type in _SORTED
    if len(order.attr.path) > 1 or order.attr.keys or not (plain or (field is None and name in _META_COLUMN)):
        raise unsupported(target, f"in the order of {order.attr}", "order by a field of its own without a unit")
    return spec.record_columns.index(name, 4) if plain else _META_COLUMN[name]


def _ranked(value: Any, descending: bool) -> Any:
    """A sort key with nulls last in both directions."""
    if value is None:
        return (True,)
    return (False, _Falling(value) if descending else value)


class _Falling:
    """A value that sorts the other way."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __lt__(self, other: _Falling) -> bool:
        return bool(other._value < self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Falling) and bool(other._value == self._value)
