"""Rules for what happens at points in time: spikes, events, epochs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from gnode_orm.files.validation.magnitudes import in_si, one_in_si
from gnode_orm.files.validation.registry import Finding, rule
from gnode_orm.files.validation.report import ERROR, WARNING
from gnode_orm.units import unit_of_quantity

# Fewer spikes than this say nothing about the intervals between them.
_ENOUGH = 100
_SHORT_SHARE = 0.01
_ROUNDING = 1e-12
_NO_TICK = 1e-6
_WITH_TIMES = ("spiketrain", "eventarray", "epocharray", "irregularlysampledsignal")


@rule(*_WITH_TIMES, code="times-not-finite", severity=ERROR)
def _times_not_finite(entity: Any) -> Iterator[Finding]:
    """Times hold NaN or infinity, which is no point in time."""
    times = _times(entity)
    bad = np.flatnonzero(~np.isfinite(times))
    if bad.size:
        yield Finding("times", "hold NaN or infinity", "leave these out", f"{len(bad)} of them, first at {bad[0]}")


@rule("event", "epoch", "spike", code="time-not-finite", severity=ERROR)
def _time_not_finite(entity: Any) -> Iterator[Finding]:
    """The time is NaN or infinity, which is no point in time."""
    if entity.time is not None and not np.all(np.isfinite(np.asarray(entity.time))):
        yield Finding("time", "is NaN or infinity", "give the time, or delete the object", entity.time)


@rule("spiketrain", code="spike-outside-train", severity=ERROR)
def _spike_outside_train(train: Any) -> Iterator[Finding]:
    """Spikes lie outside ``t_start`` and ``t_stop``; neo cannot make such a train."""
    times = _times(train)
    if not len(times):
        return
    outside = np.zeros(len(times), bool)
    if train.t_start is not None:
        outside |= times < _bound(train, train.t_start, -1)
    if train.t_stop is not None:
        outside |= times > _bound(train, train.t_stop, +1)
    if outside.any():
        first = int(np.flatnonzero(outside)[0])
        yield Finding(
            "times",
            "spikes lie outside t_start and t_stop",
            "widen t_start and t_stop, or leave the spikes out",
            f"{int(outside.sum())} of them, first {times[first]} {train.times.unit}",
        )


@rule("spiketrain", code="spikes-unsorted", severity=WARNING)
def _spikes_unsorted(train: Any) -> Iterator[Finding]:
    """Spikes are not in order; many analyses take the order for granted."""
    if np.any(np.diff(_times(train)) < 0):
        yield Finding("times", "are not in order", "sort them, with their waveforms")


@rule("spiketrain", code="spikes-repeated", severity=WARNING)
def _spikes_repeated(train: Any) -> Iterator[Finding]:
    """Two spikes of a train have the same time, which one neuron cannot do."""
    repeated = int(np.sum(np.diff(np.sort(_times(train))) == 0))
    if repeated:
        yield Finding("times", "one time stands more than once", "check the spike sorting", f"{repeated} times")


@rule("spiketrain", code="refractory-period", severity=WARNING)
def _refractory_period(train: Any) -> Iterator[Finding]:
    """More than one interval of a hundred is shorter than 1 ms: the train may mix several neurons."""
    times = np.sort(_times(train))
    if len(times) < _ENOUGH or not np.all(np.isfinite(times)):
        return
    short = float(np.mean(np.diff(times) * one_in_si(train.times.units) < 1e-3))
    if short > _SHORT_SHARE:
        yield Finding("times", "many spikes follow within 1 ms", "check the spike sorting", f"{short:.1%}")


@rule("spiketrain", "spike", code="left-sweep-outside", severity=WARNING)
def _left_sweep_outside(entity: Any) -> Iterator[Finding]:
    """The spike should lie within its waveform: ``left_sweep`` from 0 to the length of the waveform."""
    waveform = entity.waveform if entity.kind == "spike" else entity.waveforms
    if waveform is None or entity.left_sweep is None or entity.sampling_rate is None:
        return
    length, sweep = waveform.shape[-1] / in_si(entity.sampling_rate), in_si(entity.left_sweep)
    if np.any(sweep < 0) or np.any(sweep > length * (1 + _ROUNDING)):
        yield Finding("left_sweep", "lies outside the waveform", "give the time from its begin", entity.left_sweep)


@rule("spiketrain", code="waveforms-shape", severity=ERROR)
def _waveforms_shape(train: Any) -> Iterator[Finding]:
    """Waveforms have the axes spike, channel and time."""
    if train.waveforms is not None and train.waveforms.ndim != 3:
        shape = train.waveforms.shape
        yield Finding("waveforms", "do not have three axes", "give them the shape (spike, channel, time)", shape)


@rule("spiketrain", code="waveforms-without-unit", severity=WARNING)
def _waveforms_without_unit(train: Any) -> Iterator[Finding]:
    """Without a unit, amplitudes cannot be compared."""
    if train.waveforms is not None and train.waveforms.unit is None:
        yield Finding("waveforms", "have no unit", "relabel them with train.waveforms.with_unit('uV')")


@rule("spiketrain", code="waveforms-without-rate", severity=WARNING)
def _waveforms_without_rate(train: Any) -> Iterator[Finding]:
    """Without a rate, the waveforms have no time scale."""
    if train.waveforms is not None and train.sampling_rate is None:
        yield Finding("sampling_rate", "is missing, so the waveforms have no time scale", "set it")


@rule("spiketrain", code="waveforms-default-rate", severity=WARNING)
def _waveforms_default_rate(train: Any) -> Iterator[Finding]:
    """The waveforms are sampled at 1 Hz, which neo fills in where nobody says a rate."""
    if train.waveforms is not None and train.sampling_rate is not None and one_in_si(train.sampling_rate) == 1:
        yield Finding("sampling_rate", "is the one that neo fills in", "set that of the recording", train.sampling_rate)


@rule("spiketrain", code="bound-between-ticks", severity=ERROR)
def _bound_between_ticks(train: Any) -> Iterator[Finding]:
    """Times are integers, and a bound lies between two of them: programs that rebuild the train with neo cut it off."""
    if train.times is None or train.times.dtype.kind not in "iu":
        return
    for name in ("t_start", "t_stop"):
        bound = getattr(train, name)
        ticks = 0.0 if bound is None else one_in_si(bound) / one_in_si(train.times.units)
        if np.isfinite(ticks) and not math.isclose(ticks, round(ticks), rel_tol=_ROUNDING, abs_tol=_NO_TICK):
            yield Finding(name, "lies between two of the integer times", "give the times as float64", bound)


@rule("eventarray", "epocharray", code="labels-count", severity=ERROR)
def _labels_count(entity: Any) -> Iterator[Finding]:
    """There is one label for each time, or none at all."""
    yield from _count(entity, "labels")


@rule("epocharray", code="durations-count", severity=ERROR)
def _durations_count(entity: Any) -> Iterator[Finding]:
    """There is one duration for each time, or none at all."""
    yield from _count(entity, "durations")


@rule("epocharray", code="durations-missing", severity=WARNING)
def _durations_missing(epochs: Any) -> Iterator[Finding]:
    """Epochs without durations have a begin and no end."""
    if len(_times(epochs)) and (epochs.durations is None or not len(epochs.durations)):
        yield Finding("durations", "are missing", "set one for each time")


@rule("epocharray", code="duration-negative", severity=WARNING)
def _durations_negative(epochs: Any) -> Iterator[Finding]:
    """Durations are negative; some formats write -1 for an unknown one."""
    negative = 0 if epochs.durations is None else int(np.sum(np.asarray(epochs.durations) < 0))
    if negative:
        yield Finding("durations", "are negative", "some formats write -1 for unknown", f"{negative} of them")


@rule("epoch", code="duration-negative", severity=WARNING)
def _duration_negative(epoch: Any) -> Iterator[Finding]:
    """Durations are negative; some formats write -1 for an unknown one."""
    if epoch.duration is not None and np.any(np.asarray(epoch.duration) < 0):
        yield Finding("duration", "is negative", "some formats write -1 for unknown", epoch.duration)


def _times(entity: Any) -> npt.NDArray[Any]:
    return np.empty(0) if entity.times is None else np.asarray(entity.times).reshape(-1)


def _bound(train: Any, bound: Any, direction: int) -> float:
    """A bound in the unit of the times; widened by rounding where the units differ."""
    if unit_of_quantity(bound).text == train.times.unit:
        return float(bound.magnitude)
    limit = float(np.asarray(bound.rescale(train.times.units)))
    return limit + direction * 4 * float(np.spacing(limit))


def _count(entity: Any, name: str) -> Iterator[Finding]:
    values, times = getattr(entity, name), _times(entity)
    if values is not None and len(values) not in (0, len(times)):
        yield Finding(name, f"{len(values)} {name} for {len(times)} times", "give one for each time, or none")
