"""Arrays on their way to a server: in pieces, several at once, each tried again by itself.

The server hashes what comes, and tells the digests; so an array that is new there is read once, and sent at once. What
begins as an array that was sent before, or in part, is hashed here, so that nothing is sent twice.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, TypeVar

import numpy as np

from gnode_orm.core.arrayhash import (
    LEAF,
    ArrayHasher,
    beginning_digest,
    bytes_of,
    contiguous_pieces,
    hash_of_leaves,
)
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.errors import IntegrityError, NotFound, StoreUnavailable, ValidationFailed
from gnode_orm.stores.batches import batches
from gnode_orm.stores.rest.addresses import is_open
from gnode_orm.stores.rest.connection import Connection, json_of
from gnode_orm.wire import frames

T = TypeVar("T")

PARALLEL = 2
_BATCH = 16 << 20
# Seconds until a piece goes beside another one.
_PATIENCE = 0.1
_BINARY = "application/octet-stream"


class _Refused(Exception):
    """A piece that the server does not take: what it belongs to was finished, removed, or is another array by now."""


class _Lanes:
    """Threads that send pieces; no more are taken than can be sent, so that memory does not grow with the array."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(PARALLEL)
        self._free = threading.BoundedSemaphore(PARALLEL)
        self.failed = threading.Event()

    def send(self, work: Callable[[], T]) -> Future[T]:
        """Wait for a free thread and let it work."""
        self._free.acquire()
        sent = self._pool.submit(work)
        sent.add_done_callback(self._finished)
        return sent

    def _finished(self, sent: Future[Any]) -> None:
        if not isinstance(sent.exception(), _Refused | None):
            self.failed.set()
        self._free.release()

    def __enter__(self) -> _Lanes:
        return self

    def __exit__(self, *exception: object) -> None:
        self._pool.shutdown()


class _InTurn:
    """The bytes of a piece, which go when those of no other one do.

    One after the other they go as fast, and a server hashes and stores one while the next one comes, instead of all at
    the same time. Where sending takes long, the ways to the server may be what is slow, and others need not wait.
    """

    def __init__(self, turn: threading.Lock, data: memoryview) -> None:
        self._turn = turn
        self._data = data

    def __iter__(self) -> Iterator[memoryview]:
        mine = self._turn.acquire(timeout=_PATIENCE)
        try:
            yield self._data
        finally:
            if mine:
                self._turn.release()


@dataclass(frozen=True)
class _Kept:
    """A piece that the server has, by the digest that it made of what came, and whether the array was whole then."""

    digest: bytes
    whole: bool


@dataclass(frozen=True)
class _Sent:
    """An array whose pieces are on their way, and what it is called there.

    Attributes:
        digests: those of its pieces, where they were made here.
    """

    source: ArraySource
    unit: str | None
    upload: str
    pieces: list[Future[_Kept]]
    digests: bytes | None = None


class Sender:
    """Sends arrays to one server."""

    def __init__(self, connection: Connection, prefix: str, inline_limit: int) -> None:
        self._connection = connection
        self._prefix = prefix
        self._inline_limit = inline_limit
        self._turn = threading.Lock()
        # By TLS nothing arrives altered. Where that could be, pieces are hashed here as well, while others are sent.
        self._checks = is_open(connection.address)

    def put(self, items: Sequence[tuple[ArraySource, str | None]]) -> list[ArrayRef]:
        """Send arrays with their units, or what is missing of them there; nothing is hashed that is new there."""
        with _Lanes() as lanes:
            begun = [self._small(source, unit) or self._begun(lanes, source, unit) for source, unit in items]
            return [item if isinstance(item, ArrayRef) else self._settled(lanes, item) for item in begun]

    def _small(self, source: ArraySource, unit: str | None) -> ArrayRef | None:
        """Send an array whole that is not large."""
        if _type(source).nbytes > self._inline_limit:
            return None
        ref, _ = _named(source, unit)
        self.put_small([(ref, b"".join(bytes(bytes_of(piece)) for piece in _contiguous(source)))])
        return ref

    def put_small(self, arrays: Sequence[tuple[ArrayRef, bytes]]) -> None:
        """Send many small arrays, some MiB in each request."""
        for batch in batches(arrays, lambda item: len(item[1]), _BATCH):
            message = {"arrays": [described(ref) for ref, _ in batch]}
            body = frames.pack(message, (data for _, data in batch))
            self._connection.exchange("POST", f"{self._prefix}/arrays/small", _nothing, body, frames.CONTENT_TYPE)

    def _begun(self, lanes: _Lanes, source: ArraySource, unit: str | None) -> _Sent:
        """Begin to send an array, which is not known there unless it begins as another one."""
        leaves = _leaves(source)
        first = next(leaves)
        upload = _called(beginning_digest(first).hex())
        _, missing = self._announce(source, upload)
        if missing is None:
            return self._begun_by_name(lanes, source, unit, upload)
        return _Sent(source, unit, upload, self._put_pieces(lanes, upload, chain([first], leaves), set(missing)))

    def _begun_by_name(self, lanes: _Lanes, source: ArraySource, unit: str | None, before: str) -> _Sent:
        """Send what is missing there of an array that may have been sent before, or in part."""
        _, digests = _named(source, unit)
        upload, missing = self._announce(source, _called(before), digests)
        pieces = self._put_pieces(lanes, upload, _leaves(source), set(missing or [])) if missing else []
        return _Sent(source, unit, upload, pieces, digests)

    def _settled(self, lanes: _Lanes, sent: _Sent) -> ArrayRef:
        """Wait until an array is there; gives its name."""
        kept, refused = _answers(sent.pieces)
        if refused is not None and sent.digests is None:
            return self._settled(lanes, self._begun_by_name(lanes, sent.source, sent.unit, sent.upload))
        digests = sent.digests or b"".join(piece.digest for piece in kept)
        if sent.pieces and not any(piece.whole for piece in kept):
            # Whole nevertheless, where another program of the same user had the last piece.
            _, left = self._announce(sent.source, sent.upload, digests)
            if left:
                raise StoreUnavailable(
                    f"{len(left)} pieces of an array did not arrive; commit again, and only these are sent"
                ) from refused
        ref = _type(sent.source)
        return ref._replace(hash=hash_of_leaves(np.dtype(ref.dtype), ref.shape, digests), unit=sent.unit)

    def _announce(self, source: ArraySource, upload: str, digests: bytes | None = None) -> tuple[str, list[int] | None]:
        ref = _type(source)
        message = {
            "upload": upload,
            "dtype": ref.dtype,
            "shape": ref.shape,
            "digests": None if digests is None else digests.hex(),
        }
        answer = self._connection.call(f"{self._prefix}/arrays/begin", message)
        return answer["upload"], answer["missing"]

    def _put_pieces(
        self, lanes: _Lanes, upload: str, leaves: Iterable[memoryview], missing: set[int]
    ) -> list[Future[_Kept]]:
        sent: list[Future[_Kept]] = []
        for number, data in enumerate(leaves):
            if lanes.failed.is_set() or any(map(_is_refused, sent[-1 - PARALLEL :])):
                break
            if number in missing:
                sent.append(lanes.send(partial(self._put_piece, upload, number, data)))
        return sent

    def _put_piece(self, upload: str, number: int, data: memoryview) -> _Kept:
        path = f"{self._prefix}/arrays/uploads/{upload}/{number}"
        try:
            body = _InTurn(self._turn, data)
            answer = self._connection.exchange("PUT", path, json_of, body, _BINARY, length=len(data))
        except (NotFound, IntegrityError) as error:
            raise _Refused(str(error)) from error
        kept = _Kept(bytes.fromhex(answer["digest"]), answer["whole"])
        if self._checks and hashlib.sha256(data).digest() != kept.digest:
            raise _Refused("It was altered on its way")
        return kept


def _called(before: str) -> str:
    """Make a name for an array that is sent: how it begins, as in a name before, and letters by chance."""
    return before[:32] + secrets.token_hex(8)


def _answers(pieces: list[Future[_Kept]]) -> tuple[list[_Kept], _Refused | None]:
    """Wait for every piece, so that no failure is passed over; gives those that are there, and why others are not."""
    kept, refused = [], None
    for piece in pieces:
        try:
            kept.append(piece.result())
        except _Refused as error:
            refused = error
    return kept, refused


def _is_refused(sent: Future[_Kept]) -> bool:
    return sent.done() and isinstance(sent.exception(), _Refused)


def _type(source: ArraySource) -> ArrayRef:
    """Tell dtype and shape of an array.

    Raises:
        ValidationFailed: no store keeps such an array.
    """
    dtype = np.dtype(source.dtype)
    if dtype.hasobject or dtype.names:
        raise ValidationFailed(f"An array of dtype {dtype} cannot be stored; use numbers, text or bytes", value=dtype)
    return ArrayRef(b"", dtype.str, tuple(source.shape), None)


def _named(source: ArraySource, unit: str | None) -> tuple[ArrayRef, bytes]:
    """Name an array by its content; gives the digests of its leaves too."""
    ref = _type(source)
    size = 0
    with ArrayHasher(np.dtype(ref.dtype), ref.shape) as hasher:
        for piece in _contiguous(source):
            hasher.update(piece)
            size += piece.nbytes
            hasher.wait()  # its owner may use the memory again for the next piece
        ref = ref._replace(hash=hasher.digest(), unit=unit)
    if size != ref.nbytes:
        raise _wrong_size(ref, size)
    return ref, hasher.leaf_digests()


def _wrong_size(ref: ArrayRef, size: int) -> ValidationFailed:
    return ValidationFailed(
        f"The pieces of an array of {ref.dtype} {ref.shape} hold {size} bytes, {ref.nbytes} are needed"
    )


def described(ref: ArrayRef) -> list[Any]:
    """Name an array in a message."""
    return [ref.hash.hex(), ref.dtype, ref.shape]


def _nothing(answer: Any) -> None:
    """There is nothing to read in the answer."""


def _contiguous(source: ArraySource) -> Iterator[np.ndarray[Any, Any]]:
    # What is in memory as a whole is hashed on all cores at once.
    held = source.held if isinstance(source, ArrayHandle) else None
    for chunk in source.chunks() if held is None else contiguous_pieces(held):
        yield np.ascontiguousarray(chunk, dtype=source.dtype).reshape(np.shape(chunk))


def _leaves(source: ArraySource) -> Iterator[memoryview]:
    """Cut the bytes of an array into the leaves of its hash; those of one in memory are not copied.

    Raises:
        ValidationFailed: there are more or less bytes than the array has.
    """
    ref, size = _type(source), 0
    for leaf in _whole_leaves(source):
        size += len(leaf)
        if size > ref.nbytes or (len(leaf) < LEAF and size < ref.nbytes):
            raise _wrong_size(ref, size)
        yield leaf
    if size != ref.nbytes:
        raise _wrong_size(ref, size)


def _whole_leaves(source: ArraySource) -> Iterator[memoryview]:
    if isinstance(source, ArrayHandle) and (held := source.held) is not None:
        view = bytes_of(held)
        yield from (view[start : start + LEAF] for start in range(0, len(view), LEAF))
        return
    leaf = bytearray()
    for chunk in _contiguous(source):
        view = bytes_of(chunk)
        while view:
            taken = view[: LEAF - len(leaf)]
            leaf += taken  # a copy: its owner may use the memory again, while this is sent
            view = view[len(taken) :]
            if len(leaf) == LEAF:
                yield memoryview(leaf)
                leaf = bytearray()
    if leaf:
        yield memoryview(leaf)
