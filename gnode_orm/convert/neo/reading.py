"""The field values of one neo object. Nothing is copied: arrays share memory with the object."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import quantities as pq

from gnode_orm.convert.neo.refusal import refuse
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.quantity import with_unit
from gnode_orm.errors import UnitError, ValidationFailed
from gnode_orm.units import Unit, unit_of_quantity

Accept = Callable[[Any], Any]


class Reading:
    """The values that a model's fields get, and what goes into ``ext`` because no field can hold it.

    Attributes:
        values: field -> value.
        exact: field -> value that the field refuses; the field gets ``None`` then.
        entries: further entries of ``ext``.
    """

    def __init__(self, native: Any, path: str) -> None:
        self.native = native
        self.path = path
        self.values: dict[str, Any] = {}
        self.exact: dict[str, Any] = {}
        self.entries: dict[str, Any] = {}

    def text(self, *names: str) -> None:
        """Take texts; ``numpy.str_`` becomes ``str``."""
        for name in names:
            value = getattr(self.native, name)
            if isinstance(value, os.PathLike):
                value = os.fspath(value)
            if value is not None and not isinstance(value, str):
                raise refuse(self.path, f"{value!r} is not text", field=name, value=value)
            self.values[name] = None if value is None else str(value)

    def moment(self, field: str, value: Any) -> None:
        """Take a date with time; no other type is turned into one. One in a zone with a name is also kept exactly."""
        if value is not None and type(value) is not datetime:
            raise refuse(self.path, f"{value!r} is not a datetime.datetime", field=field, value=value)
        if value is not None and (value.fold or isinstance(value.tzinfo, ZoneInfo)):
            self.exact[field] = value
            # Two equal times on the night of a change of clocks compare unequal by their zone.
            value = datetime.fromisoformat(value.isoformat())
        self.values[field] = value

    def index(self) -> None:
        """Take an index; one of another integer type is also kept exactly."""
        value = self.native.index
        if isinstance(value, np.integer):
            self.exact["index"] = value
            value = int(value)
        if value is not None and type(value) is not int:
            raise refuse(self.path, f"{value!r} is not an integer", field="index", value=value)
        self.values["index"] = value

    def scalar(self, name: str, accept: Accept, value: Any, *, always: bool = False) -> None:
        """Take a quantity as it is, or keep exactly what the field refuses.

        ``always`` says that neo has a default of its own, so that ``None`` must be kept too.
        """
        self.values[name] = None
        if isinstance(value, pq.Quantity) and value.size == 1:
            try:
                self.values[name] = accept(value)
                return
            except ValidationFailed:
                pass
        if value is not None or always:
            self.exact[name] = value

    def array(self, name: str, array: Any, unit: Unit | None) -> None:
        """Take an array without copying it."""
        self.values[name] = ArrayHandle.in_memory(array, unit)

    def one_axis(self, name: str, values: Any) -> None:
        """Take a quantity array of one axis."""
        if not isinstance(values, pq.Quantity):
            raise refuse(self.path, f"{values!r} has no unit", field=name, value=values)
        if values.ndim != 1:
            raise refuse(self.path, f"one axis is needed, not the shape {values.shape}", field=name, value=values)
        self.array(name, values.magnitude, self.unit_of(values, name))

    def single_time(self) -> Any:
        """Give the time of an object that has one alone.

        Raises:
            ValidationFailed: it has another number of times.
        """
        if self.native.shape != (1,):
            raise refuse(
                self.path,
                f"{self.native.size} times do not fit an object of a single time; use the kind of arrays",
                field="time",
                value=self.native,
            )
        return self.first(self.native, "time")

    def first(self, values: Any, name: str) -> Any:
        """Give the first of some values as a scalar quantity."""
        return with_unit(np.array(values.magnitude[0]), self.unit_of(values, name))

    def unit_of(self, values: Any, name: str) -> Unit:
        """Give the unit of a quantity.

        Raises:
            UnitError: its text would lose its scale.
        """
        if isinstance(values, pq.UncertainQuantity):
            raise refuse(self.path, f"{values!r} would lose its uncertainty", field=name, value=values)
        try:
            return unit_of_quantity(values)
        except UnitError as error:
            raise UnitError(
                f"{self.path}.{name}: {error}", field=name, value=values, errors=[(f"{self.path}.{name}", str(error))]
            ) from None


def read_container(native: Any, path: str) -> Reading:
    """Read a block or a segment."""
    reading = common(native, path)
    reading.moment("filedatetime", native.file_datetime)
    reading.moment("rec_datetime", native.rec_datetime)
    reading.index()
    return reading


def read_group(native: Any, path: str) -> Reading:
    """Read a group or a view."""
    return common(native, path)


def common(native: Any, path: str) -> Reading:
    """Read what all neo objects have."""
    reading = Reading(native, path)
    reading.text("name", "description", "file_origin")
    reading.values["annotations"] = native.annotations
    return reading
