"""A large array that arrives in pieces, from any number of processes at once.

A piece is one leaf of the array's hash. The sender gives the digests of all leaves first, which together are the hash;
so each piece is verified when it arrives, and nothing has to be read again when the last one is there. A file beside
the pieces says which of them are on disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from gnode_orm.core.arrayhash import LEAF, hash_of_leaves
from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import IntegrityError, NotFound
from gnode_orm.stores.local.durable import write_through

UPLOADS_FOLDER = "uploads"
LOCK_FILE = "lock"

# One mark and one digest for each piece.
_ENTRY = 33
_MISSING, _WRITTEN, _SYNCED = b"\0", b"\1", b"\2"
_UNSYNCED = 32


@contextmanager
def staging(folder: Path, *, alone: bool = False) -> Iterator[None]:
    """Keep what is begun in a folder of uploads from being removed; ``alone`` is for whoever removes."""
    with (folder / LOCK_FILE).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield


class StagedArray:
    """One array on its way: its file, and beside it the digests of its pieces, each behind a mark.

    A mark says that a piece is missing, written or synced. Syncing costs more than writing, so it is done for many
    pieces at once; a crash of the machine may spoil those that were only written, which are read again before they are
    trusted.
    """

    def __init__(self, folder: Path, ref: ArrayRef, actor: str) -> None:
        # Everybody sends for himself: what another sends cannot be guessed from how far it is.
        whose = hashlib.sha256(actor.encode()).hexdigest()[:16]
        self.ref = ref
        self.data = folder / f"{ref.hash.hex()}-{whose}.npy"
        self.marks = folder / f"{ref.hash.hex()}-{whose}.pieces"

    def begun(self) -> bool:
        """Whether its digests are here."""
        return self.marks.exists()

    def prepare(self, digests: bytes) -> None:
        """Make room for the pieces, unless that was done."""
        with staging(self.marks.parent):
            if self.begun():
                os.utime(self.marks)  # in use again, so nobody takes it for abandoned
            else:
                self._begin(digests)

    def _begin(self, digests: bytes) -> None:
        temporary = self.marks.with_suffix(f".{os.getpid()}-{os.urandom(4).hex()}")
        with temporary.open("xb") as file:
            file.write(b"".join(_MISSING + digests[at : at + 32] for at in range(0, len(digests), 32)))
        with open(os.open(self.data, os.O_CREAT | os.O_RDWR, 0o666), "r+b") as file:
            dtype = npy.dtype_to_descr(np.dtype(self.ref.dtype))
            npy.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": self.ref.shape})
            file.truncate(file.tell() + self.ref.nbytes)
        # The marks stand last: where they are, the file is ready to take pieces.
        try:
            os.link(temporary, self.marks)
        except FileExistsError:
            pass  # another process began at the same moment, with the same digests
        finally:
            temporary.unlink()

    def digests(self) -> bytes:
        """Give the digests of all pieces."""
        return _digests(self.marks.read_bytes())

    def missing(self) -> list[int]:
        """Give the numbers of the pieces that are not here."""
        with self._open(self.marks) as marks, self._open(self.data) as data:
            every = self._read(marks)
            for number in _marked(every, _WRITTEN):
                if hashlib.sha256(self._piece(data, number)).digest() != _digest(every, number):
                    os.pwrite(marks, _MISSING, number * _ENTRY)
            return _marked(self._read(marks), _MISSING)

    def keep(self, number: int, data: bytes | memoryview) -> bool:
        """Keep one piece; tells whether the array is whole now.

        Raises:
            NotFound: this array was not begun, or the piece is none of it.
            IntegrityError: the piece is not what was announced.
        """
        count = piece_count(self.ref)
        if not 0 <= number < count:
            raise NotFound(f"The array {self.ref.hash.hex()} has {count} pieces, and none with the number {number}")
        with self._open(self.marks) as marks, self._open(self.data) as file:
            expected = self._read(marks)
            if hash_of_leaves(np.dtype(self.ref.dtype), self.ref.shape, _digests(expected)) != self.ref.hash:
                raise NotFound(f"An array {self.ref.hash.hex()} of this dtype and shape was not begun")
            if len(data) != piece_size(self.ref, number) or hashlib.sha256(data).digest() != _digest(expected, number):
                raise IntegrityError(f"Piece {number} of the array {self.ref.hash.hex()} is not what was announced")
            write_through(file, data, self._start(file, number))
            os.pwrite(marks, _WRITTEN, number * _ENTRY)
            every = self._read(marks)
            written = _marked(every, _WRITTEN)
            whole = not _marked(every, _MISSING)
            if whole or len(written) >= _UNSYNCED:
                # On disk before it is marked so, that the mark can be trusted after a crash.
                os.fdatasync(file)
                for each in written:
                    os.pwrite(marks, _SYNCED, each * _ENTRY)
        return whole

    def _read(self, marks: int) -> bytes:
        return os.pread(marks, _ENTRY * piece_count(self.ref), 0)

    def _start(self, file: int, number: int) -> int:
        return os.fstat(file).st_size - self.ref.nbytes + number * LEAF

    def _piece(self, file: int, number: int) -> bytes:
        return os.pread(file, piece_size(self.ref, number), self._start(file, number))

    @contextmanager
    def _open(self, path: Path) -> Iterator[int]:
        file = os.open(path, os.O_RDWR)
        try:
            yield file
        finally:
            os.close(file)

    def forget(self) -> None:
        """Remove its files."""
        self.marks.unlink(missing_ok=True)
        self.data.unlink(missing_ok=True)


def _digest(marks: bytes, number: int) -> bytes:
    return marks[number * _ENTRY + 1 : (number + 1) * _ENTRY]


def _digests(marks: bytes) -> bytes:
    return b"".join(_digest(marks, number) for number in range(len(marks) // _ENTRY))


def _marked(marks: bytes, wanted: bytes) -> list[int]:
    return [number for number, mark in enumerate(marks[::_ENTRY]) if mark == wanted[0]]


def piece_count(ref: ArrayRef) -> int:
    """How many pieces an array is sent in."""
    return -(-ref.nbytes // LEAF)


def piece_size(ref: ArrayRef, number: int) -> int:
    """How many bytes one piece has."""
    return min(LEAF, ref.nbytes - number * LEAF)
