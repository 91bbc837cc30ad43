"""Cutting what is written, or sent, into batches of a certain size."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def batches(items: Iterable[T], size: Callable[[T], int], most: int, count: int = sys.maxsize) -> Iterator[list[T]]:
    """Give items in order, so many at once as have ``most`` bytes together by ``size``; a larger one comes alone.

    A batch has ``count`` items at most.
    """
    batch: list[T] = []
    total = 0
    for item in items:
        more = size(item)
        if batch and (len(batch) == count or total + more > most):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += more
    if batch:
        yield batch
