"""Overviews of long signals: minimum and maximum per bin, read piece by piece or from extremes that a store keeps.

A store behind a server lets the server make them, so that no samples travel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.errors import ValidationFailed

FACTORS = (64, 1024, 16384)
"""Rows in a block of each level of extremes that a store may keep; each divides the next."""
MAX_BINS = 1_000_000
"""So many bins a server makes in one answer at most."""
_BLOCKS_PER_BIN = 8
_LONG = 1 << 20  # shorter signals are read whole, so that their bins are exactly equal

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Overview:
    """A signal drawn with few points.

    Attributes:
        times: begin of each bin, shape (n,), with a unit of time.
        minimum, maximum: extremes in each bin, shape (n,) or (n, channel), in the signal's unit.
    """

    times: Any
    minimum: Any
    maximum: Any


def minimum_maximum(handle: ArrayHandle, bins: int) -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """Give the extremes of ``bins`` equal bins along the first axis, and the index at which each bin begins.

    In signals of more than a million rows, bins of 512 rows or more begin at whole blocks of extremes; there they are
    equal within an eighth.
    Never holds more than one chunk of the array.

    Raises:
        ValidationFailed: ``bins`` is no whole number above zero.
    """
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 1:
        raise ValidationFailed(f"downsample({bins!r}): a number of points above zero is needed", field="n", value=bins)
    edges, factor = _edges(handle.shape[0], bins)
    made = handle.overview(bins) or _from_extremes(handle, edges, factor) or _from_chunks(handle, edges)
    return *made, edges[:-1]


def _edges(length: int, bins: int) -> tuple[npt.NDArray[np.int64], int]:
    bins = min(bins, length)
    width = length // bins if bins else 0
    kept = FACTORS if length > _LONG else ()
    factor = max((factor for factor in kept if factor * _BLOCKS_PER_BIN <= width), default=1)
    edges = np.linspace(0, length, bins + 1).astype(np.int64)
    edges[:-1] = edges[:-1] // factor * factor
    return edges, factor


def _from_extremes(handle: ArrayHandle, edges: npt.NDArray[np.int64], factor: int) -> tuple[Array, Array] | None:
    extremes = handle.extremes(factor) if factor > 1 else None
    if extremes is None:
        return None
    starts = edges[:-1] // factor
    return np.minimum.reduceat(extremes[0], starts), np.maximum.reduceat(extremes[1], starts)


def _from_chunks(handle: ArrayHandle, edges: npt.NDArray[np.int64]) -> tuple[Array, Array]:
    low = np.empty((len(edges) - 1, *handle.shape[1:]), handle.dtype)
    high = np.empty_like(low)
    filled = np.zeros(len(low), bool)
    start = 0
    for chunk in handle.chunks() if handle.shape[0] else ():
        first = int(np.searchsorted(edges, start, "right")) - 1
        last = int(np.searchsorted(edges, start + len(chunk), "left"))
        inner = np.maximum(edges[first:last] - start, 0)
        for target, reduce in ((low, np.minimum), (high, np.maximum)):
            values = reduce.reduceat(chunk, inner, axis=0)
            kept = filled[first:last].reshape(-1, *(1,) * (chunk.ndim - 1))
            target[first:last] = np.where(kept, reduce(target[first:last], values), values)
        filled[first:last] = True
        start += len(chunk)
    return low, high
