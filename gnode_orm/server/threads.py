"""Work in threads: handed over and back in one turn of the event loop each, where anyio takes three."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

# As many as anyio has for the requests of API v1.
_THREADS = ThreadPoolExecutor(40, "gnode-orm")


async def in_thread(work: Callable[..., T], *arguments: object) -> T:
    """Do something that waits for the disk or computes; it goes on where nobody waits for it any more."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work, *arguments)
