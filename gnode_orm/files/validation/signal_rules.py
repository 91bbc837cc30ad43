"""Rules for signals: rate, begin, times, unit, type of samples."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import quantities as pq

from gnode_orm.files.validation.magnitudes import in_si, one_in_si
from gnode_orm.files.validation.registry import Finding, rule
from gnode_orm.files.validation.report import ERROR, INFO, WARNING
from gnode_orm.units import unit_of, unit_of_quantity

_REGULAR = ("analogsignal", "analogsignalarray")
_ALL = (*_REGULAR, "irregularlysampledsignal")
_SCALARS = ("sampling_rate", "t_start", "t_stop")
# Fewer times than this say nothing about the steps between them.
_ENOUGH = 10
_STEP_TOLERANCE = 1e-6
_NAMES = {"V": {"vm", "v", "voltage", "potential"}, "A": {"im", "i", "current"}}


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
    begin, rate = one_in_si(signal.t_start), one_in_si(signal.sampling_rate)
    if math.isfinite(begin) and rate > 0 and math.ulp(begin) * rate > 0.1:
        yield Finding(
            "t_start", "is so late that float64 cannot tell samples apart", "count time from nearer by", begin
        )


@rule(*_ALL, code="doubtful-sample-type", severity=WARNING)
def _doubtful_sample_type(signal: Any) -> Iterator[Finding]:
    """Complex, half-precision and long double samples are kept exactly, but not every program or machine reads them."""
    samples = signal.signal
    if samples is not None and (samples.dtype.kind == "c" or _is_odd_float(samples.dtype)):
        yield Finding("signal", f"samples are {samples.dtype}", "many programs cannot read these; float32 is safe")


@rule(*_ALL, code="signal-without-axis", severity=WARNING)
def _signal_without_axis(signal: Any) -> Iterator[Finding]:
    """A neo signal without an axis of time is kept, but neo itself cannot even print it."""
    if (signal.ext or {}).get("shape") == []:
        yield Finding("signal", "is a single number without an axis of time", "give it the shape (1, 1) in neo")


@rule(*_ALL, code="unit-unlike-name", severity=WARNING)
def _unit_unlike_name(signal: Any) -> Iterator[Finding]:
    """A signal named after a potential is in amperes, or one named after a current in volts: channels were swapped."""
    words = set(re.findall(r"[a-z]+", (signal.name or "").lower()))
    named = [unit for unit, names in _NAMES.items() if words & names]
    if len(named) != 1 or signal.signal is None or signal.signal.unit is None:
        return
    other = "A" if named == ["V"] else "V"
    if unit_of(signal.signal.unit).dimension == unit_of(other).dimension:
        yield Finding("signal", f"is named like one in {named[0]}", "check the channels of the header", signal.units)


@rule(*_REGULAR, code="declared-times-differ", severity=WARNING)
def _declared_times_differ(signal: Any) -> Iterator[Finding]:
    """What annotations tell differs from the samples: rate, period, length, end by more than one, times by half."""
    if signal.signal is None or signal.sampling_rate is None or not len(signal.signal):
        return
    rate = one_in_si(signal.sampling_rate)
    length = len(signal.signal) / rate
    begin = 0.0 if signal.t_start is None else one_in_si(signal.t_start)
    yield from _given_times_differ(signal, begin, rate)
    for name, told in _declared(signal.annotations, length * rate):
        ours = length + (begin if name == "t_stop" else 0.0)
        if abs(told - ours) > 1.5 / rate:
            yield Finding("annotations", f"{name} is not that of the samples", "find out which is right", told)


def _given_times_differ(signal: Any, begin: float, rate: float) -> Iterator[Finding]:
    """Times that are told beside a rate: each may be half a sample off."""
    told: Any = (signal.annotations or {}).get("times")
    if not isinstance(told, pq.Quantity) or told.shape != signal.signal.shape[:1] or not told.size:
        return
    if unit_of_quantity(told).dimension != "s":
        return
    off = np.abs(in_si(told) - (begin + np.arange(len(told)) / rate))
    if not np.all(off <= 0.5 / rate):
        yield Finding("annotations", "times are not those of the rate", "find out which is right", off.max())


@rule("irregularlysampledsignal", code="begin-differs", severity=WARNING)
def _begin_differs(signal: Any) -> Iterator[Finding]:
    """The begin is not the time of the first sample, which neo takes for it."""
    if signal.t_start is None or signal.times is None or not len(signal.times):
        return
    if not math.isclose(one_in_si(signal.t_start), one_in_si(signal.times[0]), rel_tol=1e-12):
        yield Finding("t_start", "is not the time of the first sample", "set it to times[0]", signal.t_start)


@rule("irregularlysampledsignal", code="times-equidistant", severity=INFO)
def _times_equidistant(signal: Any) -> Iterator[Finding]:
    """The times of an irregularly sampled signal have one distance; a rate would say the same in less."""
    if signal.times is None or signal.times.ndim != 1 or len(signal.times) < _ENOUGH:
        return
    steps = np.diff(np.asarray(signal.times, float))
    if steps[0] > 0 and np.all(np.abs(steps - steps[0]) <= _STEP_TOLERANCE * steps[0]):
        yield Finding("times", "are equidistant", "an AnalogSignal with a sampling_rate holds the same", len(steps) + 1)


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


def _is_odd_float(dtype: np.dtype[Any]) -> bool:
    """Whether a float has half precision, or a size that other machines do not know."""
    return dtype == np.float16 or (dtype.kind == "f" and dtype.itemsize > 8)


def _declared(annotations: Any, samples: float) -> Iterator[tuple[str, float]]:
    """Give what annotations tell of a signal's times, as its length or its end in seconds."""
    for name, dimension in (("sampling_rate", "1/s"), ("sampling_period", "s"), ("duration", "s"), ("t_stop", "s")):
        told: Any = (annotations or {}).get(name)
        if not isinstance(told, pq.Quantity) or told.size != 1 or unit_of_quantity(told).dimension != dimension:
            continue
        value = one_in_si(told)
        if name == "sampling_rate":
            value = samples / value if value else np.inf
        yield name, value * samples if name == "sampling_period" else value
