"""Rules for the channels of signals: what they are called, and what their samples look like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import ref

import numpy as np

from gnode_orm.files.validation.registry import Finding, rule
from gnode_orm.files.validation.report import ERROR, WARNING
from gnode_orm.files.validation.sample_statistics import SampleStatistics, sample_statistics

_REGULAR = ("analogsignal", "analogsignalarray")
_ALL = (*_REGULAR, "irregularlysampledsignal")
_ARRAYS = ("spiketrain", "eventarray", "epocharray")
_NAN_SHARE = 0.01
# Fewer samples than this say nothing about a channel.
_ENOUGH = 10


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


@rule(*_ALL, *_ARRAYS, code="array-annotations-count", severity=ERROR)
def _array_annotations_count(entity: Any) -> Iterator[Finding]:
    """An array annotation does not have one value for each channel, spike, event or epoch; neo refuses it."""
    count = _annotated_count(entity)
    for name, values in (entity.array_annotations or {}).items():
        if name == "channel_names" or count is None or not isinstance(values, np.ndarray | list):
            continue
        if np.shape(values)[:1] != (count,):
            yield Finding("array_annotations", f"{name!r} should have {count} values", "give one for each", values)


@rule("recordingchannelgroup", code="view-repeats-channel", severity=WARNING)
def _view_repeats_channel(group: Any) -> Iterator[Finding]:
    """A view of neo shows a channel more than once."""
    numbers, counts = np.unique(np.asarray((group.ext or {}).get("view", {}).get("index", ())), return_counts=True)
    repeated = numbers[counts > 1].tolist()
    if repeated:
        yield Finding(None, "the view shows a channel more than once", "name each channel once", repeated)


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


def _annotated_count(entity: Any) -> int | None:
    """How many values an array annotation has; ``None`` where there is nothing to count."""
    if entity.kind in _ARRAYS:
        return None if entity.times is None else len(entity.times)
    # What neo keeps in another shape is annotated along an axis that is none here.
    return None if {"imagesequence", "shape"} & set(entity.ext or ()) else _channel_count(entity)
