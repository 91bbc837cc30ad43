"""Texts of any length in HDF5 files that come from outside, read without the library.

Such a text stands in a heap of the file, and a dataset holds references to it. The library believes what a heap says of
itself: one wrong size in it, and a read never ends, or asks for all memory, while every other file waits. So heaps are
read here, each once, from bounded places, and no reference is followed out of the file. The layout is that of the HDF5
file format specification, version 3.0, section III.E (global heap) and section VIII (references to it).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np

from gnode_orm.errors import ValidationFailed
from gnode_orm.wire.hdf5_data import StoredArray
from gnode_orm.wire.hdf5_tree import Dataset

_REFERENCE = struct.Struct("<IQI")
_REFERENCE_DTYPE = np.dtype([("length", "<u4"), ("address", "<u8"), ("index", "<u4")])
_COLLECTION = struct.Struct("<4sB3xQ")
_OBJECT = struct.Struct("<HHxxxxQ")
_UNDEFINED = 2**64 - 1
_BYTES_OF_NUMBERS = 8

Reference = tuple[int, int, int]
"""Length of a text, address of the collection that it is in, and its number there."""


class Heap:
    """The texts of one file.

    Args:
        file: read here and by the library in turn.
        size: bytes of the file.
        widths: bytes that the file has for an address and for a length.
    """

    def __init__(self, file: IO[bytes], size: int, widths: tuple[int, int]) -> None:
        self._file = file
        self._size = size
        self._is_wide = set(widths) == {_BYTES_OF_NUMBERS}
        self._objects: dict[int, dict[int, tuple[int, int]]] = {}
        self._left = size

    def references(self, dataset: Dataset, count: int) -> list[Reference]:
        """Give the references that a dataset of ``count`` texts holds.

        Raises:
            ValidationFailed: they are not where they should be, or addresses have another size.
        """
        if not self._is_wide:
            raise ValidationFailed(f"{dataset.name}: addresses of {_BYTES_OF_NUMBERS} bytes are taken in an HDF5 file")
        if dataset.offset is not None:
            return list(_REFERENCE.iter_unpack(self._read(dataset.offset, count * _REFERENCE.size, dataset.name)))
        shape = (count,) if dataset.shape else ()
        pieces = StoredArray(self._file, self._size, dataset, _REFERENCE_DTYPE, shape).pieces()
        return [reference for piece in pieces for reference in piece.reshape(-1).tolist()]

    def texts(self, references: Iterable[Reference], name: str) -> Iterator[str]:
        """Give the texts that references lead to.

        Raises:
            ValidationFailed: one leads nowhere, or to what is no text.
        """
        for length, address, index in references:
            if not length or address in (0, _UNDEFINED):
                yield ""
                continue
            start, size = self._collection(address, name).get(index, (0, 0))
            if length > size:
                raise ValidationFailed(f"{name} refers to a text that is not in the file")
            yield _decoded(self._read(start, length, name), name)

    def _collection(self, address: int, name: str) -> dict[int, tuple[int, int]]:
        if address not in self._objects:
            signature, version, size = _COLLECTION.unpack(self._read(address, _COLLECTION.size, name))
            # Collections do not overlap, so that all of them together are no longer than the file.
            self._left -= size
            if (signature, version) != (b"GCOL", 1) or size < _COLLECTION.size or self._left < 0:
                raise ValidationFailed(f"{name} refers to a heap that is none")
            self._objects[address] = _objects(self._read(address, size, name), address)
        return self._objects[address]

    def _read(self, offset: int, length: int, name: str) -> bytes:
        if offset + length > self._size:
            raise ValidationFailed(f"{name} refers beyond the end of the file")
        self._file.seek(offset)
        return self._file.read(length)


def _objects(data: bytes, address: int) -> dict[int, tuple[int, int]]:
    """Where the objects of a collection stand in the file, by their number."""
    found: dict[int, tuple[int, int]] = {}
    place = _COLLECTION.size
    while place + _OBJECT.size <= len(data):
        number, _, size = _OBJECT.unpack_from(data, place)
        place += _OBJECT.size
        if number == 0 or size > len(data) - place:
            break  # what follows is free
        found[number] = address + place, size
        place += -(-size // 8) * 8
    return found


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.partition(b"\0")[0].decode()
    except UnicodeDecodeError:
        raise ValidationFailed(f"{name} holds text that is neither ASCII nor UTF-8") from None
