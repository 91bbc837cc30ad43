"""Rules for signals: rate, begin, samples, channels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any
from weakref import ref

import numpy as np
import quantities as pq

from gnode_orm.files.validation.magnitudes import in_si
from gnode_orm.files.validation.registry import Finding, rule
from gnode_orm.files.validation.report import ERROR, WARNING
from gnode_orm.files.validation.sample_statistics import SampleStatistics, sample_statistics

_REGULAR = ("analogsignal", "analogsignalarray")
_ALL = (*_REGULAR, "irregularlysampledsignal")
_SCALARS = ("sampling_rate", "t_start", "t_stop")
_NAN_SHARE = 0.01
# Fewer samples than this say nothing about a channel.
_ENOUGH = 10


@rule(*_ALL, "spiketrain", code="scalar-refused", severity=ERROR)
def _scalar_refused(entity: Any) -> Iterator[Finding]:
    """A rate or time that neo let pass and nothing can be computed with: a rate of zero or NaN, a time in mV."""
    for name, value in _kept_for_neo(entity).items():
        if isinstance(value, pq.Quantity):
            meant = "a rate above zero" if name == "sampling_rate" else "a time"
            yield Finding(name, f"is not {meant}", "give the one of the recording", value)


@rule(*_ALL, "spiketrain", code="scalar-without-unit", severity=WARNING)
def _scalar_without_unit(entity: Any) -> Iterator[Finding]:
    """A bare number stands where a unit is needed, as neo allows; it goes back to neo as it came, unused here."""
    for name, value in _kept_for_neo(entity).items():
        if not isinstance(value, pq.Quantity):
            yield Finding(name, "has no unit, so it is kept aside and not used", "give it one", value)


@rule(*_REGULAR, code="rate-missing", severity=WARNING)
def _rate_missing(signal: Any) -> Iterator[Finding]:
    """Without a rate, the samples have no times, so that they cannot be cut by time or drawn."""
    if signal.signal is not None and signal.sampling_rate is None and "sampling_rate" not in _kept_for_neo(signal):
        yield Finding("sampling_rate", "is missing, so the samples have no times", "set it, for instance 20*pq.kHz")


@rule(*_ALL, "spiketrain", code="begin-not-finite", severity=ERROR)
def _begin_not_finite(entity: Any) -> Iterator[Finding]:
    """A begin that is not a number leaves every time unknown. The end of a spike train may be infinite."""
    # The end of a train may be infinite: it means that the recording was not bounded.
    if entity.t_start is not None and np.any(np.isnan(entity.t_start.magnitude)):
        yield Finding("t_start", "is not a number", "give the begin of the recording", entity.t_start)


@rule(*_REGULAR, code="time-resolution", severity=WARNING)
def _time_resolution(signal: Any) -> Iterator[Finding]:
    """So far from zero, neighbouring samples get the same time in double precision."""
    if signal.t_start is None or signal.sampling_rate is None:
        return
    begin, rate = float(in_si(signal.t_start)), float(in_si(signal.sampling_rate))
    if math.isfinite(begin) and rate > 0 and math.ulp(begin) * rate > 0.1:
        yield Finding(
            "t_start", "is so late that float64 cannot tell samples apart", "count time from nearer by", begin
        )


@rule(*_ALL, code="doubtful-sample-type", severity=WARNING)
def _doubtful_sample_type(signal: Any) -> Iterator[Finding]:
    """Complex and half-precision samples are kept exactly, but other programs cannot read them."""
    samples = signal.signal
    if samples is not None and (samples.dtype.kind == "c" or samples.dtype == np.float16):
        yield Finding("signal", f"samples are {samples.dtype}", "many programs cannot read these; float32 is safe")


@rule(*_ALL, code="samples-missing", severity=WARNING)
def _samples_missing(signal: Any) -> Iterator[Finding]:
    """More than one sample of a hundred in a channel is not a number."""
    figures = _figures(signal)
    if figures is not None and np.any(figures.missing > _NAN_SHARE):
        yield Finding(
            "signal",
            "more than 1 % of a channel are not numbers",
            "check the recording for gaps",
            _channels(figures.missing > _NAN_SHARE),
        )


@rule(*_ALL, code="constant-channel", severity=WARNING)
def _constant_channel(signal: Any) -> Iterator[Finding]:
    """All samples of a channel are the same, as those of an input that was not connected."""
    figures = _figures(signal)
    if figures is None or figures.samples < _ENOUGH:
        return
    flat = (figures.low == figures.high) & (figures.missing == 0)
    if np.any(flat):
        yield Finding("signal", "a channel never changes", "check that it was connected", _channels(flat))


@rule(*_REGULAR, code="saturated-channel", severity=WARNING)
def _saturated_channel(signal: Any) -> Iterator[Finding]:
    """Integer samples reach the lowest or highest value of their type: the input was clipped."""
    figures = _figures(signal)
    if figures is None or signal.signal.dtype.kind != "i" or figures.samples < _ENOUGH:
        return
    limits = np.iinfo(signal.signal.dtype)
    full = ((figures.low == limits.min) | (figures.high == limits.max)) & (figures.low != figures.high)
    if np.any(full):
        yield Finding("signal", "a channel reaches the limits of its integers", "check the gain", _channels(full))


@rule(*_ALL, code="channel-names-count", severity=ERROR)
def _channel_names_count(signal: Any) -> Iterator[Finding]:
    """The array annotation ``channel_names`` does not have one name for each channel."""
    channels, names = _channel_count(signal), signal.channel_names
    if names and channels is not None and len(names) != channels:
        yield Finding(
            "array_annotations", f"{len(names)} channel_names for {channels} channels", "give one name for each"
        )


@rule(*_ALL, code="channel-names-repeated", severity=WARNING)
def _channel_names_repeated(signal: Any) -> Iterator[Finding]:
    """Channels that share a name can only be picked by number."""
    names = signal.channel_names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        yield Finding("array_annotations", "channels share a name", "pick channels by number", repeated)


@rule("irregularlysampledsignal", code="times-not-increasing", severity=WARNING)
def _times_not_increasing(signal: Any) -> Iterator[Finding]:
    """Times of an irregularly sampled signal stand still or go back, so that it cannot be cut by time."""
    if signal.times is None or signal.times.ndim != 1 or len(signal.times) < 2:
        return
    times = np.asarray(signal.times)
    backward = np.flatnonzero(~(times[1:] > times[:-1]))
    if len(backward):
        yield Finding(
            "times", "do not strictly increase", "sort the samples by time", f"at sample {int(backward[0]) + 1}"
        )


def _kept_for_neo(entity: Any) -> dict[str, Any]:
    """Scalars that neo accepts and our fields refuse; the conversion keeps them aside, so that they go back to neo."""
    exact = entity.ext.get("exact", {})
    return {name: exact[name] for name in _SCALARS if exact.get(name) is not None}


def _figures(signal: Any) -> SampleStatistics | None:
    """Figures of a signal's samples, kept for the rules that follow on the same signal."""
    global _last
    samples = signal.signal
    if samples is None:
        return None
    if _last is None or _last[0]() is not samples:
        _last = (ref(samples), sample_statistics(samples))
    return _last[1]


_last: tuple[ref[Any], SampleStatistics | None] | None = None


def _channel_count(signal: Any) -> int | None:
    samples = signal.signal
    return None if samples is None or samples.ndim > 2 else samples.shape[1] if samples.ndim == 2 else 1


def _channels(picked: Any) -> str:
    numbers = np.flatnonzero(picked).tolist()
    shown = ", ".join(map(str, numbers[:8])) + (", ..." if len(numbers) > 8 else "")
    return f"channel {shown}"
