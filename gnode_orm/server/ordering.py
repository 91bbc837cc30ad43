"""The query parameter ``order_by``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gnode_orm.core.expressions import Column, RefColumn, column
from gnode_orm.core.schema import SCHEMA, FieldType
from gnode_orm.core.select import Order
from gnode_orm.errors import QueryError
from gnode_orm.server.problems import Refusal


def order_of(kind: str, pairs: Iterable[tuple[str, str]]) -> tuple[Order, ...]:
    """Read ``order_by=name,-index``.

    Raises:
        Refusal: a field that does not exist or cannot be ordered by.
    """
    keys = [key for name, value in pairs if name in ("order_by", "sort_by") for key in value.split(",") if key]
    return tuple(_order(kind, key.removeprefix("-"), key.startswith("-")) for key in keys)


def _order(kind: str, key: str, descending: bool) -> Order:
    item: Any = None
    spec = SCHEMA[kind]
    path: tuple[str, ...] = ()
    for step in key.split("__"):
        try:
            item = column(kind, spec, step, path)
        except QueryError:
            raise Refusal(400, f"No matching '{key}' field for ordering on.") from None
        if isinstance(item, RefColumn):
            path = (*path, step)
            spec = SCHEMA[spec.by_name[step].target or ""]
    if not isinstance(item, Column) or item.spec.type in (FieldType.ARRAY, FieldType.JSON):
        raise Refusal(400, f"The '{key}' field does not allow ordering.")
    return Order(item.attr, descending)
