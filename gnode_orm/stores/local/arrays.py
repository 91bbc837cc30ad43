"""Arrays: small ones inside the database, large ones as ``.npy`` files that are memory-mapped when read."""

from __future__ import annotations

import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from gnode_orm.core.array_pieces import read_pieces
from gnode_orm.core.arrayhash import LEAF, ArrayHasher, bytes_of
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.core.streamed import ExtendedArray
from gnode_orm.errors import FormatError, NotFound, StoreUnavailable, ValidationFailed
from gnode_orm.stores.local.array_rows import COLUMNS, Part, array_row, keep_stored, read_rows, touch
from gnode_orm.stores.local.database import Database
from gnode_orm.stores.local.durable import move_into_place
from gnode_orm.stores.local.leaves import Leaves, bytes_from
from gnode_orm.stores.local.pyramid import level

INLINE_LIMIT = 64 * 1024
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
        self._leaves = Leaves(folder)
        self._mapped: OrderedDict[bytes, Stored] = OrderedDict()

    def put(self, source: ArraySource, unit: str | None) -> ArrayRef:
        """Store an array that comes in pieces; durable when this returns."""
        dtype, shape = np.dtype(source.dtype), tuple(source.shape)
        if dtype.hasobject or dtype.names:
            raise ValidationFailed(
                f"An array of dtype {dtype} cannot be stored; use numbers, text or bytes", value=dtype
            )
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        return self._put_inline(source, unit) if size <= INLINE_LIMIT else self._put_file(source, unit)

    def _put_inline(self, source: ArraySource, unit: str | None) -> ArrayRef:
        with ArrayHasher(source.dtype, source.shape) as hasher:
            data = b"".join(bytes(bytes_of(piece)) for piece in _hashed(source, hasher))
            ref = ArrayRef(hasher.digest(), source.dtype.str, tuple(source.shape), unit)
        _check_size(ref, len(data))
        with self._database.write() as transaction:
            if not touch(transaction, [ref.hash]):
                transaction.insert("array", COLUMNS, [array_row(ref, data)])
        return ref

    def _put_file(self, source: ArraySource, unit: str | None) -> ArrayRef:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            shared = self._shared(source)
            return self._append(source, shared, unit) if shared else self._write(source, unit)
        except OSError as error:
            raise self._database.translate(error) or error from error

    def _write(self, source: ArraySource, unit: str | None) -> ArrayRef:
        with self._new_file() as temporary, ArrayHasher(source.dtype, source.shape) as hasher:
            ref = _write_file(temporary, source, hasher, unit)
            if not self._knows(ref):
                self._keep_file(temporary, ref)
                self._leaves.keep(ref, hasher.leaves())
                self._register(ref, [(_name(ref), _rows_of(ref))])
        return ref

    def adopt(self, file: Path, ref: ArrayRef, digests: bytes) -> None:
        """Take over a whole and verified file, and the digests of its leaves, unless the array is there already."""
        if self._knows(ref):
            return
        try:
            self._keep_file(file, ref)
        except FileNotFoundError:
            # Another process took over the same file at the same moment.
            if not (self.folder / _name(ref)).exists():
                raise
        self._leaves.keep(ref, digests[: ref.nbytes // LEAF * 32])
        self._register(ref, [(_name(ref), _rows_of(ref))])

    def _append(self, source: Any, shared: list[Part], unit: str | None) -> ArrayRef:
        """Store the rows that were appended to a stored array in a file of their own; the files before are shared."""
        base: ArrayRef = source.base.ref
        with (
            self._new_file() as temporary,
            ArrayHasher(source.dtype, source.shape, self._leaves.known(base, self._pieces(base, shared))) as whole,
            ArrayHasher(source.more.dtype, source.more.shape) as hasher,
        ):
            for tail in bytes_from(self._pieces(base, shared), base.nbytes // LEAF * LEAF):
                whole.take(tail)
            more = _write_file(temporary, source.more, hasher, unit)
            for piece in source.more.chunks():
                whole.update(piece)
                whole.wait()
            ref = ArrayRef(whole.digest(), source.dtype.str, tuple(source.shape), unit)
            if not self._knows(ref):
                self._keep_file(temporary, more)
                self._leaves.keep(ref, whole.leaves())
                self._register(ref, [*((part.file, part.rows) for part in shared), (_name(more), _rows_of(more))])
        return ref

    def _shared(self, source: Any) -> list[Part]:
        """The files of a stored array that the source appends to."""
        base = source.base.ref if isinstance(source, ExtendedArray) else None
        if base is None or not self._knows(base):
            return []
        with self._database.read() as transaction:
            found = read_rows(transaction, [base.hash]).get(base.hash)
        return found.parts if found is not None else []

    @contextmanager
    def _new_file(self) -> Iterator[Path]:
        temporary = self.folder / f"tmp-{secrets.token_hex(8)}"
        try:
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def _knows(self, ref: ArrayRef) -> bool:
        return bool(keep_stored(self._database, [ref.hash]))

    def _keep_file(self, temporary: Path, ref: ArrayRef) -> None:
        # The file is whole and on disk before any row names it; a crash in between leaves a file and nothing else.
        # Its age counts from now, since a file that was sent in pieces may have waited for long.
        os.utime(temporary)
        move_into_place(temporary, self.folder / _name(ref))

    def _register(self, ref: ArrayRef, files: list[tuple[str, int]]) -> None:
        with self._database.write() as transaction:
            if not touch(transaction, [ref.hash]):
                self._check_files(files)
                transaction.insert("array", COLUMNS, [array_row(ref, None)])
                rows = [(ref.hash, n, name, length) for n, (name, length) in enumerate(files)]
                transaction.insert("array_part", ("array", "n", "file", "rows"), rows)

    def _check_files(self, files: list[tuple[str, int]]) -> None:
        # Files that no row names are removed by a writer, so none goes from here on.
        missing = [name for name, _ in files if not (self.folder / name).exists()]
        if missing:
            raise StoreUnavailable(f"The array file {missing[0]} was removed while it was stored; commit again")

    def read(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[Array]:
        """Read slices; arrays that are not mapped yet are found in one statement."""
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
        return level((self.folder / _name(ref)).with_suffix(""), whole.pieces, ref.shape[0], factor)

    def _find(self, refs: Sequence[ArrayRef]) -> dict[bytes, Stored]:
        with self._database.read() as transaction:
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


def _hashed(source: ArraySource, hasher: ArrayHasher) -> Iterator[Array]:
    if isinstance(source, ArrayHandle) and (held := source.held) is not None:
        # Stays in memory, so its hash may be computed while the caller writes and syncs.
        yield _given_to(hasher, held, source.dtype)
        return
    for chunk in source.chunks():
        yield _given_to(hasher, chunk, source.dtype)
        # Hashed while it was written; its owner may use the memory again for the next piece.
        hasher.wait()


def _given_to(hasher: ArrayHasher, chunk: Array, dtype: np.dtype[Any]) -> Array:
    piece = np.ascontiguousarray(chunk, dtype=dtype).reshape(np.shape(chunk))
    hasher.update(piece)
    return piece


def _write_file(path: Path, source: ArraySource, hasher: ArrayHasher, unit: str | None) -> ArrayRef:
    head = {"descr": npy.dtype_to_descr(source.dtype), "fortran_order": False, "shape": tuple(source.shape)}
    with path.open("xb") as file:
        npy.write_array_header_1_0(file, head)
        start = file.tell()
        for piece in _hashed(source, hasher):
            file.write(bytes_of(piece))
        written = file.tell() - start
        file.flush()
        os.fsync(file.fileno())
    ref = ArrayRef(hasher.digest(), source.dtype.str, tuple(source.shape), unit)
    _check_size(ref, written)
    return ref


def _check_size(ref: ArrayRef, size: int) -> None:
    if size != ref.nbytes:
        raise ValidationFailed(
            f"The pieces of an array of {ref.dtype} {ref.shape} hold {size} bytes, {ref.nbytes} are needed"
        )


def _read_header(file: BinaryIO, ref: ArrayRef, path: Path) -> int:
    npy.read_magic(file)
    shape, _, dtype = npy.read_array_header_1_0(file)
    if shape != ref.shape or dtype != np.dtype(ref.dtype):
        raise ValueError(f"it holds {dtype} {shape}, not {ref.dtype} {ref.shape}")
    return file.tell()


def _empty(ref: ArrayRef) -> Array:
    return np.empty(ref.shape, dtype=ref.dtype)


def _name(ref: ArrayRef) -> str:
    return f"{ref.hash.hex()[:2]}/{ref.hash.hex()}.npy"


def _rows_of(ref: ArrayRef) -> int:
    return ref.shape[0] if ref.shape else 1
