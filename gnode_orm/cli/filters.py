"""Filters typed on the command line: ``sampling_rate__gt="10 kHz"`` as a lookup with a value of the field's type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from gnode_orm.cli.failures import WrongUse
from gnode_orm.core.expressions import META_FIELDS
from gnode_orm.core.quantity import quantity
from gnode_orm.core.schema import SCHEMA, FieldType
from gnode_orm.errors import ValidationFailed, did_you_mean
from gnode_orm.models import MODELS

_PARTS = frozenset({"year", "month", "day", "hour", "week_day"})
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TEXT_LOOKUPS = frozenset(
    {"contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "iexact", "regex", "iregex"}
)


def kind_of(word: str) -> str:
    """Read a kind: ``segment``, ``Segment`` or ``segments``.

    Raises:
        WrongUse: there is no such kind; the message says what was meant.
    """
    known = word.lower()
    for candidate in (known, known.removesuffix("s"), known.removesuffix("ies") + "y"):
        if candidate in MODELS:
            return candidate
    raise WrongUse(f"{word!r} is no kind{did_you_mean(known, MODELS) or '; kinds are ' + ', '.join(MODELS)}")


def read_filters(kind: str, filters: Sequence[str]) -> list[tuple[str, Any]]:
    """Read ``FIELD[__LOOKUP]=VALUE`` arguments into pairs that ``Query.filter`` takes.

    Raises:
        WrongUse: no ``=``, or a value that is not of the field's type.
    """
    return [_read(kind, text) for text in filters]


def _read(kind: str, text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    key = key.strip().replace(".", "__")
    if not equals or not key:
        raise WrongUse(
            f"{text!r} is no filter; write FIELD=VALUE or FIELD__LOOKUP=VALUE, such as name__icontains=trial"
        )
    name, type, lookup = _field_of(kind, key)
    try:
        read = _value(type, lookup, value.strip())
    except ValueError as error:
        reason = error if isinstance(error, ValidationFailed) else f"{value!r} is not {_NEEDED[type]}"
        raise WrongUse(f"{SCHEMA[kind].class_name}.{key}: {reason}") from None
    return key, _local(read) if name in META_FIELDS else read


def _field_of(kind: str, key: str) -> tuple[str, FieldType, str]:
    """Follow a key to its field; the lookup is what is left over. Misspelt steps are told by the query itself."""
    spec = SCHEMA[kind]
    first, *steps = key.split("__")
    type = _type_of(spec, first)
    while type is FieldType.REF and steps:
        field = spec.by_name[first]
        following = SCHEMA[str(field.target)]
        if steps[0] not in {*following.by_name, *META_FIELDS, *following.relation_by_name}:
            break
        spec, first = following, steps.pop(0)
        type = _type_of(spec, first)
    if steps and steps[0] in _PARTS:
        steps.pop(0)
        type = FieldType.INTEGER
    if type is FieldType.JSON and len(steps) > 1:
        steps = steps[-1:]
    return first, type, steps[0] if steps else ""


def _type_of(spec: Any, name: str) -> FieldType:
    if name in spec.by_name:
        found: FieldType = spec.by_name[name].type
        return found
    if name in spec.relation_by_name:
        return FieldType.BOOLEAN
    return META_FIELDS.get(name, FieldType.TEXT)


def _value(type: FieldType, lookup: str, value: str) -> Any:
    if lookup == "isnull":
        return _truth(value)
    if lookup in _TEXT_LOOKUPS:
        return value
    read = _READERS[type]
    if lookup not in ("in", "range"):
        return read(value)
    values = [read(item.strip()) for item in value.split(",")]
    if lookup == "range" and len(values) != 2:
        raise WrongUse(f"{value!r}: a range needs two values, such as 1,5")
    return values


def _truth(value: str) -> bool:
    try:
        return _WORDS[value.lower()]
    except KeyError:
        raise WrongUse(f"{value!r} is neither true nor false") from None


def _number(value: str) -> int | float:
    try:
        return int(value)
    except ValueError:
        return float(value)


def _local(value: Any) -> Any:
    """Take a time of a commit that is given without a zone as the clock on the wall here."""
    if isinstance(value, list):
        return [_local(item) for item in value]
    return value.astimezone() if isinstance(value, datetime) and value.tzinfo is None else value


def _annotation(value: str) -> Any:
    """Read what an annotation may hold: true and false, a number, a quantity, or text."""
    if value.lower() in ("true", "false"):
        return value.lower() == "true"
    for read in (_number, _measure):
        try:
            return read(value)
        except ValueError:
            continue
    return value


def _measure(value: str) -> Any:
    try:
        float(value)
    except ValueError:
        return quantity(value, None)
    raise ValidationFailed(f"{value} has no unit; write for instance '{value} kHz' or '{value} ms'", value=value)


_READERS: dict[FieldType, Callable[[str], Any]] = {
    FieldType.TEXT: str,
    FieldType.INTEGER: _number,
    FieldType.BOOLEAN: _truth,
    FieldType.DATE: date.fromisoformat,
    FieldType.DATETIME: datetime.fromisoformat,
    FieldType.QUANTITY: _measure,
    FieldType.ARRAY: str,
    FieldType.JSON: _annotation,
    FieldType.NUMBERS: _number,
    FieldType.REF: str,
}
_NEEDED: dict[FieldType, str] = {
    FieldType.INTEGER: "a number",
    FieldType.NUMBERS: "a number",
    FieldType.DATE: "a date such as 2014-03-21",
    FieldType.DATETIME: "a date or time such as 2014-03-21T10:00",
    FieldType.QUANTITY: "a number with a unit such as '10 kHz'",
}
