"""A fair semaphore: places are handed over in the order of asking, so that busy readers never keep a writer out."""

from __future__ import annotations

import threading
from collections import deque


class Slots:
    """A number of places, each held by one thread at a time.

    Python's own semaphore lets a thread that gives its place back take it again before those who wait for it.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._lock = threading.Lock()
        # One locked lock for each waiting thread; unlocking it hands the place over.
        self._waiting: deque[threading.Lock] = deque()

    def take(self) -> None:
        """Take a place; wait for one where all are held."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        try:
            turn.acquire()
        except BaseException:
            self._give_up(turn)
            raise

    def give_back(self) -> None:
        """Give a place to the thread that has waited longest."""
        with self._lock:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._waiting:
            self._waiting.popleft().release()
        else:
            self._free += 1

    def _give_up(self, turn: threading.Lock) -> None:
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
            else:
                self._hand_over()  # it was this thread's turn already
