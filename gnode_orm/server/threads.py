"""Work in threads: handed over and back in one turn of the event loop each, where anyio takes three."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

# As many as anyio has for the requests of API v1.
_THREADS = ThreadPoolExecutor(40, "gnode-orm")


async def in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Do something that waits for the disk or computes.

    Who is cancelled meanwhile goes on when it is done: it may be using memory that its caller lets go of then.
    """
    doing = _THREADS.submit(work, *arguments)
    try:
        return await asyncio.wrap_future(doing)
    except asyncio.CancelledError:
        await _end_of(doing)
        raise


async def _end_of(doing: Future[T]) -> None:
    doing.cancel()  # where it has not begun
    while not doing.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([asyncio.wrap_future(doing)])
