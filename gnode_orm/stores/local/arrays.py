"""Arrays: small ones inside the database, large ones as ``.npy`` files that are memory-mapped when read."""

from __future__ import annotations

import os
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from gnode_orm.core.arrayhash import ArrayHasher, bytes_of
from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.errors import FormatError, NotFound, ValidationFailed
from gnode_orm.stores.local.array_rows import COLUMNS, array_row, read_rows, stored_hashes
from gnode_orm.stores.local.database import Database, Transaction

INLINE_LIMIT = 64 * 1024
_MAPPED = 128

Array = npt.NDArray[Any]


class Arrays:
    """The arrays of one lab.

    Args:
        folder: where files go: ``ab/abcdef….npy``, named by the hash.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self.folder = folder
        self._database = database
        self._lock = threading.Lock()
        self._mapped: OrderedDict[bytes, Array] = OrderedDict()

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
        hasher = ArrayHasher(source.dtype, source.shape)
        data = b"".join(bytes(bytes_of(piece)) for piece in _hashed(source, hasher))
        ref = ArrayRef(hasher.digest(), source.dtype.str, tuple(source.shape), unit)
        _check_size(ref, len(data))
        with self._database.write() as transaction:
            if not stored_hashes(transaction, [ref.hash]):
                transaction.insert("array", COLUMNS, [array_row(ref, data)])
        return ref

    def _put_file(self, source: ArraySource, unit: str | None) -> ArrayRef:
        temporary = self.folder / f"tmp-{secrets.token_hex(8)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            ref = _write_file(temporary, source, unit)
            with self._database.read() as transaction:
                known = stored_hashes(transaction, [ref.hash])
            if not known:
                self._keep(temporary, ref)
        except OSError as error:
            raise self._database.translate(error) or error from error
        finally:
            temporary.unlink(missing_ok=True)
        return ref

    def adopt(self, file: Path, ref: ArrayRef) -> None:
        """Take over a whole and verified file, unless the array is there already."""
        with self._database.read() as transaction:
            known = stored_hashes(transaction, [ref.hash])
        if not known:
            self._keep(file, ref)

    def _keep(self, temporary: Path, ref: ArrayRef) -> None:
        name = f"{ref.hash.hex()[:2]}/{ref.hash.hex()}.npy"
        final = self.folder / name
        if not final.parent.is_dir():
            final.parent.mkdir(exist_ok=True)
            _sync_folder(self.folder)
        # The file is whole and on disk before any row names it; a crash in between leaves a file and nothing else.
        try:
            os.replace(temporary, final)
        except FileNotFoundError:
            # Another process took over the same file at the same moment.
            if not final.exists():
                raise
        _sync_folder(final.parent)
        with self._database.write() as transaction:
            if not stored_hashes(transaction, [ref.hash]):
                self._register(transaction, ref, name)

    def _register(self, transaction: Transaction, ref: ArrayRef, name: str) -> None:
        transaction.insert("array", COLUMNS, [array_row(ref, None)])
        rows = ref.shape[0] if ref.shape else 1
        transaction.insert("array_part", ("array", "n", "file", "rows"), [(ref.hash, 0, name, rows)])

    def read(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[Array]:
        """Read slices; arrays that are not mapped yet are found in one statement."""
        wholes = self._known([ref for ref, _ in items])
        missing = list({ref.hash: ref for ref, _ in items if ref.hash not in wholes}.values())
        if missing:
            wholes.update(self._find(missing))
        return [_slice(wholes[ref.hash], key) for ref, key in items]

    def _known(self, refs: Sequence[ArrayRef]) -> dict[bytes, Array]:
        with self._lock:
            found = {ref.hash: self._mapped[ref.hash] for ref in refs if ref.hash in self._mapped}
            for hash_ in found:
                self._mapped.move_to_end(hash_)
        return found

    def _find(self, refs: Sequence[ArrayRef]) -> dict[bytes, Array]:
        with self._database.read() as transaction:
            rows = read_rows(transaction, [ref.hash for ref in refs])
        found = {}
        for ref in refs:
            data, file = rows.get(ref.hash, (None, None))
            if data is not None:
                found[ref.hash] = np.frombuffer(data, dtype=ref.dtype).reshape(ref.shape) if data else _empty(ref)
            elif file is not None:
                found[ref.hash] = self._map(ref, file)
            else:
                raise NotFound(f"The array {ref.hash.hex()} ({ref.type_text}) is not in the lab")
        return found

    def _map(self, ref: ArrayRef, name: str) -> Array:
        path = self.folder / name
        try:
            with path.open("rb") as file:
                offset = _read_header(file, ref, path)
            whole: Array = np.memmap(path, dtype=ref.dtype, mode="r", offset=offset, shape=ref.shape)
        except (OSError, ValueError) as error:
            raise FormatError(f"The array file {path} cannot be read ({error}); restore it from a backup") from error
        with self._lock:
            self._mapped[ref.hash] = whole
            while len(self._mapped) > _MAPPED:
                self._mapped.popitem(last=False)
        return whole

    def close(self) -> None:
        """Let go of every mapped file."""
        with self._lock:
            self._mapped.clear()


def _hashed(source: ArraySource, hasher: ArrayHasher) -> Iterator[Array]:
    for chunk in source.chunks():
        piece = np.ascontiguousarray(chunk, dtype=source.dtype).reshape(np.shape(chunk))
        hasher.update(piece)
        yield piece


def _write_file(path: Path, source: ArraySource, unit: str | None) -> ArrayRef:
    hasher = ArrayHasher(source.dtype, source.shape)
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


def _slice(whole: Array, key: Any) -> Array:
    part: Array = np.asarray(whole[key])
    # Base class, so that no caller meets a memmap; read-only, since stored arrays never change.
    part = part.view(np.ndarray)
    part.flags.writeable = False
    return part


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
