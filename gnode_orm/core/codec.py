"""Field values <-> columns: the one encoding step between an attribute and a store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from gnode_orm.core import quantity
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import OPEN, ArrayRef
from gnode_orm.core.instants import microseconds
from gnode_orm.core.schema import FieldSpec, FieldType
from gnode_orm.core.typed_json import decode, encode

Row = tuple[Any, ...]


def to_columns(spec: FieldSpec, value: Any) -> Row:
    """Write one value as its write columns. References are written by the session, which knows the ids."""
    return _WRITERS[spec.type._value_](value)


def writer(spec: FieldSpec) -> Callable[[Any], Row]:
    """Give the function that writes values of a field, for many of them."""
    return _WRITERS[spec.type._value_]


def from_columns(spec: FieldSpec, columns: Row, reader: Any) -> Any:
    """Read one value from its read columns; ``reader`` is what array handles read from."""
    if spec.type is FieldType.ARRAY:
        ref = None if columns[0] is None else _array_ref(columns[0], columns[1], reader)
        return None if ref is None else ArrayHandle.stored(reader, ref)
    return _READERS[spec.type._value_](*columns)


def _array_ref(name: bytes, type_text: str, reader: Any) -> ArrayRef | None:
    first, _, unit = type_text.partition(" ")
    if first == OPEN:
        found: ArrayRef | None = reader.open_array(name, unit or None)
        return found
    return ArrayRef.from_columns(name, type_text)


def read_part(spec: FieldSpec, columns: Row) -> Row:
    """Give the read columns of a field out of its write columns."""
    return columns[: len(spec.read_columns)]


def _same(value: Any) -> Row:
    return (value,)


def _datetime_columns(value: datetime | None) -> Row:
    return (None, None) if value is None else (value.isoformat(), microseconds(value))


def _array_columns(value: ArrayHandle | None) -> Row:
    if value is None:
        return (None, None)
    assert value.ref is not None, "the session names arrays before rows are written"
    return (value.ref.hash, value.ref.type_text)


def _json_columns(value: Any) -> Row:
    # Nothing and an empty dictionary are one: NULL costs no space.
    return (None,) if value is None or (isinstance(value, dict) and not value) else (encode(value),)


def _from_json(value: str | None) -> Any:
    return None if value is None else decode(value)


# By the types' values: an enum member's own hash is slow, and this runs once for each field of each object.
_WRITERS: dict[str, Callable[[Any], Row]] = {
    FieldType.TEXT.value: _same,
    FieldType.INTEGER.value: _same,
    FieldType.BOOLEAN.value: lambda value: (None if value is None else int(value),),
    FieldType.DATE.value: lambda value: (None if value is None else value.isoformat(),),
    FieldType.DATETIME.value: _datetime_columns,
    FieldType.QUANTITY.value: quantity.to_columns,
    FieldType.ARRAY.value: _array_columns,
    FieldType.JSON.value: _json_columns,
    FieldType.NUMBERS.value: _json_columns,
}

_READERS: dict[str, Callable[..., Any]] = {
    FieldType.TEXT.value: lambda value: value,
    FieldType.INTEGER.value: lambda value: value,
    FieldType.BOOLEAN.value: lambda value: None if value is None else bool(value),
    FieldType.DATE.value: lambda value: None if value is None else date.fromisoformat(value),
    FieldType.DATETIME.value: lambda value: None if value is None else datetime.fromisoformat(value),
    FieldType.QUANTITY.value: quantity.from_columns,
    FieldType.JSON.value: _from_json,
    FieldType.NUMBERS.value: _from_json,
}
