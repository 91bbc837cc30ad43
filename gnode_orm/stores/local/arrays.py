"""Arrays: small ones inside the database, large ones as ``.npy`` files that are memory-mapped when read."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from gnode_orm.core.array_pieces import read_pieces
from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.errors import FormatError, NotFound
from gnode_orm.stores.local.array_rows import Part, beginnings, read_rows
from gnode_orm.stores.local.array_writing import ArrayWriter
from gnode_orm.stores.local.database import Database
from gnode_orm.stores.local.pyramid import level

_MAPPED = 128

# From this size on an overview is worth keeping extremes for.
_LONG = 2**22

Array = npt.NDArray[Any]


class Stored:
    """A stored array that was found: one piece, or a mapped file for each part."""

    def __init__(self, ref: ArrayRef, pieces: list[Array]) -> None:
        self.pieces = pieces
        self._ref = ref

    def read(self, key: Any) -> Array:
        """Give ``array[key]``, read-only, since stored arrays never change."""
        if len(self.pieces) == 1:
            part = self.pieces[0][key]
        else:
            part = read_pieces(self.pieces, self._ref.shape, np.dtype(self._ref.dtype), key)
        # One element comes without an array around it.
        part = np.asarray(part).view(np.ndarray)
        part.flags.writeable = False
        return part


class Arrays:
    """The arrays of one lab.

    Args:
        folder: where files go: ``ab/abcdef….npy``, named by the hash.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self.folder = folder
        self._database = database
        self._lock = threading.Lock()
        self._writer = ArrayWriter(database, folder, self._pieces)
        self._mapped: OrderedDict[bytes, Stored] = OrderedDict()

    def put(self, items: Sequence[tuple[ArraySource, str | None]]) -> list[ArrayRef]:
        """Store arrays that come in pieces, ahead of the commit that names them."""
        return self._writer.put(items)

    def adopt(self, file: Path, ref: ArrayRef, digests: bytes) -> None:
        """Store a whole and verified file, and the digests of its leaves; its row is on disk as in ``put``."""
        self._writer.adopt(file, ref, digests)

    def read(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[Array]:
        """Read slices; arrays that are not mapped yet are found in one step."""
        wholes = self._known([ref for ref, _ in items])
        missing = list({ref.hash: ref for ref, _ in items if ref.hash not in wholes}.values())
        if missing:
            wholes.update(self._find(missing))
        return [wholes[ref.hash].read(key) for ref, key in items]

    def _known(self, refs: Sequence[ArrayRef]) -> dict[bytes, Stored]:
        with self._lock:
            found = {ref.hash: self._mapped[ref.hash] for ref in refs if ref.hash in self._mapped}
            for hash_ in found:
                self._mapped.move_to_end(hash_)
        return found

    def read_extremes(self, ref: ArrayRef, factor: int) -> Array | None:
        """Minimum and maximum of every ``factor`` rows of a long array; ``None`` for one that is quickly read."""
        if ref.nbytes < _LONG or not ref.shape:
            return None
        whole = self._known([ref]).get(ref.hash) or self._find([ref])[ref.hash]
        return level(self._stem(ref.hash), whole.pieces, ref.shape[0], factor, partial(self._beginnings, ref.hash))

    def _beginnings(self, hash_: bytes) -> Iterator[tuple[Path, int]]:
        with self._database.read() as transaction:
            found = beginnings(transaction, hash_)
        return ((self._stem(other), rows) for other, rows in found)

    def _stem(self, hash_: bytes) -> Path:
        return self.folder / hash_.hex()[:2] / hash_.hex()

    def _find(self, refs: Sequence[ArrayRef]) -> dict[bytes, Stored]:
        with self._database.snapshot() as transaction:
            rows = read_rows(transaction, [ref.hash for ref in refs])
        found = {}
        for ref in refs:
            row = rows.get(ref.hash)
            if row is None:
                raise NotFound(f"The array {ref.hash.hex()} ({ref.type_text}) is not in the lab")
            if row.data is not None:
                array = np.frombuffer(row.data, dtype=ref.dtype).reshape(ref.shape) if row.data else _empty(ref)
                found[ref.hash] = Stored(ref, [array])
            else:
                found[ref.hash] = self._map(ref, row.parts)
        return found

    def _map(self, ref: ArrayRef, parts: Sequence[Part]) -> Stored:
        stored = Stored(ref, self._pieces(ref, parts))
        with self._lock:
            self._mapped[ref.hash] = stored
            while len(self._mapped) > _MAPPED:
                self._mapped.popitem(last=False)
        return stored

    def _pieces(self, ref: ArrayRef, parts: Sequence[Part]) -> list[Array]:
        if len(parts) == 1:
            return [self._mapped_file(ref, parts[0].file)]
        shapes = [(part.rows, *ref.shape[1:]) for part in parts]
        refs = [ArrayRef(ref.hash, ref.dtype, shape, None) for shape in shapes]
        return [self._mapped_file(piece, part.file) for piece, part in zip(refs, parts, strict=True)]

    def _mapped_file(self, ref: ArrayRef, name: str) -> Array:
        path = self.folder / name
        try:
            with path.open("rb") as file:
                offset = _read_header(file, ref, path)
            mapped: Array = np.memmap(path, dtype=ref.dtype, mode="r", offset=offset, shape=ref.shape)
        except (OSError, ValueError) as error:
            raise FormatError(f"The array file {path} cannot be read ({error}); restore it from a backup") from error
        # Base class, so that no caller meets a memmap.
        return mapped.view(np.ndarray)

    def close(self) -> None:
        """Let go of every mapped file."""
        with self._lock:
            self._mapped.clear()


def _read_header(file: BinaryIO, ref: ArrayRef, path: Path) -> int:
    npy.read_magic(file)
    shape, _, dtype = npy.read_array_header_1_0(file)
    if shape != ref.shape or dtype != np.dtype(ref.dtype):
        raise ValueError(f"it holds {dtype} {shape}, not {ref.dtype} {ref.shape}")
    return file.tell()


def _empty(ref: ArrayRef) -> Array:
    return np.empty(ref.shape, dtype=ref.dtype)
