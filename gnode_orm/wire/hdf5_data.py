"""The data of HDF5 files that come from outside, read from the places that the library names, without the library.

The library is made for files that can be trusted: a changed number in a filter or a layout lets it read and write
beyond its memory, and the process ends. So it is asked where data stand, and nothing else; the bytes are read, checked
and unpacked here, where no number leads out of the file or beyond the size that was granted.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from itertools import product
from math import prod
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from gnode_orm.errors import ValidationFailed
from gnode_orm.wire.hdf5_tree import Dataset

DEFLATE, SHUFFLE, CHECKSUM = 1, 2, 3
_PIECE, _BAND = 8 << 20, 128 << 20
_CHECKSUM_BYTES = 4
_MODULUS = 65535

Place = tuple[int, int, int]
"""Where a chunk stands: offset in the file, bytes, and a bit for each filter that was not used."""


class StoredArray:
    """One dataset, read in pieces along its first axis.

    Args:
        file: read here and by the library in turn.
        size: bytes of the file.
        dtype: what one element is; nothing is converted.
    """

    def __init__(
        self, file: IO[bytes], size: int, dataset: Dataset, dtype: np.dtype[Any], shape: tuple[int, ...]
    ) -> None:
        self._file = file
        self._size = size
        self._name = dataset.name
        self.dtype = dtype
        self.shape = shape
        self._dataset = dataset

    def pieces(self) -> Iterator[npt.NDArray[Any]]:
        """Give the array in pieces.

        Raises:
            ValidationFailed: data that are not where they should be, or cannot be unpacked.
        """
        import h5py

        if 0 in self.shape:
            yield np.empty(self.shape, self.dtype)
        elif self._dataset.offset is not None or (layout := self._dataset.plan.get_layout()) == h5py.h5d.CONTIGUOUS:
            yield from self._contiguous()
        elif layout == h5py.h5d.CHUNKED:
            yield from self._chunked()
        else:
            raise ValidationFailed(f"{self._name} keeps its data in its header; write it in chunks or in one piece")

    def _contiguous(self) -> Iterator[npt.NDArray[Any]]:
        offset = self._dataset.offset
        row_shape = self.shape[1:]
        row = prod(row_shape) * self.dtype.itemsize
        count = self.shape[0] if self.shape else 1
        for start in range(0, count, rows := max(1, _PIECE // row)):
            taken = min(rows, count - start)
            shape = (taken, *row_shape) if self.shape else ()
            if offset is None:
                yield self._gap(shape)
            else:
                data = self._read(offset + start * row, taken * row)
                yield np.frombuffer(data, self.dtype).reshape(shape)

    def _chunked(self) -> Iterator[npt.NDArray[Any]]:
        chunk = self._dataset.chunks
        assert chunk is not None
        places = self._places(chunk)
        row = prod(self.shape[1:]) * self.dtype.itemsize
        for start in range(0, self.shape[0], chunk[0]):
            end = min(start + chunk[0], self.shape[0])
            # Chunks as long as the array would bring all of it into memory: those are unpacked more than once.
            for low in range(start, end, rows := max(1, _BAND // row)):
                yield self._band(range(low, min(low + rows, end)), chunk, places)

    def _band(self, rows: range, chunk: tuple[int, ...], places: dict[tuple[int, ...], Place]) -> npt.NDArray[Any]:
        """Rows of all chunks that begin at one row."""
        start = rows.start // chunk[0] * chunk[0]
        taken = slice(rows.start - start, rows.stop - start)
        band = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for corner in product(*(range(0, n, step) for n, step in zip(self.shape[1:], chunk[1:], strict=True))):
            part = band[(slice(None), *(slice(at, at + step) for at, step in zip(corner, chunk[1:], strict=True)))]
            place = places.get((start, *corner))
            whole = self._gap(chunk) if place is None else self._unpacked(place, chunk)
            part[...] = whole[(taken, *(slice(0, n) for n in part.shape[1:]))]
        return band

    def _places(self, chunk: tuple[int, ...]) -> dict[tuple[int, ...], Place]:
        # A chunk has an entry of eight bytes or more in the file; what claims more of them than that has none.
        number = prod(-(-n // step) for n, step in zip(self.shape, chunk, strict=True))
        if number > max(1, self._size // 8):
            raise ValidationFailed(f"{self._name} claims {number} chunks in a file of {self._size} bytes")
        found: dict[tuple[int, ...], Place] = {}

        def note(info: Any) -> None:
            found[tuple(info.chunk_offset)] = info.byte_offset, info.size, info.filter_mask

        self._dataset.id.chunk_iter(note)
        return found

    def _unpacked(self, place: Place, chunk: tuple[int, ...]) -> npt.NDArray[Any]:
        offset, size, unused = place
        wanted = prod(chunk) * self.dtype.itemsize
        data = self._read(offset, size)
        for number in reversed(range(self._dataset.plan.get_nfilters())):
            if not unused >> number & 1:
                data = self._unfiltered(self._dataset.plan.get_filter(number)[0], data, wanted)
        if len(data) != wanted:
            raise ValidationFailed(f"{self._name}: a chunk unpacks to {len(data)} bytes, not {wanted}")
        return np.frombuffer(data, self.dtype).reshape(chunk)

    def _unfiltered(self, kind: int, data: bytes, wanted: int) -> bytes:
        if kind == DEFLATE:
            return self._inflated(data, wanted + _CHECKSUM_BYTES)
        if kind == SHUFFLE:
            return _unshuffled(data, self.dtype.itemsize)
        if kind == CHECKSUM and _fits(data):
            return data[:-_CHECKSUM_BYTES]
        raise ValidationFailed(f"{self._name}: the checksum of a chunk is wrong")

    def _inflated(self, data: bytes, limit: int) -> bytes:
        try:
            return zlib.decompressobj().decompress(data, limit)
        except zlib.error as error:
            raise ValidationFailed(f"{self._name}: a chunk cannot be unpacked ({error})") from None

    def _gap(self, shape: tuple[int, ...]) -> npt.NDArray[Any]:
        import h5py

        if self._dataset.plan.fill_value_defined() == h5py.h5d.FILL_VALUE_USER_DEFINED:
            raise ValidationFailed(f"{self._name} has gaps for a value of its own; write every element")
        return np.zeros(shape, self.dtype)

    def _read(self, offset: int, length: int) -> bytes:
        if offset + length > self._size:
            raise ValidationFailed(f"{self._name} is said to stand beyond the end of the file")
        self._file.seek(offset)
        return self._file.read(length)


def _unshuffled(data: bytes, width: int) -> bytes:
    """Put the bytes of each element together again; what is left over at the end was not shuffled."""
    count = len(data) // width
    whole = np.frombuffer(data, np.uint8, count * width).reshape(width, count)
    return whole.T.tobytes() + data[count * width :]


def _fits(data: bytes) -> bool:
    """Tell whether the checksum at the end is that of the data before: Fletcher's, over words of 16 bits."""
    body, told = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if len(told) < _CHECKSUM_BYTES:
        return False
    words = np.frombuffer(body + b"\0" * (len(body) % 2), ">u2").astype(np.int64)
    weights = np.arange(len(words), 0, -1, dtype=np.int64) % _MODULUS
    sums = int(words.sum()) % _MODULUS, int((words * weights % _MODULUS).sum()) % _MODULUS
    low, high = int.from_bytes(told[:2], "little"), int.from_bytes(told[2:], "little")
    return (low % _MODULUS, high % _MODULUS) == sums
