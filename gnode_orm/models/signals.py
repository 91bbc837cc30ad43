"""Signals: regularly sampled with one or many channels, and irregularly sampled."""

from collections.abc import Sequence
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
from gnode_orm.core.time_index import slice_bounds, time_bound
from gnode_orm.errors import ValidationFailed
from gnode_orm.models.electrophysiology import DataEntity

if TYPE_CHECKING:  # named by text in the declarations below
    from gnode_orm.models.containers import RecordingChannel, RecordingChannelGroup, Segment

Channels = int | str | slice | Sequence[int | str] | None


class Signal(DataEntity):
    """What the three kinds of signal share."""

    signal: SampleArray = field(kw_only=False)

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

    def _channel_key(self, channels: Channels) -> Any:
        """Turn channel names and numbers into an index of the second axis."""
        if isinstance(channels, int | str):
            return self._channel_number(channels)
        if isinstance(channels, Sequence):
            return [self._channel_number(channel) for channel in channels]
        return channels

    def _channel_number(self, channel: int | str) -> int:
        count = self.shape[1] if len(self.shape) > 1 else 1
        if isinstance(channel, str):
            names = self.channel_names
            if channel not in names:
                raise ValidationFailed(
                    f"{self!r} has no channel {channel!r}; its channels are {names or list(range(count))}",
                    field="channels",
                    value=channel,
                )
            return names.index(channel)
        if not -count <= channel < count:
            raise ValidationFailed(
                f"{self!r} has {count} channels, no channel {channel}", field="channels", value=channel
            )
        return channel % count

    def _cut(self, values: Any, channels: Channels) -> dict[str, Any]:
        """The fields that a cut-out shares with its whole; per-channel annotations follow the channels."""
        kept = {"name": self.name, "description": self.description, "file_origin": self.file_origin}
        annotations = dict(self.array_annotations)
        key = self._channel_key(channels)
        if channels is not None and len(self.shape) > 1:
            picked = [key] if isinstance(key, int) else key
            annotations = {name: np.asarray(item)[picked] if _per_channel(item, self.shape[1]) else item
                           for name, item in annotations.items()}  # fmt: skip
        return {**kept, "signal": values, "annotations": self.annotations, "array_annotations": annotations}

    def plot(self, ax: Any = None, *, points: int = 2000) -> Any:
        """Draw the signal into a matplotlib axes, made when none is given, and return it."""
        from gnode_orm.models.plots import plot_signal

        return plot_signal(self, ax, points)


class RegularSignal(Signal):
    """What the two kinds of regularly sampled signal share."""

    t_start: TimeQuantity = field()
    sampling_rate: RateQuantity = field()
    gain: Scaling = field(description="physical = raw * gain + offset; one number, or one for each channel")
    offset: Scaling = field()

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
        return self._begin() + np.arange(self.shape[0]) / self._rate()

    def time_slice(self, t0: Any = None, t1: Any = None, *, channels: Channels = None) -> Self:
        """Cut out the samples with ``t0 <= time < t1`` as a new transient signal, reading only these.

        ``t0`` and ``t1`` are absolute times with a unit, ``None`` for the signal's own begin or end; ``channels`` is a
        number, a name, a slice, or a sequence of numbers and names.

        Raises:
            ValidationFailed: a bound without a unit or out of range, or an unknown channel.
        """
        first, last = slice_bounds(t0, t1, self._begin(), self._rate(), self.shape[0])
        key: Any = slice(first, last)
        if channels is not None and len(self.shape) > 1:
            number = self._channel_key(channels)
            key = (key, [number] if isinstance(number, int) else number)
        fields = self._cut(self._samples()[key], channels)
        begin = self._begin() + first / self._rate() if first else self._begin()
        return type(self)(**fields, t_start=begin, sampling_rate=self._rate(), gain=self.gain, offset=self.offset)

    def downsample(self, n: int, method: str = "minmax") -> Overview:
        """Give minimum and maximum in each of ``n`` equal stretches of time."""
        if method != "minmax":
            raise ValidationFailed(
                f"downsample knows the method 'minmax', not {method!r}", field="method", value=method
            )
        samples = self._samples()
        low, high, begins = minimum_maximum(samples, n)
        units = samples.units if samples.units is not None else pq.dimensionless
        times = self._begin() + begins / self._rate()
        return Overview(times, pq.Quantity(low, units), pq.Quantity(high, units))

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

    segment: Ref["Segment"] = ref("analogsignals")
    recordingchannel: Ref["RecordingChannel"] = ref("analogsignals")


class AnalogSignalArray(RegularSignal):
    """Several channels sampled together, shape (time, channel) (neo AnalogSignal)."""

    kind: ClassVar[str] = "analogsignalarray"
    __roots__: ClassVar[tuple[str, ...]] = ("segment", "recordingchannelgroup")

    segment: Ref["Segment"] = ref("analogsignalarrays")
    recordingchannelgroup: Ref["RecordingChannelGroup"] = ref("analogsignalarrays")


class IrregularlySampledSignal(Signal):
    """Samples with a time of their own each (neo IrregularlySampledSignal)."""

    kind: ClassVar[str] = "irregularlysampledsignal"
    __roots__: ClassVar[tuple[str, ...]] = ("segment", "recordingchannel")

    times: TimeArray = field()
    t_start: TimeQuantity = field()
    segment: Ref["Segment"] = ref("irregularlysampledsignals")
    recordingchannel: Ref["RecordingChannel"] = ref("irregularlysampledsignals")

    def check(self) -> None:
        """Check that there is one time for each sample."""
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
        return self.times[-1]

    @property
    def duration(self) -> Any:
        """From the first sample to the last."""
        return self.times[-1] - self.times[0]

    def time_slice(self, t0: Any = None, t1: Any = None, *, channels: Channels = None) -> Self:
        """Cut out the samples with ``t0 <= time < t1`` as a new transient signal."""
        times = self.times.load()
        runs = f"signal runs {times[0]:g} to {times[-1]:g}" if len(times) else "signal is empty"
        low = -np.inf * pq.s if t0 is None else time_bound(t0, runs)
        high = np.inf * pq.s if t1 is None else time_bound(t1, runs)
        first, last = np.searchsorted(times.rescale(pq.s).magnitude, [low.rescale(pq.s), high.rescale(pq.s)])
        key: Any = slice(int(first), int(last))
        samples_key = (key, self._channel_key(channels)) if channels is not None and len(self.shape) > 1 else key
        fields = self._cut(self._samples()[samples_key], channels)
        return type(self)(**fields, times=times[key])


def _per_channel(item: Any, channels: int) -> bool:
    return getattr(item, "shape", (0,))[:1] == (channels,)
