"""What a column may be compared with: each type of field takes its own values, and says what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, cast

import numpy as np
import quantities as pq

from gnode_orm.core.quantity import check_dimension, quantity
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType
from gnode_orm.core.select import Measure, Scalar
from gnode_orm.core.shortened import shortened
from gnode_orm.errors import QueryError, UnitError, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.units import unit_of_quantity

_SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def operand(start: str, spec: FieldSpec, column: str, operator: str, value: Any) -> Scalar:
    """Give a value in the form that conditions hold.

    Raises:
        QueryError: the column cannot be compared with such a value; the message says what is needed.
    """

    def refuse(needed: str) -> QueryError:
        text = f"{column} {_SIGNS.get(operator, operator)} {shown(value)}: {needed}"
        return QueryError(text, entity=SCHEMA[start].class_name, field=spec.name, value=value)

    return _OPERANDS[spec.type](spec, value, refuse)


def several(column: Any, values: Any) -> list[Any]:
    """Give the values of ``in_`` as a list.

    Raises:
        QueryError: it is a text, or no list at all.
    """
    if isinstance(values, str) or not isinstance(values, Iterable) or getattr(values, "ndim", 1) == 0:
        what = "one text" if isinstance(values, str) else type(values).__name__
        raise QueryError(f"{column}.in_({shown(values)}): a list is needed, not {what}", value=values)
    return list(values)


def shown(value: Any) -> str:
    """Give a value as a message shows it."""
    text = repr(value) if not isinstance(value, pq.Quantity) else str(value)
    return shortened(text)


_Refuse = Callable[[str], QueryError]


def _text(spec: FieldSpec, value: Any, refuse: _Refuse) -> Scalar:
    if not isinstance(value, str):
        raise refuse("text is needed")
    if "\0" in value:
        raise refuse("a store keeps no NUL character in text")
    return Location(value) if spec.name == "location" else _encodable(value, refuse)


def is_unicode(text: str) -> bool:
    """Whether a text is free of lone surrogates, which no store takes."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _encodable(value: str, refuse: _Refuse) -> str:
    if not is_unicode(value):
        raise refuse("a lone surrogate is not text")
    return str(value)


def _number(spec: FieldSpec, value: Any, refuse: _Refuse) -> Scalar:
    if isinstance(value, pq.Quantity) or not isinstance(value, int | float | np.integer | np.floating):
        raise refuse("a number is needed")
    return cast(Scalar, value.item() if isinstance(value, np.generic) else value)


def _boolean(spec: FieldSpec, value: Any, refuse: _Refuse) -> Scalar:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise refuse("True or False is needed")


def _date(spec: FieldSpec, value: Any, refuse: _Refuse) -> Scalar:
    try:
        if isinstance(value, str):
            value = date.fromisoformat(value)
    except ValueError:
        raise refuse("a date such as '2014-03-21' is needed") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise refuse("a date is needed")


def _datetime(spec: FieldSpec, value: Any, refuse: _Refuse) -> Scalar:
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
    except ValueError:
        raise refuse("a datetime such as '2014-03-21T10:00:00' is needed") from None
    if isinstance(value, datetime):
        return value
    raise refuse("a datetime is needed")


def _measure(spec: FieldSpec, value: Any, refuse: _Refuse) -> Scalar:
    if isinstance(value, str | tuple):
        try:
            value = quantity(value, spec.dimension)
        except ValidationFailed as error:
            raise refuse(str(error)) from None
    if not isinstance(value, pq.Quantity):
        example = "write 10*pq.kHz" if spec.dimension == "1/s" else "write 10*pq.ms"
        raise refuse(f"{shown(value)} has no unit; {example}, column on the left")
    if value.size != 1:
        raise refuse("a single value is needed")
    unit = unit_of_quantity(value)
    try:
        check_dimension(unit, spec.dimension, value)
    except UnitError as error:
        raise refuse(str(error)) from None
    return Measure(float(np.asarray(value).reshape(-1)[0]), unit.text)


def _json(spec: FieldSpec, value: Any, refuse: _Refuse) -> Scalar:
    if isinstance(value, pq.Quantity):
        return _measure(spec, value, refuse)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return _encodable(value, refuse)
    if isinstance(value, bool | int | float | datetime | date):
        return value
    raise refuse("text, a number, a date, True, False or a quantity is needed")


def _array(spec: FieldSpec, value: Any, refuse: _Refuse) -> Scalar:
    raise refuse("an array cannot be compared in a query; only is_null() can be asked of it")


_OPERANDS: dict[FieldType, Callable[[FieldSpec, Any, _Refuse], Scalar]] = {
    FieldType.TEXT: _text,
    FieldType.INTEGER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
    FieldType.QUANTITY: _measure,
    FieldType.JSON: _json,
    FieldType.NUMBERS: _number,
    FieldType.ARRAY: _array,
}
