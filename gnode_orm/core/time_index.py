"""The one function that turns times into sample indices, for arrays in memory, on disk and behind a server."""

from __future__ import annotations

from typing import Any

import numpy as np
import quantities as pq

from gnode_orm.core.quantity import quantity
from gnode_orm.errors import ValidationFailed


def sample_count(time: Any, sampling_rate: Any) -> int:
    """Give the number of samples nearest to a duration."""
    return int(np.rint((time * sampling_rate).simplified.magnitude).item())


def slice_bounds(t0: Any, t1: Any, t_start: Any, sampling_rate: Any, length: int) -> tuple[int, int]:
    """Give the first index and the index behind the last of ``t0 <= t < t1``; ``None`` means the end on that side.

    Bounds between two samples are rounded as ``neo.AnalogSignal.time_slice`` does: ``t0`` to the nearest sample, and
    the duration to the nearest number of samples, so that equal durations give equally long slices.

    Raises:
        ValidationFailed: a bound without a unit, outside the signal, or in the wrong order.
    """
    runs = f"signal runs {t_start:g} to {(t_start + length / sampling_rate).rescale(t_start.units):g}"
    begin = t_start if t0 is None else time_bound(t0, runs)
    first = 0 if t0 is None else sample_count(begin - t_start, sampling_rate)
    last = length if t1 is None else first + sample_count(time_bound(t1, runs) - begin, sampling_rate)
    if first < 0 or last > length or first > length:
        raise out_of_range(t0, t1, runs)
    if last < first:
        raise ValidationFailed(
            f"time_slice ends at {t1}, before it begins at {begin} ({runs})", field="t1", value=(t0, t1)
        )
    return first, last


def out_of_range(t0: Any, t1: Any, runs: str) -> ValidationFailed:
    """Say that bounds lie outside of what there is; a bound that was not given is left out."""
    bounds = "".join(f" {word} {time}" for word, time in (("from", t0), ("to", t1)) if time is not None)
    return ValidationFailed(f"time_slice{bounds} is out of range ({runs})", field="t0", value=(t0, t1))


def time_bound(value: Any, runs: str) -> Any:
    """Take a bound as a time; a bare number is refused with what the signal spans."""
    if not isinstance(value, pq.Quantity | tuple | str):
        raise ValidationFailed(f"time_slice needs times: {value} has no unit ({runs})", field="time_slice", value=value)
    bound = quantity(value, "s")
    if bound.size != 1 or not np.isfinite(bound.magnitude).all():
        raise ValidationFailed(f"time_slice needs finite times, not {value} ({runs})", field="time_slice", value=value)
    return bound.reshape(())
