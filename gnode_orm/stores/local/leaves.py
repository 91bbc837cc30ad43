"""How far the hashing of stored arrays has come, so that appending need not read the whole again.

Digests of whole leaves are kept beside the file of an array, and safe to lose. The unfinished leaf of an array is known
for as long as this program runs, and else read again.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator

import numpy as np

from gnode_orm.core.arrayhash import LEAF, ArrayHasher, Begun, bytes_of
from gnode_orm.core.changes import ArrayRef
from gnode_orm.stores.local.array_files import ArrayFiles, StoredArray

_SHA256 = 32
# So many unfinished leaves are known; one takes a few hundred bytes.
_KNOWN = 1024


class Leaves:
    """The digests of the leaves of the arrays of one lab."""

    def __init__(self, files: ArrayFiles) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, Begun] = OrderedDict()

    def keep(self, ref: ArrayRef, digests: bytes) -> None:
        """Keep the digests of an array; not synced, since a file that a crash spoils is known by its checksum."""
        if digests:
            self._files.save(_name(ref), np.frombuffer(digests + _checksum(digests), np.uint8), synced=False)

    def know(self, ref: ArrayRef, begun: Begun) -> None:
        """Know how far the hashing of an array has come."""
        with self._lock:
            self._known[ref.hash] = begun
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)

    def begun(self, ref: ArrayRef, opened: Callable[[], StoredArray]) -> Begun:
        """Give how far the hashing of an array has come; what is not known is read from the array."""
        with self._lock:
            known = self._known.get(ref.hash)
        if known is not None:
            return known
        array = opened()
        digests = self._digests(ref)
        with ArrayHasher(np.dtype(ref.dtype), ref.shape, Begun(digests, hashlib.sha256(), 0)) as hasher:
            for tail in _bytes_from(array, len(digests) // _SHA256 * LEAF, ref.nbytes // ref.shape[0]):
                hasher.take(tail)
                hasher.wait()
            return hasher.begun()

    def _digests(self, ref: ArrayRef) -> bytes:
        """The digests of whole leaves that were kept; none where they were lost."""
        count = ref.nbytes // LEAF
        if count and (found := self._files.load(_name(ref))) is not None:
            kept = found.tobytes()
            digests = kept[: count * _SHA256]
            if kept == digests + _checksum(digests):
                return digests
        return b""


def _name(ref: ArrayRef) -> str:
    return f"{ref.hash.hex()[:2]}/{ref.hash.hex()}.leaves.npy"


def _checksum(digests: bytes) -> bytes:
    return hashlib.sha256(digests).digest()


def _bytes_from(array: StoredArray, start: int, row: int) -> Iterator[memoryview]:
    """Give the bytes of an array from a place on; ``row`` is how many each row has."""
    first, skipped = divmod(start, row)
    for piece in array.rows_from(first):
        yield bytes_of(piece)[skipped:]
        skipped = 0
