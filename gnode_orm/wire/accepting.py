"""Columns that come from outside: read as values, judged by the models' own validators, and written anew.

What the sender derived (SI values, microseconds, canonical units) is derived here again, so that nothing wrong that a
client says of its values reaches a store.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import numpy as np
import orjson
from pydantic import ValidationError

from gnode_orm.core import quantity, typed_json
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.codec import to_columns
from gnode_orm.core.failures import translated
from gnode_orm.core.fields import Extension
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, known_kind
from gnode_orm.errors import GnodeError, ValidationFailed, did_you_mean
from gnode_orm.models import MODELS
from gnode_orm.units import unit_of
from gnode_orm.wire.malformed import Malformed, object_id, typed

Columns = tuple[Any, ...]

_EXACT = re.compile(r"\S{1,64} [<>|][iuf][0-9]{1,2} (?:-|[0-9]{1,2}(?:,[0-9]{1,2})*) [A-Za-z0-9+/=]{1,400}")
_DTYPE = re.compile(r"[<>|][biufcSU][0-9]{1,9}")
_TYPE_TEXT = re.compile(r"(\S+) (-|[0-9]{1,15}(?:,[0-9]{1,15}){0,31})(?: (\S{1,64}))?")
_TAGGED_DTYPE = re.compile(r"[<>|](?:[biufcSU][0-9]{1,9}|[Mm]8\[[A-Za-z0-9]{1,8}\])")
_MAX_BYTES = 2**50
# Values of these types are made from what stands in the text itself; others could claim memory that was never sent.
_WRITTEN_OUT = frozenset("biufU")


class Acceptance:
    """Judges the columns of one change set; equal columns are judged once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, Columns], Columns] = {}

    def row(self, kind: str, row: Columns) -> Columns:
        """Judge a row to create.

        Raises:
            ValidationFailed: a kind that does not exist, a column too many, a value that a field does not take.
        """
        spec = known_kind(kind)
        if len(row) != 1 + len(spec.write_columns):
            raise ValidationFailed(
                f"A row to create of {kind} has {1 + len(spec.write_columns)} columns: id, "
                f"{', '.join(spec.write_columns)}",
                entity=spec.class_name,
            )
        accepted: list[Any] = [object_id(row[0])]
        start = 1
        for field in spec.fields:
            end = start + len(field.write_columns)
            accepted.extend(self.columns(kind, field, row[start:end]))
            start = end
        return tuple(accepted)

    def update(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        """Judge the columns of an update; those of one field come together.

        Raises:
            ValidationFailed: a column that does not exist, or a value that a field does not take.
        """
        spec = known_kind(kind)
        unknown = sorted(set(values) - set(spec.write_columns))
        if unknown:
            hint = did_you_mean(unknown[0], spec.write_columns)
            raise ValidationFailed(f"{spec.class_name} has no column {unknown[0]!r}{hint}", field=unknown[0])
        accepted: dict[str, Any] = {}
        for field in spec.fields:
            given = [name for name in field.write_columns if name in values]
            if given:
                if len(given) != len(field.write_columns):
                    raise Malformed(f"{spec.class_name}.{field.name} needs {', '.join(field.write_columns)} together")
                columns = self.columns(kind, field, tuple(values[name] for name in given))
                accepted.update(zip(given, columns, strict=True))
        return accepted

    def columns(self, kind: str, field: FieldSpec, columns: Columns) -> Columns:
        """Judge the columns of one field."""
        if all(item is None for item in columns):
            return field.no_value
        try:
            key = (kind, field.name, columns)
            found = self._known.get(key)
        except TypeError:
            raise Malformed(
                f"{SCHEMA[kind].class_name}.{field.name}: a list or an object stands where one value is needed",
                field=field.name,
            ) from None
        if found is None:
            found = self._known[key] = _accepted(kind, field, columns)
        return found


def _accepted(kind: str, field: FieldSpec, columns: Columns) -> Columns:
    model = MODELS[kind]
    try:
        if field.type is FieldType.REF:
            return (object_id(columns[0]),)
        value = _READERS[field.type](columns)
        validate = Extension.accept if field.name == "ext" else model.__validators__[field.name]
        return to_columns(field, validate(value))
    except ValidationError as error:
        raise translated(model, error, field=field.name) from None
    except GnodeError as error:
        raise _named(error, model.__name__, field.name) from None
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError, AttributeError, MemoryError) as error:
        raise Malformed(
            f"{model.__name__}.{field.name} cannot be read ({type(error).__name__}: {str(error)[:100]})",
            entity=model.__name__,
            field=field.name,
        ) from None


def _named(error: GnodeError, entity: str, field: str) -> GnodeError:
    return type(error)(f"{entity}.{field}: {error}", entity=entity, field=field)  # type: ignore[call-arg]


def _text(columns: Columns) -> str:
    return typed(columns[0], str, "The value")


def _integer(columns: Columns) -> int:
    return typed(columns[0], int, "The value")


def _boolean(columns: Columns) -> bool:
    if columns[0] not in (0, 1) or isinstance(columns[0], float):
        raise Malformed(f"{columns[0]!r} is neither 0 nor 1", value=columns[0])
    return bool(columns[0])


def _quantity(columns: Columns) -> Any:
    number, unit = columns[0], typed(columns[1], str, "The unit")
    if " " in unit:
        if not _EXACT.fullmatch(unit):
            raise Malformed(f"{unit[:80]!r} is no exact value", value=unit)
        return quantity.from_columns(None, unit)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise Malformed(f"{number!r} is not a number", value=number)
    return quantity.from_columns(float(number), unit)


def _array(columns: Columns) -> ArrayHandle:
    hash_, text = columns
    match = _TYPE_TEXT.fullmatch(typed(text, str, "The type"))
    if match is None or not isinstance(hash_, bytes) or len(hash_) != 32:
        raise Malformed(f"{text!r} is not the type of an array: dtype, shape and unit", value=text)
    unit = None if match[3] is None else unit_of(match[3])
    shape = () if match[2] == "-" else tuple(map(int, match[2].split(",")))
    ref = ArrayRef(hash_, array_dtype(match[1]).str, shape, None if unit is None else unit.text)
    check_size(ref)
    return ArrayHandle(None, unit, ref=ref)


def array_dtype(text: str) -> np.dtype[Any]:
    """Read the dtype of an array: numbers, text or bytes, as NumPy spells it.

    Raises:
        Malformed: something else.
    """
    try:
        dtype = np.dtype(text) if _DTYPE.fullmatch(text) else None
    except TypeError:
        dtype = None
    if dtype is None or dtype.str != text:
        raise Malformed(f"{text[:80]!r} is not the dtype of an array that can be stored", value=text)
    return dtype


def check_size(ref: ArrayRef) -> None:
    """Refuse an array of a size that no store could hold.

    Raises:
        Malformed: it is too large.
    """
    if ref.nbytes > _MAX_BYTES or len(ref.shape) > 32:
        raise Malformed(f"An array of {ref.type_text} is larger than any store", value=ref.shape)


def _json(columns: Columns) -> Any:
    text = typed(columns[0], str, "The value")
    _check_tags(orjson.loads(text))
    return typed_json.decode(text)


def _check_tags(plain: Any) -> None:
    """Refuse dtypes that would take more memory than what was sent."""
    waiting = [plain]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            if "$" in item:
                _check_dtype(item)
            waiting.extend(item.values())


def _check_dtype(tagged: dict[str, Any]) -> None:
    tag, dtype = typed(tagged["$"], str, "A tag"), tagged.get("t")
    if dtype is None:
        return
    if not isinstance(dtype, str) or not _TAGGED_DTYPE.fullmatch(dtype):
        raise Malformed(f"{dtype!r} is not a dtype that can be kept", value=dtype)
    allowed = "iuf" if tag == "q" else _WRITTEN_OUT
    if tag in ("q", "np") and "b" not in tagged and dtype[1] not in allowed:
        raise Malformed(f"A value of type {dtype!r} needs its bytes", value=dtype)


_READERS: dict[FieldType, Callable[[Columns], Any]] = {
    FieldType.TEXT: _text,
    FieldType.INTEGER: _integer,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: lambda columns: date.fromisoformat(_text(columns)),
    FieldType.DATETIME: lambda columns: datetime.fromisoformat(_text(columns)),
    FieldType.QUANTITY: _quantity,
    FieldType.ARRAY: _array,
    FieldType.JSON: _json,
    FieldType.NUMBERS: _json,
}
