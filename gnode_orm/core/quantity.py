"""Scalars with a unit: validation, and the columns they are kept in.

A quantity is kept as given: value, unit and dtype, never rescaled. Three columns hold it: the value as a float64, the
unit, and the SI value for comparison. What a float64 cannot say (int64, float32, NaN, -0.0, one-element arrays)
stands behind the unit as ``"ms <i8 - <base64>"``: dtype, shape, bytes.

``(0.5, "s")`` is kept as its columns until somebody reads it: making a ``quantities.Quantity`` takes longer than
everything else that is done with one field of a new object.
"""

from __future__ import annotations

import math
import re
from base64 import b64decode, b64encode
from functools import lru_cache
from typing import Any

import numpy as np
import quantities as pq

from gnode_orm.core.shortened import brief
from gnode_orm.errors import UnitError, ValidationFailed
from gnode_orm.units import Unit, unit_of, unit_of_quantity

_TEXT = re.compile(
    r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?inf|nan)"
    r"(?:\s+(\S.*?)|([^\W\d].*?|%))\s*"  # a digit begins a unit ("1/s") only behind a blank
)
_EXAMPLES = {"s": "5*pq.ms or '5 ms'", "1/s": "10*pq.kHz or '10 kHz'"}

TIME = "s"
RATE = "1/s"

Columns = tuple[float | None, str | None, float | None]
_NONE: Columns = (None, None, None)


def accept(value: Any, dimension: str | None) -> Any:
    """Validate a quantity as ``quantity`` does; ``(float, "unit")`` gives its columns alone."""
    if type(value) is tuple and len(value) == 2:
        number, text = value
        if isinstance(number, float) and type(text) is str:
            unit = _unit_in(dimension, text)
            if unit is not None and _is_plain(number):
                number = float(number)  # not the subclass of NumPy
                return number, unit.text, si_value(number, unit)
    return quantity(value, dimension)


def quantity(value: Any, dimension: str | None) -> Any:
    """Make a read-only ``quantities.Quantity`` from a quantity, ``(value, "unit")`` or ``"5 ms"``.

    Raises:
        ValidationFailed: a bare number, a wrong dimension, or not a number at all.
    """
    refuse_uncertainty(value)
    if isinstance(value, pq.Quantity):
        magnitude, unit = np.array(value), unit_of_quantity(value)
    else:
        magnitude, unit = _parts(value, dimension)
    if magnitude.dtype.kind not in "iuf":
        raise ValidationFailed(f"{_show(value)} is not a number with a unit; write {_example(dimension)}", value=value)
    check_dimension(unit, dimension, value)
    return with_unit(magnitude, unit)


def refuse_uncertainty(value: Any) -> None:
    """Refuse a quantity with an uncertainty, which no field could keep.

    Raises:
        ValidationFailed: it is one.
    """
    if isinstance(value, pq.UncertainQuantity):
        raise ValidationFailed(
            f"{value!r} would lose its uncertainty; keep value and uncertainty as two quantities", value=value
        )


def with_unit(magnitude: Any, unit: Unit) -> Any:
    """View an array as a read-only quantity without parsing or copying."""
    view: Any = np.asarray(magnitude).view(pq.Quantity)
    view._dimensionality = unit.dimensionality
    view.setflags(write=False)
    return view


@lru_cache(maxsize=1024)
def _unit_in(dimension: str | None, text: str) -> Unit | None:
    unit = unit_of(text)
    return unit if dimension is None or unit.dimension == dimension else None


def check_dimension(unit: Unit, dimension: str | None, value: Any) -> None:
    """Refuse a unit of another dimension than the field's."""
    if dimension is not None and unit.dimension != dimension:
        what = {TIME: "a time", RATE: "a rate"}.get(dimension, f"a quantity of {dimension}")
        raise UnitError(f"{_show(value)} is not {what} (unit {unit.text}); write {_example(dimension)}", value=value)


def is_before(one: Columns, other: Columns) -> bool:
    """Compare two quantities of one dimension by their columns."""
    # By their own numbers where they have one unit: SI values are rounded.
    mine, theirs = (one[0], other[0]) if one[1] == other[1] else (one[2], other[2])
    return mine is not None and theirs is not None and mine < theirs


def refuse_second_unit(value: Any, unit: str) -> None:
    """Refuse ``(5*pq.ms, "s")``, which would relabel or convert, depending on the reader.

    Raises:
        UnitError: the value has a unit of its own.
    """
    own = getattr(value, "dimensionality", None)
    if own is not None:
        raise UnitError(
            f"{_show(value)} has a unit already, and {unit!r} is given beside it; rescale the quantity, or give its "
            "magnitude",
            value=value,
        )


def si_value(value: float, unit: Unit) -> float:
    """Give the SI value that conditions compare: rounded to 15 digits, so that 0.1 ms equals 100 us."""
    si = value * unit.factor
    # A decimal of up to 15 digits is what its float64 rounds to; this finds those of up to 6 places in no time.
    if -1e9 < si < 1e9 and round(si * 1e6) / 1e6 == si:
        return si
    return float(f"{si:.15g}")


def to_columns(value: Any) -> Columns:
    """Write a quantity, or what ``accept`` gave, as its three columns."""
    if value is None:
        return _NONE
    if type(value) is tuple:
        columns: Columns = value
        return columns
    unit = unit_of_quantity(value)
    magnitude = np.asarray(value)
    if magnitude.ndim == 0 and magnitude.dtype == np.float64:
        number = float(magnitude)
        if _is_plain(number):
            return number, unit.text, si_value(number, unit)
    return _exact_columns(magnitude, unit)


def _is_plain(number: float) -> bool:
    """Whether databases keep a number as it is: all but NaN, infinity and -0.0."""
    return math.isfinite(number) and (number != 0 or math.copysign(1, number) > 0)


def from_columns(number: float | None, unit_text: str | None) -> Any:
    """Read a quantity from its first two columns."""
    if unit_text is None:
        return None
    if " " not in unit_text:
        return with_unit(np.array(number, dtype=np.float64), unit_of(unit_text))
    text, dtype, shape, data = unit_text.split(" ")
    sizes = () if shape == "-" else tuple(map(int, shape.split(",")))
    return with_unit(np.frombuffer(b64decode(data), dtype=dtype).reshape(sizes).copy(), unit_of(text))


def _exact_columns(magnitude: Any, unit: Unit) -> Columns:
    shape = ",".join(map(str, magnitude.shape)) or "-"
    data = b64encode(np.ascontiguousarray(magnitude).tobytes()).decode()
    exact = f"{unit.text} {magnitude.dtype.str} {shape} {data}"
    number = float(magnitude.reshape(-1)[0]) if magnitude.size == 1 else math.nan
    if math.isnan(number):
        return None, exact, None
    # Adding 0.0 turns -0.0 into 0.0: the sign stands in the exact text, and databases differ on it.
    si = si_value(number, unit) if math.isfinite(number) else number
    return number + 0.0, exact, si + 0.0


def _parts(value: Any, dimension: str | None) -> tuple[Any, Unit]:
    if isinstance(value, str):
        match = _TEXT.fullmatch(value)
        if match is None:
            raise ValidationFailed(
                f"{_show(value)} is not a number with a unit; write {_example(dimension)}", value=value
            )
        return np.array(float(match[1])), unit_of(match[2] or match[3])
    if isinstance(value, dict) and set(value) == {"value", "unit"}:
        value = (value["value"], value["unit"])
    if isinstance(value, tuple | list) and len(value) == 2 and isinstance(value[1], str):
        refuse_second_unit(value[0], value[1])
        return _number(value[0], value, dimension), unit_of(value[1])
    if isinstance(value, bool | int | float | np.generic | np.ndarray):
        raise ValidationFailed(f"{_show(value)} has no unit; write {_example(dimension)}", value=value)
    raise ValidationFailed(f"{_show(value)} is not a number with a unit; write {_example(dimension)}", value=value)


def _number(number: Any, value: Any, dimension: str | None) -> Any:
    if isinstance(number, str):
        try:
            number = float(number)
        except ValueError:
            raise ValidationFailed(
                f"{_show(value)} is not a number with a unit; write {_example(dimension)}", value=value
            ) from None
    return np.array(number)


def _show(value: Any) -> str:
    if isinstance(value, pq.Quantity):
        return str(value) if value.size < 4 else f"a quantity of shape {value.shape}"
    return brief(value)


def _example(dimension: str | None) -> str:
    return _EXAMPLES.get(dimension or "", "for instance 5*pq.mV or '5 mV'")
