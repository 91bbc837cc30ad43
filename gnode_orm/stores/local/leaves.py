"""Digests of an array's leaves, kept beside its file so that appending need not read the whole again; safe to lose."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnode_orm.core.arrayhash import LEAF, ArrayHasher, bytes_of
from gnode_orm.core.changes import ArrayRef
from gnode_orm.stores.local.durable import replace_file

_SHA256 = 32


class Leaves:
    """The digests of the whole leaves of the arrays in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, ref: ArrayRef, digests: bytes) -> None:
        """Keep the digests of an array."""
        if digests:
            replace_file(self._path(ref), np.frombuffer(digests, np.uint8))

    def known(self, ref: ArrayRef, pieces: Iterable[npt.NDArray[Any]]) -> bytes:
        """Give the digests of an array, made anew from its pieces where they were lost."""
        count = ref.nbytes // LEAF
        if count == 0:
            return b""
        with contextlib.suppress(OSError, ValueError, EOFError):
            kept: bytes = np.load(self._path(ref)).tobytes()
            if len(kept) == count * _SHA256:
                return kept
        with ArrayHasher(np.dtype(ref.dtype), ref.shape) as hasher:
            for piece in pieces:
                hasher.update(piece)
                hasher.wait()
            return hasher.leaves()

    def _path(self, ref: ArrayRef) -> Path:
        return self._folder / ref.hash.hex()[:2] / f"{ref.hash.hex()}.leaves.npy"


def bytes_from(pieces: Iterable[npt.NDArray[Any]], start: int) -> Iterator[memoryview]:
    """Give the bytes of an array from a place on."""
    begin = 0
    for piece in pieces:
        view = bytes_of(piece)
        if begin + len(view) > start:
            yield view[max(0, start - begin) :]
        begin += len(view)
