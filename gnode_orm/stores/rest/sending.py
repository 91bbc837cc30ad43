"""Arrays on their way to a server: hashed first, then sent in pieces, several at once, each tried again by itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from gnode_orm.core.arrayhash import LEAF, ArrayHasher, bytes_of, contiguous_pieces
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.errors import StoreUnavailable, ValidationFailed
from gnode_orm.stores.rest.connection import Connection, json_of
from gnode_orm.wire import frames

PARALLEL = 2
_BATCH = 16 << 20
_BINARY = "application/octet-stream"


class _Lanes:
    """Threads that send pieces; no more are taken than can be sent, so that memory does not grow with the array."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(PARALLEL)
        self._free = threading.BoundedSemaphore(PARALLEL)
        self.failed = threading.Event()

    def send(self, work: Callable[[], bool]) -> Future[bool]:
        """Wait for a free thread and let it work."""
        self._free.acquire()
        sent = self._pool.submit(work)
        sent.add_done_callback(self._finished)
        return sent

    def _finished(self, sent: Future[bool]) -> None:
        if sent.exception() is not None:
            self.failed.set()
        self._free.release()

    def __enter__(self) -> _Lanes:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown()


@dataclass(frozen=True)
class _Sent:
    """An array whose pieces are on their way; each tells whether the server had the whole array after it."""

    ref: ArrayRef
    digests: bytes
    pieces: list[Future[bool]]


class Sender:
    """Sends arrays to one server."""

    def __init__(self, connection: Connection, prefix: str, inline_limit: int) -> None:
        self._connection = connection
        self._prefix = prefix
        self._inline_limit = inline_limit

    def put(self, items: Sequence[tuple[ArraySource, str | None]]) -> list[ArrayRef]:
        """Send arrays with their units, or what is missing of them there; one is hashed while another is on its way."""
        refs: list[ArrayRef] = []
        with _Lanes() as lanes:
            on_their_way: list[_Sent] = []
            for source, unit in items:
                ref, digests = _named(source, unit)
                refs.append(ref)
                if ref.nbytes <= self._inline_limit:
                    self.put_small([(ref, b"".join(bytes(bytes_of(piece)) for piece in _contiguous(source)))])
                elif missing := self._announce(ref, digests):
                    on_their_way.append(_Sent(ref, digests, self._put_pieces(lanes, source, ref, set(missing))))
            for sent in on_their_way:
                self._check_whole(sent)
        return refs

    def put_small(self, arrays: Sequence[tuple[ArrayRef, bytes]]) -> None:
        """Send many small arrays, some MiB in each request."""
        for batch in _batches(arrays):
            message = {"arrays": [described(ref) for ref, _ in batch]}
            body = frames.pack(message, (data for _, data in batch))
            self._connection.exchange("POST", f"{self._prefix}/arrays/small", _nothing, body, frames.CONTENT_TYPE)

    def _check_whole(self, sent: _Sent) -> None:
        answers = [item.result() for item in sent.pieces]  # every one, so that no failure is passed over
        left = [] if any(answers) else self._announce(sent.ref, sent.digests)
        if left:
            raise StoreUnavailable(
                f"{len(left)} pieces of an array did not arrive; commit again, and only these are sent"
            )

    def _announce(self, ref: ArrayRef, digests: bytes) -> list[int]:
        message = {"hash": ref.hash.hex(), "dtype": ref.dtype, "shape": ref.shape, "digests": digests.hex()}
        missing: list[int] = self._connection.call(f"{self._prefix}/arrays/begin", message)["missing"]
        return missing

    def _put_pieces(self, lanes: _Lanes, source: ArraySource, ref: ArrayRef, missing: set[int]) -> list[Future[bool]]:
        sent: list[Future[bool]] = []
        for number, data in enumerate(_leaves(source)):
            if lanes.failed.is_set():
                break
            if number in missing:
                sent.append(lanes.send(lambda number=number, data=data: self._put_piece(ref, number, data)))  # type: ignore[misc]
        return sent

    def _put_piece(self, ref: ArrayRef, number: int, data: Any) -> bool:
        path = f"{self._prefix}/arrays/{ref.hash.hex()}/{number}?dtype={_quoted(ref.dtype)}&shape={ref.shape_text}"
        return self._connection.exchange("PUT", path, lambda answer: bool(json_of(answer)["whole"]), data, _BINARY)


def _named(source: ArraySource, unit: str | None) -> tuple[ArrayRef, bytes]:
    """Name an array by its content; gives the digests of its leaves too."""
    dtype, shape = np.dtype(source.dtype), tuple(source.shape)
    if dtype.hasobject or dtype.names:
        raise ValidationFailed(f"An array of dtype {dtype} cannot be stored; use numbers, text or bytes", value=dtype)
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
    return ref, hasher.leaf_digests()


def described(ref: ArrayRef) -> list[Any]:
    """Name an array in a message."""
    return [ref.hash.hex(), ref.dtype, ref.shape]


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
    # What is in memory as a whole is hashed on all cores at once.
    held = source.held if isinstance(source, ArrayHandle) else None
    for chunk in source.chunks() if held is None else contiguous_pieces(held):
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
