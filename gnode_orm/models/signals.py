"""Signals: regularly sampled with one or many channels, and irregularly sampled."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import quantities as pq

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.fields import (
    RateQuantity,
    Ref,
    SampleArray,
    Scaling,
    TimeArray,
    TimeQuantity,
    field,
    ref,
)
from gnode_orm.core.overview import Overview, minimum_maximum
from gnode_orm.core.scaling import physical
from gnode_orm.core.time_index import out_of_range, slice_bounds, time_bound
from gnode_orm.errors import ValidationFailed
from gnode_orm.models.electrophysiology import DataEntity, cut_along

if TYPE_CHECKING:  # named by text in the declarations below
    from gnode_orm.models.containers import RecordingChannel, RecordingChannelGroup, Segment

Channels = int | str | slice | Sequence[int | str] | None
"""Which channels: a number, a name, a range, several numbers and names, or ``None`` for all."""


class Signal(DataEntity):
    """What the three kinds of signal share."""

    signal: SampleArray = field(default=None, kw_only=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the samples: (time,) or (time, channel)."""
        return self._samples().shape

    @property
    def units(self) -> Any:
        """Unit of the samples, as a quantity of one."""
        return self._samples().units

    @property
    def channel_names(self) -> list[str]:
        """Names of the channels, from the array annotation ``channel_names``; empty where there are none."""
        names = self.array_annotations.get("channel_names", ())
        return [str(name) for name in names]

    def _samples(self) -> ArrayHandle:
        samples: ArrayHandle | None = self.signal
        if samples is None:
            raise ValidationFailed(f"{self!r} has no samples", entity=type(self).__name__, field="signal")
        return samples

    def _picked(self, channels: Channels) -> list[int] | None:
        """Turn channel names and numbers into numbers; ``None`` for all channels."""
        if channels is None:
            return None
        count = self.shape[1] if len(self.shape) > 1 else 1
        if isinstance(channels, slice):
            return list(range(count))[channels]
        # An array of no dimension is no list, though it has what makes one.
        one = isinstance(channels, str) or not isinstance(channels, Iterable) or getattr(channels, "ndim", 1) == 0
        each: Any = [channels] if one else channels
        return [self._channel_number(channel, count) for channel in each]

    def _channel_number(self, channel: int | str, count: int) -> int:
        names = self.channel_names
        if isinstance(channel, str) and channel in names:
            return names.index(channel)
        if isinstance(channel, int | np.integer) and -count <= channel < count:
            return int(channel) % count
        raise ValidationFailed(
            f"{self!r} has no channel {channel!r}; its channels are {names or list(range(count))}",
            field="channels",
            value=channel,
        )

    def _cut(self, rows: slice, picked: list[int] | None) -> dict[str, Any]:
        """The fields of a cut-out, reading only its samples; per-channel annotations follow the channels."""
        samples: Any = self._samples()
        annotations: dict[str, Any] = self.array_annotations
        if picked is None or len(self.shape) == 1:
            values = samples[rows]
        else:
            values = samples[rows, covering(picked)][:, within(picked)]
            annotations = cut_along(annotations, self.shape[1], picked)
        kept = ("name", "description", "file_origin", "annotations")
        return {
            **{name: getattr(self, name) for name in kept},
            "signal": values,
            "array_annotations": annotations,
        }

    def downsample(self, n: int, method: str = "minmax") -> Overview:
        """Give minimum and maximum in each of ``n`` stretches.

        They have equally many samples; of a long signal within an eighth, so that extremes that are kept can be read.

        Raises:
            ValidationFailed: another method than ``"minmax"``, or ``n`` is no whole number above zero.
        """
        if method != "minmax":
            raise ValidationFailed(
                f"downsample knows the method 'minmax', not {method!r}", field="method", value=method
            )
        samples = self._samples()
        low, high, begins = minimum_maximum(samples, n)
        units = samples.units if samples.units is not None else pq.dimensionless
        return Overview(self._times_at(begins), pq.Quantity(low, units), pq.Quantity(high, units))

    @abstractmethod
    def _times_at(self, numbers: Any) -> Any:
        """Times of some samples."""

    def plot(self, ax: Any = None, *, points: int = 2000) -> Any:
        """Draw the signal into a matplotlib axes, made when none is given, and return it."""
        from gnode_orm.models.plots import plot_signal

        return plot_signal(self, ax, points)


class RegularSignal(Signal):
    """What the two kinds of regularly sampled signal share."""

    t_start: TimeQuantity = field(default=None)
    sampling_rate: RateQuantity = field(default=None)
    gain: Scaling = field(
        default=None, description="physical = raw * gain + offset; one number, or one for each channel"
    )
    offset: Scaling = field(default=None)

    @property
    def duration(self) -> Any:
        """Number of samples over the sampling rate."""
        return self.shape[0] / self._rate()

    @property
    def t_stop(self) -> Any:
        """Begin plus duration, in the unit of ``t_start``."""
        return self._begin() + self.duration

    @property
    def times(self) -> Any:
        """Time of each sample, shape (time,), in the unit of ``t_start``."""
        return self._times_at(np.arange(self.shape[0]))

    def time_slice(self, t0: Any = None, t1: Any = None, *, channels: Channels = None) -> Self:
        """Cut out the samples with ``t0 <= time < t1`` as a new transient signal, reading only these.

        ``t0`` and ``t1`` are absolute times with a unit, ``None`` for the signal's own begin or end; ``channels`` is a
        number, a name, a slice, or a sequence of numbers and names.

        Raises:
            ValidationFailed: a bound without a unit or out of range, or an unknown channel.
        """
        first, last = slice_bounds(t0, t1, self._begin(), self._rate(), self.shape[0])
        picked = self._picked(channels)
        begin = self._begin() + first / self._rate() if first else self._begin()
        return type(self)(
            **self._cut(slice(first, last), picked),
            t_start=begin,
            sampling_rate=self._rate(),
            gain=_scaling_of(self.gain, picked),
            offset=_scaling_of(self.offset, picked),
        )

    def physical(self, t0: Any = None, t1: Any = None, *, channels: Channels = None) -> Any:
        """Give the samples in their unit as a quantity: ``signal * gain + offset`` where there is a gain or offset.

        ``t0``, ``t1`` and ``channels`` are those of ``time_slice``; only what is asked for is read.
        """
        part = self if t0 is None and t1 is None and channels is None else self.time_slice(t0, t1, channels=channels)
        return part._scaled(part._samples().load())

    def downsample(self, n: int, method: str = "minmax") -> Overview:
        """Give minimum and maximum in each of ``n`` stretches, as physical values."""
        raw = super().downsample(n, method)
        low, high = self._scaled(raw.minimum), self._scaled(raw.maximum)
        # A negative gain turns them around.
        return Overview(raw.times, np.minimum(low, high), np.maximum(low, high)) if low is not raw.minimum else raw

    def _scaled(self, values: Any, picked: list[int] | None = None) -> Any:
        """Physical values for raw ones, of some channels."""
        if self.gain is None and self.offset is None:
            return values
        scaling = (_scaling_of(self.gain, picked), _scaling_of(self.offset, picked))
        return pq.Quantity(physical(np.asarray(values), *scaling), getattr(values, "units", pq.dimensionless))

    def _times_at(self, numbers: Any) -> Any:
        return self._begin() + numbers / self._rate()

    def _begin(self) -> Any:
        return 0 * pq.s if self.t_start is None else self.t_start

    def _rate(self) -> Any:
        if self.sampling_rate is None:
            raise ValidationFailed(
                f"{self!r} has no sampling_rate, so its samples have no times; set one such as 20*pq.kHz",
                entity=type(self).__name__,
                field="sampling_rate",
            )
        return self.sampling_rate


class AnalogSignal(RegularSignal):
    """One channel, regularly sampled (neo AnalogSignal of one channel)."""

    kind: ClassVar[str] = "analogsignal"
    __roots__: ClassVar[tuple[str, ...]] = ("segment", "recordingchannel")

    segment: Ref["Segment"] = ref("analogsignals", default=None)
    recordingchannel: Ref["RecordingChannel"] = ref("analogsignals", default=None)


class AnalogSignalArray(RegularSignal):
    """Several channels sampled together, shape (time, channel) (neo AnalogSignal)."""

    kind: ClassVar[str] = "analogsignalarray"
    __roots__: ClassVar[tuple[str, ...]] = ("segment", "recordingchannelgroup")

    segment: Ref["Segment"] = ref("analogsignalarrays", default=None)
    recordingchannelgroup: Ref["RecordingChannelGroup"] = ref("analogsignalarrays", default=None)


class IrregularlySampledSignal(Signal):
    """Samples with a time of their own each (neo IrregularlySampledSignal)."""

    kind: ClassVar[str] = "irregularlysampledsignal"
    __roots__: ClassVar[tuple[str, ...]] = ("segment", "recordingchannel")

    times: TimeArray = field(default=None)
    t_start: TimeQuantity = field(default=None)
    segment: Ref["Segment"] = ref("irregularlysampledsignals", default=None)
    recordingchannel: Ref["RecordingChannel"] = ref("irregularlysampledsignals", default=None)

    def check(self) -> None:
        """Check that there is one time for each sample.

        Raises:
            ValidationFailed: there are more times, or fewer.
        """
        if self.signal is not None and self.times is not None and self.signal.shape[:1] != self.times.shape[:1]:
            raise ValidationFailed(
                f"{type(self).__name__}.times: {self.times.shape[0]} times for {self.shape[0]} samples; "
                "one time for each sample is needed",
                entity=type(self).__name__,
                field="times",
                value=self.times,
            )

    @property
    def t_stop(self) -> Any:
        """Time of the last sample."""
        return self._known_times()[-1]

    @property
    def duration(self) -> Any:
        """From the first sample to the last."""
        times = self._known_times()
        return times[-1] - times[0]

    def time_slice(self, t0: Any = None, t1: Any = None, *, channels: Channels = None) -> Self:
        """Cut out the samples with ``t0 <= time < t1`` as a new transient signal.

        Raises:
            ValidationFailed: a bound without a unit or out of range, or an unknown channel.
        """
        times = self._known_times().load()
        first, last = _bounds_among(times, t0, t1)
        fields = self._cut(slice(first, last), self._picked(channels))
        return type(self)(**fields, times=times[first:last])

    def _known_times(self) -> Any:
        if self.times is None or len(self.times) == 0:
            raise ValidationFailed(f"{self!r} has no times", entity=type(self).__name__, field="times")
        return self.times

    def _times_at(self, numbers: Any) -> Any:
        return self._known_times().load()[numbers]


def _bounds_among(times: Any, t0: Any, t1: Any) -> tuple[int, int]:
    """Find the samples of ``t0 <= time < t1`` among times that rise."""
    values = np.asarray(times)
    runs = f"signal runs {times[0]:g} to {times[-1]:g}"
    if (np.diff(values) < 0).any():
        raise ValidationFailed(f"time_slice needs times that rise ({runs})", field="times", value=times)
    bounds = [None if bound is None else time_bound(bound, runs).rescale(times.units) for bound in (t0, t1)]
    low, high = (None if bound is None else bound.magnitude.item() for bound in bounds)
    if any(bound is not None and not values[0] <= bound <= values[-1] for bound in (low, high)):
        raise out_of_range(t0, t1, runs)
    if low is not None and high is not None and high < low:
        raise ValidationFailed(f"time_slice ends at {t1}, before it begins at {t0} ({runs})", value=(t0, t1))
    first = 0 if low is None else int(np.searchsorted(values, low))
    last = len(values) if high is None else int(np.searchsorted(values, high))
    return first, last


def covering(picked: list[int]) -> slice:
    """The smallest range of channels that holds some of them: stores read ranges."""
    return slice(min(picked, default=0), max(picked, default=-1) + 1)


def within(picked: list[int]) -> list[int]:
    """Where some channels stand within the range that covers them."""
    first = min(picked, default=0)
    return [number - first for number in picked]


def _scaling_of(scaling: Any, picked: list[int] | None) -> Any:
    """Gain or offset of some channels."""
    if picked is None or not isinstance(scaling, tuple):
        return scaling
    return tuple(scaling[number] for number in picked)
