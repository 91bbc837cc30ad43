"""Digests of an array's leaves, kept beside its file so that appending need not read the whole again; safe to lose."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np

from gnode_orm.core.arrayhash import LEAF, ArrayHasher, bytes_of
from gnode_orm.core.changes import ArrayRef
from gnode_orm.stores.local.array_files import ArrayFiles, StoredArray

_SHA256 = 32


class Leaves:
    """The digests of the whole leaves of the arrays of one lab."""

    def __init__(self, files: ArrayFiles) -> None:
        self._files = files

    def keep(self, ref: ArrayRef, digests: bytes) -> None:
        """Keep the digests of an array; not synced, since a file that a crash spoils is known by its checksum."""
        if digests:
            self._files.save(_name(ref), np.frombuffer(digests + _checksum(digests), np.uint8), synced=False)

    def known(self, ref: ArrayRef, array: StoredArray) -> bytes:
        """Give the digests of an array, made anew from the array where they were lost."""
        count = ref.nbytes // LEAF
        if count == 0:
            return b""
        if (found := self._files.load(_name(ref))) is not None:
            kept = found.tobytes()
            digests = kept[: count * _SHA256]
            if kept == digests + _checksum(digests):
                return digests
        with ArrayHasher(np.dtype(ref.dtype), ref.shape) as hasher:
            for piece in array.rows_from(0):
                hasher.update(piece)
                hasher.wait()
            return hasher.leaves()


def _name(ref: ArrayRef) -> str:
    return f"{ref.hash.hex()[:2]}/{ref.hash.hex()}.leaves.npy"


def _checksum(digests: bytes) -> bytes:
    return hashlib.sha256(digests).digest()


def bytes_from(array: StoredArray, start: int, row: int) -> Iterator[memoryview]:
    """Give the bytes of an array from a place on; ``row`` is how many each row has."""
    first, skipped = divmod(start, row)
    for piece in array.rows_from(first):
        yield bytes_of(piece)[skipped:]
        skipped = 0
