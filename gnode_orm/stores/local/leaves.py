"""Digests of an array's leaves, kept beside its file so that appending need not read the whole again; safe to lose."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnode_orm.core.arrayhash import LEAF, ArrayHasher, bytes_of
from gnode_orm.core.changes import ArrayRef
from gnode_orm.stores.local.durable import write_beside

_SHA256 = 32


class Leaves:
    """The digests of the whole leaves of the arrays in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, ref: ArrayRef, digests: bytes) -> None:
        """Keep the digests of an array; not synced, since a file that a crash spoils is known by its checksum."""
        if digests:
            write_beside(self._path(ref), np.frombuffer(digests + _checksum(digests), np.uint8))

    def known(self, ref: ArrayRef, pieces: Iterable[npt.NDArray[Any]]) -> bytes:
        """Give the digests of an array, made anew from its pieces where they were lost."""
        count = ref.nbytes // LEAF
        if count == 0:
            return b""
        with contextlib.suppress(OSError, ValueError, EOFError):
            kept: bytes = np.load(self._path(ref)).tobytes()
            digests = kept[: count * _SHA256]
            if kept == digests + _checksum(digests):
                return digests
        with ArrayHasher(np.dtype(ref.dtype), ref.shape) as hasher:
            for piece in pieces:
                hasher.update(piece)
                hasher.wait()
            return hasher.leaves()

    def _path(self, ref: ArrayRef) -> Path:
        return self._folder / ref.hash.hex()[:2] / f"{ref.hash.hex()}.leaves.npy"


def _checksum(digests: bytes) -> bytes:
    return hashlib.sha256(digests).digest()


def bytes_from(pieces: Iterable[npt.NDArray[Any]], start: int) -> Iterator[memoryview]:
    """Give the bytes of an array from a place on."""
    begin = 0
    for piece in pieces:
        view = bytes_of(piece)
        if begin + len(view) > start:
            yield view[max(0, start - begin) :]
        begin += len(view)
