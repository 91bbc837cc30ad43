"""Slices of an array that is fetched by runs of rows: which rows to fetch, and what to take of them.

What is selected is cut into runs of bounded size, each of which is fetched in one go and put where it belongs in the
result; so a whole array comes in parallel into memory that is there once, and a channel or every n-th row of a long
recording never needs the memory of all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Fetch = Callable[[int, int], Array]
"""Gives the rows from one up to another, not larger than a run."""


class Run(NamedTuple):
    """Rows that are fetched in one go.

    Attributes:
        target: where the result has what is taken of them.
        start, stop: the rows.
        chosen: those of them that are taken.
    """

    target: Any
    start: int
    stop: int
    chosen: Any


def read_by_runs(
    fetch: Fetch, shape: tuple[int, ...], dtype: np.dtype[Any], key: Any, most: int,
    spread: Callable[[Callable[[Run], None], Iterator[Run]], None],
) -> Array:  # fmt: skip
    """Give ``array[key]`` of an array of at least one axis.

    Args:
        fetch: gives some rows.
        shape: of the array.
        dtype: of the array.
        key: what is selected, as NumPy takes it.
        most: how many rows a run may have.
        spread: calls a function for every run, on several threads at once.
    """
    first, rest = _split(key, len(shape))
    if first is None:
        whole = read_by_runs(fetch, shape, dtype, slice(None), most, spread)
        return np.asarray(whole[key])
    if isinstance(first, int | np.integer):
        number = range(shape[0])[int(first)] if -shape[0] <= first < shape[0] else _outside(first, shape[0])
        return np.asarray(fetch(number, number + 1)[(0, *rest)])
    behind = np.broadcast_to(np.empty((), dtype), (1, *shape[1:]))[(slice(None), *rest)].shape[1:]
    count, runs = _runs(first, shape[0], most)
    result = np.empty((count, *behind), dtype)

    def fill(run: Run) -> None:
        result[run.target] = fetch(run.start, run.stop)[run.chosen][(slice(None), *rest)]

    spread(fill, runs)
    return result


def _outside(number: Any, length: int) -> int:
    raise IndexError(f"index {number} is out of bounds for axis 0 with size {length}")


def _split(key: Any, axes: int) -> tuple[Any, tuple[Any, ...]]:
    """The key of the rows and those of the other axes; ``None`` for rows and others that depend on each other."""
    keys: tuple[Any, ...] = key if isinstance(key, tuple) else (key,)
    dots = [place for place, item in enumerate(keys) if item is Ellipsis]
    if len(dots) == 1:
        keys = (*keys[: dots[0]], *[slice(None)] * (axes - len(keys) + 1), *keys[dots[0] + 1 :])
    first, rest = (keys[0], keys[1:]) if keys else (slice(None), ())
    plain = [isinstance(item, int | np.integer) and not isinstance(item, bool | np.bool_) for item in keys]
    if plain and plain[0]:
        return first, rest
    single = [place for place, item in enumerate(keys) if not plain[place] and not isinstance(item, slice)]
    if not single:
        return first, rest
    if any(np.ndim(keys[place]) != 1 for place in single) or len(single) > 1:
        return None, ()
    # A list among numbers moves the axes about; on its own it stands where its axis stood.
    return (first, rest) if single == [0] or not any(plain) else (None, ())


def _runs(first: Any, length: int, most: int) -> tuple[int, Iterator[Run]]:
    if isinstance(first, slice):
        rows = range(*first.indices(length))
        return len(rows), _runs_of_range(rows, most)
    index = np.asarray(first) if len(first) else np.empty(0, np.intp)
    # NumPy says what is wrong with a key without anything being fetched.
    np.broadcast_to(np.empty(()), (length,))[index]
    index = np.flatnonzero(index) if index.dtype == bool else np.where(index < 0, index + length, index)
    return len(index), _runs_of_numbers(index, most)


def _runs_of_range(rows: range, most: int) -> Iterator[Run]:
    each = max(1, most // abs(rows.step))
    for at in range(0, len(rows), each):
        part = rows[at : at + each]
        low, high = min(part[0], part[-1]), max(part[0], part[-1])
        chosen = slice(None, None, rows.step)  # from the end where it goes backwards
        yield Run(slice(at, at + len(part)), low, high + 1, chosen)


def _runs_of_numbers(index: npt.NDArray[Any], most: int) -> Iterator[Run]:
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    at = 0
    while at < len(ordered):
        end = int(np.searchsorted(ordered, ordered[at] + most, "left"))
        low = int(ordered[at])
        yield Run(order[at:end], low, int(ordered[end - 1]) + 1, ordered[at:end] - low)
        at = end
