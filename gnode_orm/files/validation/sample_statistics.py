"""Figures on the samples of a signal, read in chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class SampleStatistics:
    """Per channel: the lowest and highest finite value, and the share that is not a number."""

    low: npt.NDArray[Any]
    high: npt.NDArray[Any]
    missing: npt.NDArray[np.float64]
    samples: int


def sample_statistics(samples: Any) -> SampleStatistics | None:
    """Read an array handle once; ``None`` where there is nothing to judge (no samples, complex or boolean ones)."""
    if samples is None or samples.dtype.kind not in "iuf" or not samples.size or samples.ndim > 2:
        return None
    lows, highs, missing = [], [], []
    for chunk in samples.chunks():
        values = chunk.reshape(len(chunk), -1) if chunk.ndim else chunk.reshape(1, 1)
        lows.append(_reduced(np.fmin, values))
        highs.append(_reduced(np.fmax, values))
        missing.append(np.isnan(values).sum(axis=0))
    count = max(1, samples.shape[0] if samples.shape else 1)
    return SampleStatistics(np.fmin.reduce(lows), np.fmax.reduce(highs), np.sum(missing, axis=0) / count, count)


def _reduced(reduce: Any, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    with np.errstate(invalid="ignore"):
        result: npt.NDArray[Any] = reduce.reduce(values, axis=0)
    return result
