"""Arrays that are larger than memory: given piece by piece when they are written, or grown at their end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from gnode_orm.core.array_pieces import read_pieces
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import ValidationFailed
from gnode_orm.units import unit_of, unit_of_quantity

Array = npt.NDArray[Any]


class StreamedArray(ArrayHandle):
    """An array that comes in pieces along its first axis, for signals that do not fit into memory.

    ``pieces`` is a function that gives the pieces from the beginning whenever it is called: a commit that has to be
    tried again calls it again. ``shape``, ``dtype`` and ``unit`` are those of the whole; the commit checks them.
    """

    __slots__ = ("_pieces",)

    def __init__(
        self, pieces: Callable[[], Iterable[Any]], *, shape: tuple[int, ...], dtype: Any, unit: str | Any | None
    ) -> None:
        if not callable(pieces):
            raise ValidationFailed(
                f"{pieces!r} gives its pieces once; give a function that begins anew, such as lambda: read(path)",
                value=pieces,
            )
        if unit is not None:
            unit = unit_of(unit) if isinstance(unit, str) else unit_of_quantity(unit)
        super().__init__(None, unit, ref=ArrayRef(b"", np.dtype(dtype).str, tuple(map(int, shape)), None))
        self.ref = None
        self._pieces = pieces

    def chunks(self) -> Iterator[Array]:
        """Give the pieces, C-contiguous and of the dtype declared.

        Raises:
            ValidationFailed: a piece of another dtype or shape than declared, or more or less of them.
        """
        count = 0
        for piece in self._pieces():
            array = np.asarray(piece)
            if array.dtype != self.dtype or array.shape[1:] != self.shape[1:] or array.ndim != self.ndim:
                raise ValidationFailed(
                    f"a piece of dtype {array.dtype} and shape {array.shape} came for an array of dtype {self.dtype} "
                    f"and shape {self.shape}",
                    value=array.shape,
                )
            count += len(array)
            if count > self.shape[0]:
                break
            yield np.ascontiguousarray(array)
        if count != self.shape[0]:
            more = " at least" if count > self.shape[0] else ""
            raise ValidationFailed(
                f"the pieces hold{more} {count} rows, and the shape {self.shape} says {self.shape[0]}", value=count
            )

    def with_unit(self, unit: str | Any) -> ArrayHandle:
        """Relabel the same numbers with another unit."""
        return StreamedArray(self._pieces, shape=self.shape, dtype=self.dtype, unit=unit)

    def _read(self, key: Any) -> Array:
        pieces: Any = map(_Copied, self.chunks())
        values = np.asarray(read_pieces(pieces, self.shape, self.dtype, key))
        values.flags.writeable = False
        return values


class ExtendedArray(ArrayHandle):
    """An array with more at its end, as ``handle.extended(more)`` makes it. A store keeps the parts of ``base``."""

    __slots__ = ("base", "more")

    def __init__(self, base: ArrayHandle, more: ArrayHandle) -> None:
        shape = (base.shape[0] + more.shape[0], *base.shape[1:])
        super().__init__(None, base._unit, ref=ArrayRef(b"", base.dtype.str, shape, base.unit))
        self.ref = None
        self.base = base
        self.more = more

    def chunks(self) -> Iterator[Array]:
        """Give what was there, then what was appended."""
        for piece in _pieces(self):
            yield from piece.chunks()

    def with_unit(self, unit: str | Any) -> ArrayHandle:
        """Relabel the same numbers with another unit."""
        more = reduce(ExtendedArray, [piece.with_unit(unit) for piece in _pieces(self.more)])
        return ExtendedArray(self.base.with_unit(unit), more)

    def _read(self, key: Any) -> Array:
        # Handles read what is asked of them, so they stand in as pieces.
        pieces: Any = map(_Plain, _pieces(self))
        values = np.asarray(read_pieces(pieces, self.shape, self.dtype, key))
        values.flags.writeable = False
        return values


def _pieces(array: ArrayHandle) -> Iterator[ArrayHandle]:
    """Give what an array was put together from, in order, however often it grew."""
    waiting = [array]
    while waiting:
        piece = waiting.pop()
        if isinstance(piece, ExtendedArray):
            waiting += piece.more, piece.base
        else:
            yield piece


class _Copied:
    """A piece whose memory is used again for the next one."""

    def __init__(self, piece: Array) -> None:
        self._piece = piece

    def __len__(self) -> int:
        return len(self._piece)

    def __getitem__(self, key: Any) -> Array:
        return np.array(self._piece[key])


class _Plain:
    """A handle that gives its numbers without a unit."""

    def __init__(self, handle: ArrayHandle) -> None:
        self._handle = handle

    def __len__(self) -> int:
        return len(self._handle)

    def __getitem__(self, key: Any) -> Array:
        return self._handle._read(key)


def extended(base: ArrayHandle, more: ArrayHandle) -> ArrayHandle:
    """Append rows to an array.

    Raises:
        ValidationFailed: another dtype, unit or number of channels.
    """
    kinds = [(handle.dtype, handle.ndim, handle.shape[1:], handle.unit) for handle in (base, more)]
    if kinds[0] != kinds[1] or not base.shape:
        raise ValidationFailed(
            f"{more!r} cannot be appended to {base!r}: dtype, unit and the shape behind the first axis must be the "
            "same; convert it with astype and rescale first",
            value=more,
        )
    if isinstance(base, ExtendedArray):
        return ExtendedArray(base.base, ExtendedArray(base.more, more))
    return ExtendedArray(base, more)
