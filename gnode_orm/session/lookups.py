"""Lookups by name: ``filter(name__icontains="x", segment__block__name="y")`` as conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gnode_orm.core.expressions import Column, Condition, JsonColumn, RefColumn, RelationColumn, column
from gnode_orm.core.expressions.operands import several
from gnode_orm.core.schema import KindSpec
from gnode_orm.errors import QueryError, did_you_mean

_LOOKUPS: dict[str, Callable[[Any, Any], Condition]] = {
    "exact": lambda item, value: item == value,
    "gt": lambda item, value: item > value,
    "gte": lambda item, value: item >= value,
    "lt": lambda item, value: item < value,
    "lte": lambda item, value: item <= value,
    "in": lambda item, value: item.in_(value),
    "range": lambda item, value: item.between(*_two_ends(item, value)),
    "isnull": lambda item, value: item.is_null(_truth(value)),
    **{
        name: lambda item, value, name=name: getattr(item, name)(value)  # type: ignore[misc]
        for name in (
            "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "regex", "iregex",
        )
    },
}  # fmt: skip
_PARTS = ("year", "month", "day", "hour", "week_day")


def lookup(spec: KindSpec, key: str, value: Any) -> Condition:
    """Turn one ``field__lookup=value`` into a condition.

    Raises:
        QueryError: no such field or lookup; the message says what was meant.
    """
    first, *steps = key.split("__")
    item: Any = column(spec.kind, spec, first)
    while steps and steps[0] not in _LOOKUPS:
        item = _step(spec, item, steps.pop(0), key)
    if len(steps) > 1:
        raise QueryError(f"{spec.class_name}: {key!r} has two lookups, {steps[0]!r} and {steps[1]!r}", field=key)
    if isinstance(item, RelationColumn):
        return item.any() if value else ~item.any()
    return _LOOKUPS[steps[0] if steps else "exact"](item, value)


def _two_ends(item: Any, value: Any) -> list[Any]:
    ends = several(item, value)
    if len(ends) != 2:
        raise QueryError(f"{item}: range={value!r}: two values are needed, such as (1, 5)", value=value)
    return ends


def _truth(value: Any) -> bool:
    if value not in (True, False):
        raise QueryError(f"isnull={value!r}: True or False is needed", value=value)
    return bool(value)


def _step(spec: KindSpec, item: Any, step: str, key: str) -> Any:
    if isinstance(item, RefColumn):
        return getattr(item, step)
    if isinstance(item, JsonColumn):
        return item[step]
    if isinstance(item, Column) and step in _PARTS:
        return getattr(item, step)
    known = [*_LOOKUPS, *_PARTS]
    raise QueryError(
        f"{spec.class_name}: {key!r} has an unknown lookup {step!r}{did_you_mean(step, known)}",
        entity=spec.class_name,
        field=key,
        value=step,
    )
