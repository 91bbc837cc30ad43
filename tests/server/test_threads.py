"""Work that is handed to a thread ends before its caller does, whoever stops waiting."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gnode_orm.server.threads import in_thread


def test_what_is_done_comes_back():
    async def ask() -> tuple[int, int]:
        return await in_thread(divmod, 7, 2)

    assert asyncio.run(ask()) == (3, 1)


def test_what_fails_is_told():
    async def ask() -> None:
        await in_thread(int, "no number")

    with pytest.raises(ValueError, match="no number"):
        asyncio.run(ask())


def test_who_is_cancelled_waits_for_what_was_begun():
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(30)
        done.set()

    async def cancel() -> None:
        asking = asyncio.create_task(in_thread(work))
        await asyncio.to_thread(begun.wait, 30)
        for _ in range(2):  # however often
            asking.cancel()
            await asyncio.sleep(0)
            assert not asking.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert done.is_set()

    asyncio.run(cancel())
