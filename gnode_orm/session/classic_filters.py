"""Filters as the original client took them: query parameters, so that every value may be text.

``{"limit": 10, "id__in": "A,B", "block": "2DFA548ESC", "index__gte": "7", "name__isnull": "False"}``
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gnode_orm.core.arguments import check
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, KindSpec
from gnode_orm.errors import QueryError
from gnode_orm.location import Location
from gnode_orm.wire.parsing import read_time

_LISTS = ("in", "range")
_FALSE = ("", "0", "false", "False")
_PARTS = ("year", "month", "day", "hour", "week_day")


@dataclass
class Filters:
    """Lookups, with their values as what they stand for, and what cuts the answer."""

    lookups: dict[str, Any] = field(default_factory=dict)
    limit: int | None = None
    offset: int = 0


def read_filters(kind: str, given: Mapping[str, Any]) -> Filters:
    """Read filters.

    Raises:
        QueryError: a value that its field cannot have.
    """
    filters = Filters()
    for key, value in given.items():
        check("select(filters)", key, str, "lookups as text, such as 'name__icontains'")
        if key in ("limit", "offset"):
            setattr(filters, key, _number(key, value))
        else:
            filters.lookups[key.replace("owner__username", "owner")] = _value(SCHEMA[kind], key, value)
    return filters


def _value(spec: KindSpec, key: str, value: Any) -> Any:
    found, lookup = _field(spec, key.split("__"))
    if not isinstance(value, str):
        return value
    if lookup == "isnull":
        return value not in _FALSE
    read = _reader(found, lookup)
    if lookup in _LISTS:
        return [read(key, item) for item in value.split(",")] if value else []
    return read(key, value)


def _field(spec: KindSpec, steps: list[str]) -> tuple[FieldSpec | None, str]:
    """The field that a lookup is about, and the comparison."""
    found: FieldSpec | None = None
    for place, step in enumerate(steps):
        field = spec.by_name.get(step)
        if field is None:
            return found, steps[-1] if place < len(steps) else ""
        found = field
        if field.type is FieldType.REF:
            spec = SCHEMA[field.target or ""]
    return found, ""


def _reader(field: FieldSpec | None, lookup: str) -> Callable[[str, str], Any]:
    if lookup in _PARTS:
        return _number
    if field is None:
        return _same
    if field.type is FieldType.REF and lookup not in ("id", "guid", "owner"):
        return lambda key, text: text if "/" in text else Location.of(field.target or "", text)
    return _READERS.get(field.type, _same)


def _same(key: str, text: str) -> str:
    return text


def _number(key: str, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise QueryError(f"{key}: {value!r} is not a whole number", field=key, value=value) from None


def _truth(key: str, text: str) -> bool:
    return text not in _FALSE


def _moment(key: str, text: str) -> Any:
    try:
        return read_time(text)
    except ValueError:
        raise QueryError(f"{key}: {text!r} is not a time; write 2014-04-10 10:00:00", field=key, value=text) from None


_READERS: dict[FieldType, Callable[[str, str], Any]] = {
    FieldType.INTEGER: _number,
    FieldType.BOOLEAN: _truth,
    FieldType.DATE: lambda key, text: _moment(key, text).date(),
    FieldType.DATETIME: _moment,
}
