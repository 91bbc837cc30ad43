"""An array in a bucket: one object for each part, of which the rows that are asked for are fetched."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from gnode_orm.core.changes import ArrayRef
from gnode_orm.stores.local.array_series import Part, ends_of, rows_by_part
from gnode_orm.stores.row_runs import read_by_runs

# One second of a probe of 384 channels is 23 MB, and comes in one go.
_RUN = 32 << 20

Array = npt.NDArray[Any]


class Ranges(Protocol):
    """What gives byte ranges of objects, several at once."""

    def read_range(self, name: str, start: int, stop: int, size: int) -> memoryview: ...

    def spread(self, function: Any, items: Any) -> Any: ...


class BucketArray:
    """A stored array, read by byte ranges; nothing is read before it is asked for."""

    def __init__(self, bucket: Ranges, ref: ArrayRef, parts: Sequence[Part]) -> None:
        self._bucket = bucket
        self._dtype = np.dtype(ref.dtype)
        # One value of no axis may be a long text; it is an array of one row here.
        self._shape = ref.shape or (1,)
        self._flat = not ref.shape
        self._row = int(np.prod(self._shape[1:], dtype=object)) * self._dtype.itemsize
        self._parts = parts
        self._ends = ends_of(parts)

    def read(self, key: Any) -> Array:
        most = max(1, _RUN // self._row)
        if self._flat:
            part = np.asarray(self._fetch(0, 1)[0])[key]
        else:
            part = read_by_runs(self._fetch, self._shape, self._dtype, key, most, self._bucket.spread)
        part = np.asarray(part).view(np.ndarray)
        part.flags.writeable = False
        return part

    def rows_from(self, start: int) -> Iterator[Array]:
        most = max(1, _RUN // self._row)
        for first in range(start, self._shape[0], most):
            yield self._fetch(first, min(first + most, self._shape[0]))

    def _fetch(self, start: int, stop: int) -> Array:
        found = [self._rows(self._parts[n], low, high) for n, low, high in rows_by_part(self._ends, start, stop)]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def _rows(self, part: Part, low: int, high: int) -> Array:
        offset = _start(self._dtype, () if self._flat else (part.rows, *self._shape[1:]))
        size = offset + part.rows * self._row
        data = self._bucket.read_range(part.file, offset + low * self._row, offset + high * self._row, size)
        return np.frombuffer(data, self._dtype).reshape(high - low, *self._shape[1:])


@lru_cache(maxsize=1024)
def _start(dtype: np.dtype[Any], shape: tuple[int, ...]) -> int:
    """Where the values begin in the file of an array, which is the length of the header that was written."""
    file = io.BytesIO()
    head = {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(file, head)
    return file.tell()
