"""Arrays on their way to a server: hashed first, then sent in pieces, several at once, each tried again by itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from gnode_orm.core.arrayhash import LEAF, ArrayHasher, bytes_of
from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.errors import StoreUnavailable, ValidationFailed
from gnode_orm.stores.rest.connection import Connection, json_of
from gnode_orm.wire import frames

PARALLEL = 2
_BATCH = 16 << 20
_BINARY = "application/octet-stream"


class Sender:
    """Sends arrays to one server."""

    def __init__(self, connection: Connection, prefix: str, inline_limit: int) -> None:
        self._connection = connection
        self._prefix = prefix
        self._inline_limit = inline_limit

    def put(self, source: ArraySource, unit: str | None) -> ArrayRef:
        """Send an array, or what is missing of it there."""
        dtype, shape = np.dtype(source.dtype), tuple(source.shape)
        if dtype.hasobject or dtype.names:
            raise ValidationFailed(
                f"An array of dtype {dtype} cannot be stored; use numbers, text or bytes", value=dtype
            )
        size = 0
        with ArrayHasher(dtype, shape) as hasher:
            for piece in _contiguous(source):
                hasher.update(piece)
                size += piece.nbytes
                hasher.wait()  # its owner may use the memory again for the next piece
            ref = ArrayRef(hasher.digest(), dtype.str, shape, unit)
        if size != ref.nbytes:
            raise ValidationFailed(
                f"The pieces of an array of {ref.dtype} {ref.shape} hold {size} bytes, {ref.nbytes} are needed"
            )
        if ref.nbytes <= self._inline_limit:
            self.put_small([(ref, b"".join(bytes(bytes_of(piece)) for piece in _contiguous(source)))])
        else:
            self._put_large(source, ref, hasher.leaf_digests())
        return ref

    def put_small(self, arrays: Sequence[tuple[ArrayRef, bytes]]) -> None:
        """Send many small arrays, some MiB in each request."""
        for batch in _batches(arrays):
            message = {"arrays": [[ref.hash.hex(), ref.dtype, ref.shape] for ref, _ in batch]}
            body = frames.pack(message, (data for _, data in batch))
            self._connection.exchange("POST", f"{self._prefix}/arrays/small", _nothing, body, frames.CONTENT_TYPE)

    def _put_large(self, source: ArraySource, ref: ArrayRef, digests: bytes) -> None:
        missing = self._announce(ref, digests)
        if not missing:
            return
        with ThreadPoolExecutor(PARALLEL) as pool:
            whole = self._put_pieces(pool, source, ref, set(missing))
        left = [] if whole else self._announce(ref, digests)
        if left:
            raise StoreUnavailable(
                f"{len(left)} pieces of an array did not arrive; commit again, and only these are sent"
            )

    def _announce(self, ref: ArrayRef, digests: bytes) -> list[int]:
        message = {"hash": ref.hash.hex(), "dtype": ref.dtype, "shape": ref.shape, "digests": digests.hex()}
        missing: list[int] = self._connection.call(f"{self._prefix}/arrays/begin", message)["missing"]
        return missing

    def _put_pieces(self, pool: ThreadPoolExecutor, source: ArraySource, ref: ArrayRef, missing: set[int]) -> bool:
        """Send some pieces; tells whether the server had the whole array after one of them."""
        # No more pieces are cut than can be sent, so that memory does not grow with the array.
        free, failed = threading.BoundedSemaphore(PARALLEL), threading.Event()
        sent: list[Future[bool]] = []

        def finished(item: Future[bool]) -> None:
            if item.exception() is not None:
                failed.set()
            free.release()

        for number, data in enumerate(_leaves(source)):
            if number not in missing:
                continue
            free.acquire()
            if failed.is_set():
                break
            sent.append(pool.submit(self._put_piece, ref, number, data))
            sent[-1].add_done_callback(finished)
        answers = [item.result() for item in sent]  # every one, so that no failure is passed over
        return any(answers)

    def _put_piece(self, ref: ArrayRef, number: int, data: Any) -> bool:
        shape = ",".join(map(str, ref.shape))
        path = f"{self._prefix}/arrays/{ref.hash.hex()}/{number}?dtype={_quoted(ref.dtype)}&shape={shape}"
        return self._connection.exchange("PUT", path, lambda answer: bool(json_of(answer)["whole"]), data, _BINARY)


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _nothing(answer: Any) -> None:
    """There is nothing to read in the answer."""


def _batches(arrays: Sequence[tuple[ArrayRef, bytes]]) -> Iterator[list[tuple[ArrayRef, bytes]]]:
    batch: list[tuple[ArrayRef, bytes]] = []
    size = 0
    for item in arrays:
        if batch and size + len(item[1]) > _BATCH:
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += len(item[1])
    if batch:
        yield batch


def _contiguous(source: ArraySource) -> Iterator[np.ndarray[Any, Any]]:
    for chunk in source.chunks():
        yield np.ascontiguousarray(chunk, dtype=source.dtype).reshape(np.shape(chunk))


def _leaves(source: ArraySource) -> Iterator[memoryview]:
    """Cut the bytes of an array into the leaves of its hash; a copy is made only where a piece ends within one."""
    rest = bytearray()
    for chunk in _contiguous(source):
        view = bytes_of(chunk)
        if rest:
            taken = view[: LEAF - len(rest)]
            rest += taken
            view = view[len(taken) :]
            if len(rest) < LEAF:
                continue
            yield memoryview(rest)
            rest = bytearray()
        while len(view) >= LEAF:
            yield view[:LEAF]
            view = view[LEAF:]
        rest = bytearray(view)
    if rest:
        yield memoryview(rest)
