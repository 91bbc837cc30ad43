"""The content hash of an array: its name in every store.

SHA-256 over the dtype, the shape, and the SHA-256 digests of fixed 8 MiB leaves of the array's C-order bytes. So
equal arrays have equal names whatever their layout in memory, large ones are hashed on all cores, and a stream of
pieces gives the same name as the whole.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

LEAF = 8 * 2**20
# By so many bytes arrays are told apart before they are hashed.
_BEGINNING = 64 * 2**10
# More than cores would only take turns with whoever writes.
_THREADS = min(4, os.cpu_count() or 1)
# Fewer bytes are hashed before a thread has begun.
_WORTH_A_THREAD = 2**20


def array_hash(array: npt.NDArray[Any]) -> bytes:
    """Hash an array of any layout."""
    with ArrayHasher(array.dtype, array.shape) as hasher:
        for piece in contiguous_pieces(array):
            hasher.update(piece)
            hasher.wait()
        return hasher.digest()


def content_hash(data: bytes | memoryview, dtype: np.dtype[Any], shape: Sequence[int]) -> bytes:
    """Hash an array given as its C-order bytes."""
    if len(data) <= LEAF:
        return _top(dtype, shape, hashlib.sha256(data).digest() if len(data) else b"")
    view = memoryview(data)
    leaves = [view[start : start + LEAF] for start in range(0, len(view), LEAF)]
    return _top(dtype, shape, b"".join(_digests(leaves)))


def hash_of_leaves(dtype: np.dtype[Any], shape: Sequence[int], digests: bytes) -> bytes:
    """Hash an array given as the digests of its leaves, one after another."""
    return _top(dtype, shape, digests)


def beginning_digest(first: memoryview) -> bytes:
    """Tell how an array begins, given its first leaf: the same for equal arrays, and quickly made."""
    return hashlib.sha256(first[:_BEGINNING]).digest()[:16]


def contiguous_pieces(array: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Cut an array into C-contiguous pieces along its first axis; a contiguous one is a single piece."""
    if array.flags.c_contiguous or array.ndim == 0:
        yield np.ascontiguousarray(array).reshape(array.shape)
        return
    rows = max(1, LEAF // max(1, array.nbytes // max(1, len(array))))
    for start in range(0, len(array), rows):
        yield np.ascontiguousarray(array[start : start + rows])


def bytes_of(array: npt.NDArray[Any]) -> memoryview:
    """View the bytes of a C-contiguous array; text and other dtypes that have no buffer included."""
    if array.nbytes == 0:
        return memoryview(b"")
    return array.reshape(-1).view(np.uint8).data


class Pieces(Protocol):
    """An array that gives itself in pieces along the first axis."""

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    def chunks(self) -> Iterator[npt.NDArray[Any]]: ...


def hash_of_pieces(source: Pieces) -> bytes:
    """Hash an array without holding more than a piece of it."""
    with ArrayHasher(source.dtype, source.shape) as hasher:
        for piece in source.chunks():
            hasher.update(piece)
            hasher.wait()
        return hasher.digest()


class Begun(NamedTuple):
    """How far the hashing of an array has come.

    Attributes:
        leaves: digests of its whole leaves.
        leaf: what there is of the next one, if anything; to be copied by whoever goes on.
        filled: how many bytes this has.
    """

    leaves: bytes
    leaf: Any
    filled: int


class ArrayHasher:
    """Hashes an array that comes in pieces along its first axis, on threads of its own where that is worth it.

    Args:
        begun: what was hashed of it before the first piece.

    A piece must stay as it is until ``wait()`` or ``digest()``.
    """

    def __init__(self, dtype: np.dtype[Any], shape: Sequence[int], begun: Begun | None = None) -> None:
        self._dtype = dtype
        self._shape = tuple(shape)
        self._digests = bytearray() if begun is None else bytearray(begun.leaves)
        self._leaf = hashlib.sha256() if begun is None else begun.leaf.copy()
        self._filled = 0 if begun is None else begun.filled
        self._running: list[Future[bytes]] = []
        self._filling: Future[None] | None = None
        self._pool = ThreadPoolExecutor(_THREADS)

    def __enter__(self) -> ArrayHasher:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown()

    def update(self, piece: npt.NDArray[Any]) -> None:
        """Take the next C-contiguous piece."""
        self.take(bytes_of(piece))

    def take(self, view: memoryview) -> None:
        """Take the next bytes."""
        if self._filled:
            rest = view[: LEAF - self._filled]
            self._fill(rest)
            view = view[len(rest) :]
        whole = len(view) // LEAF * LEAF
        if whole:
            self.wait()
            leaves = [view[start : start + LEAF] for start in range(0, whole, LEAF)]
            self._running = [self._pool.submit(_digest, leaf) for leaf in leaves]
        if len(view) > whole:
            self._fill(view[whole:])

    def wait(self) -> None:
        """Let the threads finish what was given to them."""
        for leaf in self._running:
            self._digests += leaf.result()
        self._running = []
        self._wait_for_leaf()

    def _wait_for_leaf(self) -> None:
        if self._filling is not None:
            self._filling.result()
            self._filling = None

    def _fill(self, data: memoryview) -> None:
        self._wait_for_leaf()
        if len(data) < _WORTH_A_THREAD:
            self._leaf.update(data)
        else:
            self._filling = self._pool.submit(self._leaf.update, data)
        self._filled += len(data)
        if self._filled == LEAF:
            self.wait()
            self._digests += self._leaf.digest()
            self._leaf, self._filled = hashlib.sha256(), 0

    def leaves(self) -> bytes:
        """Digests of the whole leaves so far."""
        self.wait()
        return bytes(self._digests)

    def begun(self) -> Begun:
        """How far it has come, for whoever goes on from here."""
        return Begun(self.leaves(), self._leaf.copy(), self._filled)

    def digest(self) -> bytes:
        """The hash, when every piece was given."""
        return _top(self._dtype, self._shape, self.leaf_digests())

    def leaf_digests(self) -> bytes:
        """Digests of all leaves, one after another, when every piece was given."""
        return self.leaves() + (self._leaf.digest() if self._filled else b"")


def _digest(leaf: memoryview) -> bytes:
    return hashlib.sha256(leaf).digest()


def _digests(leaves: list[memoryview]) -> list[bytes]:
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(_digest, leaves))


def _top(dtype: np.dtype[Any], shape: Sequence[int], digests: bytes) -> bytes:
    return hashlib.sha256(_head(dtype, tuple(shape)) + digests).digest()


@lru_cache(maxsize=4096)
def _head(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    return f"{dtype.str} {','.join(map(str, shape)) or '-'}\n".encode()
