"""Bodies of requests: read up to a limit, once in memory where their length is told, hashed while they come."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from mmap import mmap

from starlette.requests import Request

from gnode_orm.server.problems import Refusal

_SHORT = 64 << 10
# So long is the header of nearly every file.
_NPY_HEADER = 128
# Handing over to a thread takes as long as hashing some kilobytes.
_HASHED = 1 << 20


def is_short(request: Request) -> bool:
    """Tell whether a request says that its body is short, or has none."""
    return "transfer-encoding" not in request.headers and told_length(request) <= _SHORT


def told_length(request: Request) -> int:
    """Give the length that a request tells of its body."""
    return int(request.headers.get("content-length") or 0)


async def body_of(request: Request, limit: int) -> memoryview:
    """Read a body that may not be longer than a limit.

    Raises:
        Refusal: 413.
    """
    told = told_length(request)
    if told > limit:
        raise _too_long(limit)
    return await body_into(request, limit, bytearray(told))


async def body_into(
    request: Request, limit: int, memory: bytearray | memoryview, filled: Callable[[memoryview], None] = lambda _: None
) -> memoryview:
    """Read a body into memory that grows where it has to; gives the part that was filled.

    ``filled`` is told what of it is here.

    Raises:
        Refusal: 413.
    """
    size = 0
    async for piece in request.stream():
        end = size + len(piece)
        if end > limit:
            raise _too_long(limit)
        if end > len(memory):
            assert isinstance(memory, bytearray)
            memory.extend(bytes(end - len(memory)))
        # Through a view, since a bytearray makes a copy of what is put into a part of it.
        memoryview(memory)[size:end] = piece
        size = end
        filled(memoryview(memory)[:size])
    return memoryview(memory)[:size]


class Hashing:
    """The hash of a body, made on a thread of what is here, while the rest comes."""

    _pool = ThreadPoolExecutor(os.cpu_count())

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._taken = 0
        self._running: Future[None] | None = None

    def filled(self, body: memoryview) -> None:
        """Go on with what is here, where enough of it is."""
        if len(body) - self._taken >= _HASHED and (self._running is None or self._running.done()):
            self._running = self._pool.submit(self._hash.update, body[self._taken :])
            self._taken = len(body)

    def digest(self, body: memoryview) -> bytes:
        """Wait for the hash of a body that is here."""
        if self._running is not None:
            self._running.result()
        self._hash.update(body[self._taken :])
        return self._hash.digest()


def _too_long(limit: int) -> Refusal:
    text = f"The request is longer than {limit >> 20} MiB; write the change in several commits"
    return Refusal(413, text, headers={"Connection": "close"})


class Buffers:
    """Memory for bodies of one size that is used again: fresh memory takes longer than hashing what comes into it.

    It begins as far behind a page as values in a ``.npy`` file behind a block, so that they can go straight to disk.

    Args:
        spare: how many are kept while nobody needs them.
    """

    def __init__(self, size: int, spare: int) -> None:
        self._size = size
        self._most = spare
        self._spare: list[memoryview] = []

    @contextmanager
    def one(self) -> Iterator[memoryview]:
        """Lend a buffer; nobody may look at it afterwards."""
        buffer = self._spare.pop() if self._spare else self._new()
        try:
            yield buffer
        finally:
            if len(self._spare) < self._most:
                self._spare.append(buffer)

    def _new(self) -> memoryview:
        return memoryview(mmap(-1, _NPY_HEADER + self._size))[_NPY_HEADER:]
