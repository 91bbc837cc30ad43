"""A large array that arrives in pieces, from any number of processes at once.

A piece is one leaf of the array's hash, so the digests of all pieces together are its name, and nothing has to be read
again when the last one is there. The first digest of a piece stands, whether its sender gave it beforehand or it was
made of what came: nothing else is ever written in its place. A file beside the pieces has the digests, and says which
of the pieces are on disk.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from gnode_orm.core.arrayhash import LEAF, hash_of_leaves
from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import IntegrityError, NotFound
from gnode_orm.stores.local.durable import write_through

UPLOADS_FOLDER = "uploads"
LOCK_FILE = "lock"

# One mark and one digest for each piece; a file that was never written is all of these.
_ENTRY = 33
_MISSING, _WRITTEN, _SYNCED = b"\0", b"\1", b"\2"
_NOT_KNOWN = bytes(32)
_UNSYNCED = 32
# One sender sends a few arrays at once; what he gave up stays until somebody collects it.
_MOST = 1000


@contextmanager
def staging(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Keep what is begun in a folder of uploads from being removed; ``alone`` is for whoever begins or removes."""
    with (folder / LOCK_FILE).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


class StagedArray:
    """One array on its way: its file, and beside it the digests of its pieces, each behind a mark.

    A mark says that a piece is missing, written or synced. Syncing costs more than writing, so it is done for many
    pieces at once; a crash of the machine may spoil those that were only written, which are read again before they are
    trusted.

    Args:
        upload: how its sender calls it.
    """

    def __init__(self, folder: Path, upload: str, actor: str) -> None:
        self.upload = upload
        # Everybody sends for himself: what another sends cannot be guessed from how far it is.
        self._whose = _whose(actor)
        self._folder = folder
        self._data = folder / f"{upload}-{self._whose}.npy"
        self._marks = self._data.with_suffix(".pieces")

    @classmethod
    def called(cls, folder: Path, beginning: str, actor: str) -> list[StagedArray]:
        """Find the arrays that somebody sends, and calls by a name that begins so."""
        found = sorted(folder.glob(f"{beginning}*-{_whose(actor)}.pieces"))
        return [cls(folder, path.name.partition("-")[0], actor) for path in found]

    def prepare(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
        """Make room for the pieces, unless that was done.

        Raises:
            IntegrityError: another dtype or shape was begun by this name.
            OSError: the disk has not as much room as the array takes.
        """
        if not self._used():
            with staging(self._folder, alone=True):
                if not self._marks.exists():
                    self._make_way()
                    self._begin(ArrayRef(b"", dtype.str, shape, None))
        with self._opened() as here:
            if (here.dtype, here.shape) != (dtype, shape):
                raise IntegrityError("Another array was begun by this name")

    def _used(self) -> bool:
        """Tell whether it is begun; nobody takes it for abandoned then."""
        with staging(self._folder):
            begun = self._marks.exists()
            if begun:
                os.utime(self._marks)
            return begun

    def _make_way(self) -> None:
        """Forget what its sender left alone for longest, where he began much without an end."""
        others = list(self._folder.glob(f"*-{self._whose}.pieces"))
        if len(others) >= _MOST:
            for path in sorted(others, key=lambda path: path.stat().st_mtime_ns)[: len(others) - _MOST + 1]:
                _unlink(path, path.with_suffix(".npy"))

    def _begin(self, ref: ArrayRef) -> None:
        # Neither file takes room before pieces come, so nothing else would stop what is announced but cannot be kept.
        if ref.nbytes > shutil.disk_usage(self._folder).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._data))
        # What a crash left here may be the file of a stored array, under its second name: it is not written to.
        self._data.unlink(missing_ok=True)
        with self._data.open("xb") as file:
            dtype = npy.dtype_to_descr(np.dtype(ref.dtype))
            npy.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": ref.shape})
            file.truncate(file.tell() + ref.nbytes)
        # The marks stand last: where they are, the file is ready to take pieces.
        temporary = self._marks.with_suffix(".begun")
        with temporary.open("wb") as file:
            file.truncate(_ENTRY * piece_count(ref.nbytes))
        temporary.rename(self._marks)

    def is_of(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
        """Tell whether it is an array of a dtype and shape."""
        try:
            with self._opened() as here:
                return (here.dtype, here.shape) == (dtype, shape)
        except NotFound:
            return False

    def take(self, digests: bytes, *, begun: bool) -> bool:
        """Take the digests of all pieces, unless those of pieces that came are others.

        ``begun`` says that one has to have come: what is not begun may become another array.
        """
        with self._opened() as here, _alone(here.marks):
            every = here.read()
            known = [number for number in range(here.count) if _digest(every, number) != _NOT_KNOWN]
            if any(_digest(every, number) != digests[number * 32 : number * 32 + 32] for number in known):
                return False
            if begun and not known:
                return False
            marks = (every[at : at + 1] for at in range(0, len(every), _ENTRY))
            os.pwrite(here.marks, b"".join(m + digests[n * 32 : n * 32 + 32] for n, m in enumerate(marks)), 0)
            return True

    def named(self) -> tuple[ArrayRef, bytes]:
        """Name the array by its content when every piece is here; gives the digests too."""
        with self._opened() as here:
            every = here.read()
            digests = b"".join(_digest(every, number) for number in range(here.count))
            return ArrayRef(hash_of_leaves(here.dtype, here.shape, digests), here.dtype.str, here.shape, None), digests

    def missing(self) -> list[int]:
        """Give the numbers of the pieces that are not here."""
        with self._opened() as here:
            every = here.read()
            for number in _marked(every, _WRITTEN):
                if hashlib.sha256(here.piece(number)).digest() != _digest(every, number):
                    os.pwrite(here.marks, _MISSING, number * _ENTRY)
            missing = _marked(here.read(), _MISSING)
            if not missing:
                os.fdatasync(here.data)  # as it was not yet, where its server was killed just before
            return missing

    def keep(self, number: int, data: bytes | memoryview, digest: bytes) -> bool:
        """Keep one piece; tells whether the array is whole now.

        Raises:
            NotFound: this array was not begun, or the piece is none of it.
            IntegrityError: the piece is not what was announced, or sent before.
        """
        with self._opened() as here:
            here.check(number, len(data))
            with _alone(here.marks):
                known = _digest(here.read(), number)
                if known == _NOT_KNOWN:
                    os.pwrite(here.marks, digest, number * _ENTRY + 1)
                elif known != digest:
                    raise IntegrityError(f"Piece {number} of an array is not what was announced or sent before")
            write_through(here.data, data, here.start + number * LEAF)
            with _alone(here.marks):
                os.pwrite(here.marks, _WRITTEN, number * _ENTRY)
            every = here.read()
            written = _marked(every, _WRITTEN)
            whole = not _marked(every, _MISSING)
            if whole or len(written) >= _UNSYNCED:
                # On disk before it is marked so, that the mark can be trusted after a crash.
                os.fdatasync(here.data)
                for each in written:
                    os.pwrite(here.marks, _SYNCED, each * _ENTRY)
        return whole

    @property
    def file(self) -> Path:
        """The file with the pieces: that of the array, when every one is here."""
        return self._data

    @contextmanager
    def _opened(self) -> Iterator[_Opened]:
        with ExitStack() as files:
            yield self._open(files)

    def _open(self, files: ExitStack) -> _Opened:
        try:
            with staging(self._folder):  # so that both are of the same array
                marks = files.enter_context(self._marks.open("r+b", buffering=0))
                data = files.enter_context(self._data.open("r+b", buffering=0))
            npy.read_magic(data)
            shape, _, dtype = npy.read_array_header_1_0(data)
            here = _Opened(data.fileno(), marks.fileno(), dtype, shape, data.tell())
            if os.fstat(here.marks).st_size == _ENTRY * here.count:
                return here
        except (FileNotFoundError, ValueError):  # never begun, finished by now, or spoilt by a crash of the machine
            pass
        raise NotFound("The array is not being sent here; begin it anew")

    def forget(self) -> None:
        """Remove its files, of which nobody begins anew in between."""
        with staging(self._folder):
            _unlink(self._marks, self._data)


@dataclass(frozen=True, slots=True)
class _Opened:
    """The open files of an array on its way.

    Attributes:
        start: where its bytes begin.
    """

    data: int
    marks: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int

    @property
    def nbytes(self) -> int:
        return ArrayRef(b"", self.dtype.str, self.shape, None).nbytes

    @property
    def count(self) -> int:
        return piece_count(self.nbytes)

    def check(self, number: int, size: int) -> None:
        if not 0 <= number < self.count:
            raise NotFound(f"The array has {self.count} pieces, and none with the number {number}")
        if size != self._size(number):
            raise IntegrityError(f"Piece {number} of an array has {size} bytes, and {self._size(number)} are needed")

    def read(self) -> bytes:
        return os.pread(self.marks, _ENTRY * self.count, 0)

    def piece(self, number: int) -> bytes:
        return os.pread(self.data, self._size(number), self.start + number * LEAF)

    def _size(self, number: int) -> int:
        return min(LEAF, self.nbytes - number * LEAF)


def _unlink(marks: Path, data: Path) -> None:
    marks.unlink(missing_ok=True)
    data.unlink(missing_ok=True)


@contextmanager
def _alone(marks: int) -> Iterator[None]:
    """Let nobody else change digests or marks."""
    fcntl.flock(marks, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(marks, fcntl.LOCK_UN)


def _whose(actor: str) -> str:
    return hashlib.sha256(actor.encode()).hexdigest()[:16]


def _digest(marks: bytes, number: int) -> bytes:
    return marks[number * _ENTRY + 1 : (number + 1) * _ENTRY]


def _marked(marks: bytes, wanted: bytes) -> list[int]:
    return [number for number, mark in enumerate(marks[::_ENTRY]) if mark == wanted[0]]


def piece_count(nbytes: int) -> int:
    """How many pieces an array is sent in."""
    return -(-nbytes // LEAF)
