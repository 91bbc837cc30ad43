"""Arrays: small ones in packs, large ones as ``.npy`` files in a folder or a bucket."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.errors import FormatError, NotFound
from gnode_orm.stores.local.array_files import ArrayFiles, Packed, StoredArray
from gnode_orm.stores.local.array_folder import ArrayInPieces
from gnode_orm.stores.local.array_rows import Kept, read_rows
from gnode_orm.stores.local.array_series import Part, beginnings
from gnode_orm.stores.local.array_writing import ArrayWriter
from gnode_orm.stores.local.database import Database
from gnode_orm.stores.local.pyramid import level

# So many arrays stay found, and mapped where they are in a folder.
_KEPT = 128

# From this size on an overview is worth keeping extremes for.
_LONG = 2**22

Array = npt.NDArray[Any]
T = TypeVar("T")


class Arrays:
    """The arrays of one lab.

    Args:
        files: where large ones go: ``ab/abcdef….npy``, named by the hash.
    """

    def __init__(self, database: Database, files: ArrayFiles) -> None:
        self.files = files
        self._database = database
        self._lock = threading.Lock()
        self._writer = ArrayWriter(database, files)
        self._found: OrderedDict[bytes, StoredArray] = OrderedDict()

    def put(self, items: Sequence[tuple[ArraySource, str | None]]) -> list[ArrayRef]:
        """Store arrays that come in pieces, ahead of the commit that names them."""
        return self._writer.put(items)

    def writing_ahead(self, arrays: Iterable[Array]) -> AbstractContextManager[None]:
        """Write large arrays in memory that ``put`` is likely to get inside; the others leave nothing."""
        return self._writer.writing_ahead(arrays)

    def adopt(self, file: Path, ref: ArrayRef, digests: bytes) -> None:
        """Store a whole and verified file, and the digests of its leaves; its row is on disk as in ``put``."""
        self._writer.adopt(file, ref, digests)

    def read(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[Array]:
        """Read slices; arrays that were not found before are found in one step."""
        refs = [ref for ref, _ in items]
        found = self._with_places(
            refs, lambda wholes: self.files.read_all([(wholes[ref.hash], key) for ref, key in items])
        )
        # An element alone comes in the order of bytes of the machine, and as short as its text is.
        return [np.asarray(array, ref.dtype) for array, (ref, _) in zip(found, items, strict=True)]

    def _with_places(self, refs: Sequence[ArrayRef], use: Callable[[dict[bytes, StoredArray]], T]) -> T:
        """Use arrays where they are.

        What was found before may have been removed since, and stored again in other files: then it is found anew.
        """
        known = self._known(refs)
        wanted = {ref.hash: ref for ref in refs}
        missing = [ref for hash_, ref in wanted.items() if hash_ not in known]
        try:
            return use({**known, **self._find(missing)} if missing else known)
        except FormatError:
            if not known:
                raise
        return use(self._find(list(wanted.values())))

    def _known(self, refs: Sequence[ArrayRef]) -> dict[bytes, StoredArray]:
        with self._lock:
            found = {ref.hash: self._found[ref.hash] for ref in refs if ref.hash in self._found}
            for hash_ in found:
                self._found.move_to_end(hash_)
        return found

    def read_extremes(self, ref: ArrayRef, factor: int) -> Array | None:
        """Minimum and maximum of every ``factor`` rows of a long array; ``None`` for one that is quickly read."""
        if ref.nbytes < _LONG or not ref.shape:
            return None
        beginnings_of = partial(self._beginnings, ref.hash)

        def made(wholes: dict[bytes, StoredArray]) -> Array:
            return level(self.files, _stem(ref.hash), wholes[ref.hash], ref.shape[0], factor, beginnings_of)

        return self._with_places([ref], made)

    def _beginnings(self, hash_: bytes) -> Iterator[tuple[str, int]]:
        with self._database.read() as transaction:
            found = beginnings(transaction, hash_)
        return ((_stem(other), rows) for other, rows in found)

    def _find(self, refs: Sequence[ArrayRef]) -> dict[bytes, StoredArray]:
        with self._database.snapshot() as transaction:
            rows = read_rows(transaction, [ref.hash for ref in refs])
        kept = self._with_bytes(rows)
        found: dict[bytes, StoredArray] = {}
        for ref in refs:
            row = kept.get(ref.hash)
            if row is None:
                raise NotFound(f"The array {ref.hash.hex()} ({ref.type_text}) is not in the lab")
            if isinstance(row, list):
                found[ref.hash] = self._kept(ref, row)
            else:
                found[ref.hash] = ArrayInPieces(ref, [_array_of(ref, row)])
        return found

    def _with_bytes(self, rows: dict[bytes, Kept]) -> dict[bytes, bytes | memoryview | list[Part]]:
        packed: dict[bytes, Packed] = {}
        found: dict[bytes, bytes | memoryview | list[Part]] = {}
        for hash_, row in rows.items():
            if isinstance(row, Packed):
                packed[hash_] = row
            else:
                found[hash_] = row
        found.update(zip(packed, self.files.read_packed(list(packed.values())), strict=True))
        return found

    def _kept(self, ref: ArrayRef, parts: Sequence[Part]) -> StoredArray:
        stored = self.files.stored(ref, parts)
        with self._lock:
            self._found[ref.hash] = stored
            while len(self._found) > _KEPT:
                self._found.popitem(last=False)
        return stored

    def close(self) -> None:
        """Let go of every mapped file."""
        with self._lock:
            self._found.clear()
        self.files.close()


def _stem(hash_: bytes) -> str:
    """The name of an array's file without its suffix."""
    return f"{hash_.hex()[:2]}/{hash_.hex()}"


def _array_of(ref: ArrayRef, data: bytes | memoryview) -> Array:
    if not data:
        return np.empty(ref.shape, dtype=ref.dtype)
    array: Array = np.ndarray(ref.shape, ref.dtype, data)
    # Behind arrays of another dtype it may begin where the machine does not like numbers to begin.
    return array if array.flags.aligned else array.copy()
