"""Values of query parameters, read by the type of the field that they are compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gnode_orm.core.schema import FieldSpec, FieldType
from gnode_orm.core.select import Measure
from gnode_orm.errors import ValidationFailed
from gnode_orm.server.problems import Refusal
from gnode_orm.units import unit_of
from gnode_orm.wire.kinds import default_unit
from gnode_orm.wire.parsing import read_time

_WORDS = {"true": True, "True": True, "false": False, "False": False, "None": None, "none": None, "nil": None}


def values_listed(given: list[str]) -> list[str]:
    """Give the values of a list: a parameter that comes several times, or commas in one."""
    if len(given) > 1:
        return given
    return given[0].split(",") if given[0] else []


def is_null(given: list[str]) -> bool:
    """Read the value of ``isnull``.

    Raises:
        Refusal: it is neither true nor false.
    """
    text = given[-1].strip().lower()
    if text in ("", "0", "false", "no"):
        return False
    if text in ("1", "true", "yes"):
        return True
    raise Refusal(400, f"isnull needs true or false, not {given[-1]!r}")


def value_of(kind: str, field: FieldSpec, text: str) -> Any:
    """Read a value.

    Raises:
        ValueError: it is none that the field can have.
    """
    return _READERS[field.type](kind, field, text)


def _boolean(kind: str, field: FieldSpec, text: str) -> bool:
    if text in ("0", "1"):
        return text == "1"
    value = _WORDS.get(text)
    if value is None:
        raise ValueError(f"{text!r} is neither true nor false")
    return value


def _time(kind: str, field: FieldSpec, text: str) -> Any:
    try:
        moment = read_time(text)
    except ValueError:
        raise ValidationFailed(
            f"'{text}' value has an invalid format. It must be in YYYY-MM-DD HH:MM[:ss[.uuuuuu]][TZ] format."
        ) from None
    return moment.date() if field.type is FieldType.DATE else moment


def _integer(kind: str, field: FieldSpec, text: str) -> int:
    if text in _WORDS:
        return int(bool(_WORDS[text]))
    number = int(text)
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{text} is too large")
    return number


def _measure(kind: str, field: FieldSpec, text: str) -> Measure:
    # A bare number is one in the unit that the protocol names for the field.
    number, _, unit = text.strip().partition(" ")
    return Measure(float(number), unit_of(unit).text if unit else default_unit(kind, field) or "ms")


_READERS: dict[FieldType, Callable[[str, FieldSpec, str], Any]] = {
    FieldType.TEXT: lambda kind, field, text: text,
    FieldType.INTEGER: _integer,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _time,
    FieldType.DATETIME: _time,
    FieldType.QUANTITY: _measure,
}


def means_none(text: str) -> bool:
    """Whether a text is one of those that stand for no value."""
    return text in _WORDS and _WORDS[text] is None
