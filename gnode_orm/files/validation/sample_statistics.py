"""Figures on the samples of a signal, read in chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_Values = npt.NDArray[Any]
_TOGETHER = 256


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
    parts = [
        _of_chunk(chunk.reshape(len(chunk), -1) if chunk.ndim else chunk.reshape(1, 1)) for chunk in samples.chunks()
    ]
    lows, highs, missing = zip(*parts, strict=True)
    count = max(1, samples.shape[0] if samples.shape else 1)
    return SampleStatistics(np.fmin.reduce(lows), np.fmax.reduce(highs), np.sum(missing, axis=0) / count, count)


def _of_chunk(values: _Values) -> tuple[_Values, _Values, _Values]:
    with np.errstate(invalid="ignore"):
        low, high = _reduced(np.minimum, values), _reduced(np.maximum, values)
        if not np.any(np.isnan(low)):
            return low, high, np.zeros(low.shape)
        return _reduced(np.fmin, values), _reduced(np.fmax, values), np.isnan(values).sum(axis=0)


def _reduced(reduce: Any, values: _Values) -> _Values:
    """Reduce along the first axis. Rows of few channels are taken together, since numpy goes fast along rows alone."""
    rows, channels = values.shape
    whole = rows // _TOGETHER * _TOGETHER
    if whole == 0 or channels >= _TOGETHER:
        reduced: _Values = reduce.reduce(values, axis=0)
        return reduced
    wide = reduce.reduce(values[:whole].reshape(-1, _TOGETHER * channels), axis=0).reshape(_TOGETHER, channels)
    result: _Values = reduce.reduce(np.concatenate([wide, values[whole:]]), axis=0)
    return result
