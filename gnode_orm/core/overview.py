"""Overviews of long signals: minimum and maximum per bin, read piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.errors import ValidationFailed


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


def minimum_maximum(handle: ArrayHandle, bins: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.int64]]:
    """Give the extremes of ``bins`` equal bins along the first axis, and the index at which each bin begins.

    Never holds more than one chunk of the array.
    """
    if not isinstance(bins, int) or bins < 1:
        raise ValidationFailed(f"downsample({bins!r}): a number of points above zero is needed", field="n", value=bins)
    computed = getattr(handle._reader, "read_overview", None)
    if computed is not None:
        # Behind a server only the extremes travel, not the samples.
        low, high, begins = computed(handle.ref, bins)
        return low, high, begins
    length = handle.shape[0]
    edges = np.linspace(0, length, min(bins, length) + 1).astype(np.int64)
    low = np.empty((len(edges) - 1, *handle.shape[1:]), handle.dtype)
    high = np.empty_like(low)
    filled = np.zeros(len(low), bool)
    start = 0
    for chunk in handle.chunks() if length else ():
        first = int(np.searchsorted(edges, start, "right")) - 1
        last = int(np.searchsorted(edges, start + len(chunk), "left"))
        inner = np.maximum(edges[first:last] - start, 0)
        for target, reduce in ((low, np.minimum), (high, np.maximum)):
            values = reduce.reduceat(chunk, inner, axis=0)
            kept = filled[first:last].reshape(-1, *(1,) * (chunk.ndim - 1))
            target[first:last] = np.where(kept, reduce(target[first:last], values), values)
        filled[first:last] = True
        start += len(chunk)
    return low, high, edges[:-1]
