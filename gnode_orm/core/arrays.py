"""Array handles: arrays on entities, in memory until a commit, behind a content hash afterwards.

A handle knows the array's source and never the session, so it stays readable when a session is closed. It reads what a
slice returns and no more, and gives a ``quantities.Quantity`` where the field has a unit.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

import numpy as np
import numpy.typing as npt
import quantities as pq
from numpy.lib.mixins import NDArrayOperatorsMixin

from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.quantity import check_dimension, refuse_second_unit, refuse_uncertainty, with_unit
from gnode_orm.core.shortened import brief
from gnode_orm.errors import UnitError, ValidationFailed
from gnode_orm.units import Unit, unit_of, unit_of_quantity

_NUMBERS = "biufc"
_LABELS = "USiu"
# quantities converts units in its operators, but not in the functions of NumPy behind them.
_OPERATORS: dict[Any, Any] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.less: operator.lt,
    np.less_equal: operator.le,
    np.greater: operator.gt,
    np.greater_equal: operator.ge,
    np.equal: operator.eq,
    np.not_equal: operator.ne,
}


class ArrayReader(Protocol):
    """The part of a store that a handle needs."""

    def read_array(self, ref: ArrayRef, key: Any = ...) -> npt.NDArray[Any]: ...


class ArrayHandle(NDArrayOperatorsMixin):
    """An immutable array on an entity.

    ``handle[a:b, channels]`` and ``load()`` give a read-only Quantity (a plain array for labels) and read only what
    they return; ``numpy.asarray(handle)`` and arithmetic load the whole. ``len``, ``shape``, ``dtype``, ``ndim``,
    ``size``, ``nbytes`` and ``units`` need no read.
    """

    __slots__ = ("_array", "_reader", "ref", "shape", "dtype", "_unit", "__weakref__")

    def __init__(
        self, array: npt.NDArray[Any] | None, unit: Unit | None, *, reader: Any = None, ref: Any = None
    ) -> None:
        self._array = array
        self._unit = unit
        self._reader: ArrayReader | None = reader
        self.ref: ArrayRef | None = ref
        """Name of the stored array, or ``None`` while it is in memory alone."""
        self.shape: tuple[int, ...] = ref.shape if array is None else array.shape
        self.dtype: np.dtype[Any] = np.dtype(ref.dtype) if array is None else array.dtype

    @classmethod
    def stored(cls, reader: ArrayReader, ref: ArrayRef) -> ArrayHandle:
        """Make a handle on a stored array."""
        return cls(None, None if ref.unit is None else unit_of(ref.unit), reader=reader, ref=ref)

    @classmethod
    def in_memory(cls, array: npt.NDArray[Any], unit: Unit | None) -> ArrayHandle:
        """Make a handle that shares the memory of ``array``, read-only."""
        view = array.view(np.ndarray).view()
        view.flags.writeable = False
        return cls(view, unit)

    @property
    def units(self) -> Any:
        """The unit as a quantity of one, or ``None`` for a plain array."""
        return None if self._unit is None else pq.Quantity(1.0, self._unit.dimensionality)

    @property
    def unit(self) -> str | None:
        """The unit as text."""
        return None if self._unit is None else self._unit.text

    @property
    def dimensionality(self) -> Any:
        """The dimensionality, as on a Quantity."""
        return None if self._unit is None else self._unit.dimensionality

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.dtype.itemsize if self._array is None else self._array.nbytes

    @property
    def magnitude(self) -> npt.NDArray[Any]:
        """The whole array without its unit."""
        return self._read(...)

    def load(self) -> Any:
        """Read the whole array, as a read-only Quantity (a plain array where there is no unit)."""
        return self[...]

    def __getitem__(self, key: Any) -> Any:
        values = self._read(key)
        # One label is text, as in NumPy, and not an array without axes.
        return values[()] if self._unit is None else with_unit(values, self._unit)

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TypeError(
            f"Values on an entity are read-only: change a copy of load(), and assign it as a whole, instead of {key!r}"
        )

    if not TYPE_CHECKING:  # the checkers say themselves what a handle does not have

        def __getattr__(self, name: str) -> Any:
            loaded = "" if name.startswith("_") or not hasattr(pq.Quantity, name) else f"; load().{name} has it"
            raise AttributeError(f"An array on an entity has no {name!r}{loaded}", name=name, obj=self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("A 0-d array has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.load())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        values = self._read(...)
        if dtype is not None and np.dtype(dtype) != values.dtype:
            if copy is False:
                raise ValueError(f"An array of dtype {values.dtype} cannot be given as {dtype} without a copy")
            return values.astype(dtype)
        return values.copy() if copy else values

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if any(isinstance(item, ArrayHandle) for item in options.get("out", ())):
            raise TypeError("Arrays on entities are read-only; compute a new one and assign it")
        loaded = [item.load() if isinstance(item, ArrayHandle) else item for item in inputs]
        operation = _OPERATORS.get(ufunc)
        if operation is not None and method == "__call__" and not options:
            return operation(*loaded)
        return getattr(ufunc, method)(*loaded, **options)

    def with_unit(self, unit: str | Any) -> ArrayHandle:
        """Relabel the same numbers with another unit; nothing is read or written."""
        parsed = unit_of(unit) if isinstance(unit, str) else unit_of_quantity(unit)
        if self.ref is None:
            return ArrayHandle(self._array, parsed)
        ref = ArrayRef(self.ref.hash, self.ref.dtype, self.ref.shape, parsed.text)
        return ArrayHandle(self._array, parsed, reader=self._reader, ref=ref)

    def rescaled(self, unit: str | Any) -> ArrayHandle:
        """Convert to another unit of the same dimension, as a new array in memory.

        Raises:
            ValidationFailed: the array has no unit, or one of another dimension.
        """
        parsed = unit_of(unit) if isinstance(unit, str) else unit_of_quantity(unit)
        if self._unit is None:
            raise ValidationFailed("The array has no unit to convert from; use with_unit(...) to give it one")
        if parsed.dimension != self._unit.dimension:
            raise UnitError(
                f"An array in {self._unit.text} cannot be converted to {parsed.text}: the dimensions differ. "
                f"with_unit({parsed.text!r}) relabels the numbers instead",
                value=unit,
            )
        if parsed is self._unit:
            return self
        values = np.asarray(self.load().rescale(pq.Quantity(1.0, parsed.dimensionality)))
        return ArrayHandle.in_memory(values, parsed)

    def extended(self, more: Any) -> ArrayHandle:
        """Append rows along the first axis: ``signal.signal = signal.signal.extended(more)``.

        ``more`` is a Quantity, ``(array, "unit")`` or a handle of the same unit, dtype and channels. Nothing is read
        or written until the next commit, which stores the new rows alone and shares what was stored before.

        Raises:
            ValidationFailed: another dtype, unit or number of channels.
        """
        from gnode_orm.core.streamed import extended

        return extended(self, number_array(more, None, unit_optional=True))

    def rescale(self, unit: Any) -> Any:
        """Load and convert, as ``Quantity.rescale``."""
        return self.load().rescale(unit)

    @property
    def held(self) -> npt.NDArray[Any] | None:
        """The whole array where it stands in memory, in C order; ``None`` where it has to be read or copied."""
        return self._array if self._array is not None and self._array.flags.c_contiguous else None

    def chunks(self) -> Iterator[npt.NDArray[Any]]:
        """Give the array in C-contiguous pieces along the first axis."""
        rows = self._rows_per_chunk()
        if not self.shape or self.shape[0] <= rows:
            yield np.asarray(self._read(...), order="C")
            return
        for start in range(0, self.shape[0], rows):
            yield np.asarray(self._read(slice(start, start + rows)), order="C")

    def extremes(self, factor: int) -> npt.NDArray[Any] | None:
        """Give minimum and maximum of every ``factor`` rows, shape (2, blocks, ...), where a store keeps them."""
        read = getattr(self._reader, "read_extremes", None)
        found: npt.NDArray[Any] | None = None if read is None or self.ref is None else read(self.ref, factor)
        return found

    def overview(self, bins: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
        """Give minimum and maximum of ``bins`` bins, where a store makes them far from here."""
        read = getattr(self._reader, "read_overview", None)
        return None if read is None or self.ref is None else read(self.ref, bins)

    def descriptor(self) -> dict[str, Any]:
        """Describe the array without its values, as in ``model_dump(mode="json")``."""
        out: dict[str, Any] = {"dtype": self.dtype.str, "shape": list(self.shape), "unit": self.unit}
        if self.ref is not None:
            out["sha256"] = self.ref.hash.hex()
        return out

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.shape)) or "0-d"
        return f"<{shape} {self.dtype}{f' {self.unit}' if self.unit else ''}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # As bytes: NumPy's own pickles of arrays forget their order.
        return _restore, (self._bytes(), self.dtype.str, self.shape, self.unit)

    def __eq__(self, other: object) -> Any:
        # pydantic asks whether a value is the default; an array that is there is not, and need not be read for it.
        return False if other is None else super().__eq__(other)

    def __ne__(self, other: object) -> Any:
        return True if other is None else super().__ne__(other)

    __hash__ = None  # type: ignore[assignment]

    def _bytes(self) -> bytes:
        """Copy the whole array as its C-order bytes."""
        return (self._read(...) if self._array is None else self._array).tobytes()

    def _rows_per_chunk(self) -> int:
        row_bytes = max(1, self.nbytes // max(1, self.shape[0] if self.shape else 1))
        return int(max(1, (8 << 20) // row_bytes))

    def _read(self, key: Any) -> npt.NDArray[Any]:
        if self._array is not None:
            values = self._array[key]
        else:
            assert self._reader is not None and self.ref is not None
            values = self._reader.read_array(self.ref, key)
        values = np.asarray(values, self.dtype)  # an element alone comes in the order of bytes of the machine
        values.flags.writeable = False
        return values


def number_array(value: Any, dimension: str | None, *, unit_optional: bool = False) -> ArrayHandle:
    """Make a handle from a Quantity, ``(array, "unit")``, a handle, or anything with ``load()`` and units.

    Raises:
        ValidationFailed: no unit, a wrong dimension, or values that are not numbers.
    """
    _refuse_mask(value)
    refuse_uncertainty(value)
    if isinstance(value, ArrayHandle):
        handle = value
    elif isinstance(value, pq.Quantity):
        handle = ArrayHandle.in_memory(np.asarray(value.magnitude), unit_of_quantity(value))
    elif isinstance(value, tuple) and len(value) == 2 and isinstance(value[1], str):
        refuse_second_unit(value[0], value[1])
        handle = ArrayHandle.in_memory(_as_array(value[0]), unit_of(value[1]))
    else:
        handle = ArrayHandle.in_memory(_as_array(value), None)
    if handle.dtype.kind not in _NUMBERS:
        raise ValidationFailed(f"an array of dtype {handle.dtype} holds no numbers; numbers are needed", value=value)
    if handle._unit is not None:
        check_dimension(handle._unit, dimension, handle)
    elif not unit_optional:
        raise ValidationFailed(
            f"an array of shape {handle.shape} has no unit; write (array, 'mV') or array * pq.mV", value=value
        )
    return handle


def _as_array(value: Any, example: str = "(array, 'mV') or array * pq.mV") -> npt.NDArray[Any]:
    try:
        return np.asarray(value)
    except (TypeError, ValueError):  # NumPy tells of the shape that it looked for
        raise ValidationFailed(f"{brief(value)} is not an array; write {example}", value=value) from None


def _refuse_mask(value: Any) -> None:
    values = value[0] if isinstance(value, tuple) and value else value
    if isinstance(values, np.ma.MaskedArray):
        raise ValidationFailed("a masked array would lose its mask; fill it, for instance with NaN", value=value)


def label_array(value: Any) -> ArrayHandle:
    """Make a handle from labels: a sequence of text, or an array of text, bytes or integers.

    Raises:
        ValidationFailed: other values, or more than one axis.
    """
    if isinstance(value, ArrayHandle):
        handle = value
    else:
        array = _as_array(value, "['a', 'b']")
        handle = ArrayHandle.in_memory(array.astype("U1") if array.size == 0 and array.dtype == float else array, None)
    if handle.dtype.kind not in _LABELS:
        raise ValidationFailed(
            f"labels of dtype {handle.dtype} cannot be kept; use text, bytes or integers", value=value
        )
    if handle.ndim != 1:
        raise ValidationFailed(f"labels need one axis, not the shape {handle.shape}", value=value)
    return handle


def _restore(data: bytes, dtype: str, shape: tuple[int, ...], unit: str | None) -> ArrayHandle:
    array = np.frombuffer(data, dtype).reshape(shape)
    return ArrayHandle.in_memory(array, None if unit is None else unit_of(unit))
