"""Spikes: trains of times, and single spikes."""

from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self

import numpy as np

from gnode_orm.core.fields import (
    RateQuantity,
    Ref,
    TimeArray,
    TimeQuantity,
    WaveformArray,
    field,
    ref,
)
from gnode_orm.core.quantity import is_before
from gnode_orm.core.time_index import out_of_range, time_bound
from gnode_orm.errors import ValidationFailed
from gnode_orm.models.electrophysiology import DataEntity, cut_along

if TYPE_CHECKING:  # named by text in the declarations below
    from gnode_orm.models.containers import Segment, Unit


class SpikeTrain(DataEntity):
    """Times at which one neuron fired (neo SpikeTrain)."""

    kind: ClassVar[str] = "spiketrain"
    __roots__: ClassVar[tuple[str, ...]] = ("segment", "unit")

    times: TimeArray = field(default=None, kw_only=False)
    t_start: TimeQuantity = field(default=None)
    t_stop: TimeQuantity = field(default=None)
    waveforms: WaveformArray = field(default=None, description="shape (spike, channel, time)")
    left_sweep: TimeQuantity = field(default=None, description="time from the begin of a waveform to its spike")
    sampling_rate: RateQuantity = field(default=None, description="sampling rate of the waveforms")
    segment: Ref["Segment"] = ref("spiketrains", default=None)
    unit: Ref["Unit"] = ref("spiketrains", default=None)

    def check(self) -> None:
        """Check that waveforms match the times and that the train does not end before it begins."""
        if self.waveforms is not None and self.times is not None and self.waveforms.shape[:1] != self.times.shape[:1]:
            self._refuse(
                "waveforms",
                self.waveforms,
                f"{self.waveforms.shape[0] if self.waveforms.shape else 0} waveforms for {len(self.times)} spikes; "
                "the shape (spike, channel, time) is needed",
            )
        if is_before(self._columns("t_stop"), self._columns("t_start")):
            self._refuse("t_stop", self.t_stop, f"{self.t_stop} is before t_start ({self.t_start})")

    def _refuse(self, name: str, value: Any, reason: str) -> NoReturn:
        raise ValidationFailed(f"SpikeTrain.{name}: {reason}", entity="SpikeTrain", field=name, value=value)

    @property
    def duration(self) -> Any:
        """From ``t_start`` to ``t_stop``, or ``None`` where either is not set."""
        return None if self.t_start is None or self.t_stop is None else self.t_stop - self.t_start

    def time_slice(self, t0: Any = None, t1: Any = None) -> Self:
        """Cut out the spikes with ``t0 <= time <= t1`` as a new transient train.

        Raises:
            ValidationFailed: a bound without a unit or out of range, or a train without times.
        """
        if self.times is None:
            self._refuse("times", None, "the train has no times to cut out")
        times = self.times.load()
        ends = [(word, end) for word, end in (("from", self.t_start), ("to", self.t_stop)) if end is not None]
        runs = "train runs" + "".join(f" {word} {end}" for word, end in ends) if ends else "the train has no bounds"
        begin = self.t_start if t0 is None else time_bound(t0, runs)
        end = self.t_stop if t1 is None else time_bound(t1, runs)
        self._check_bounds(begin, end, runs)
        keep = np.ones(len(times), bool)
        keep &= True if begin is None else np.asarray(times >= begin)
        keep &= True if end is None else np.asarray(times <= end)
        kept = ("name", "description", "file_origin", "left_sweep", "sampling_rate", "annotations")
        return type(self)(
            times=times[keep],
            t_start=begin,
            t_stop=end,
            waveforms=None if self.waveforms is None else self._waveforms_where(keep),
            array_annotations=cut_along(self.array_annotations, len(times), keep),
            **{name: getattr(self, name) for name in kept},
        )

    def _waveforms_where(self, keep: Any) -> Any:
        """Read the waveforms of some spikes: those from the first to the last of them, in one piece."""
        numbers = np.flatnonzero(keep)
        first, last = (numbers[0], numbers[-1] + 1) if len(numbers) else (0, 0)
        return self.waveforms[first:last][numbers - first]

    def _check_bounds(self, begin: Any, end: Any, runs: str) -> None:
        outside = any(bound is not None and self._outside(bound) for bound in (begin, end))
        if outside or (begin is not None and end is not None and end < begin):
            raise out_of_range(begin, end, runs)

    def _outside(self, bound: Any) -> bool:
        before = self.t_start is not None and bound < self.t_start
        return bool(before or (self.t_stop is not None and bound > self.t_stop))

    def plot(self, ax: Any = None) -> Any:
        """Draw the spikes as ticks into a matplotlib axes, made when none is given, and return it."""
        from gnode_orm.models.plots import plot_spikes

        if self.times is None:
            self._refuse("times", None, "the train has no times to draw")
        return plot_spikes(self, ax)


class Spike(DataEntity):
    """One spike (formerly neo Spike)."""

    kind: ClassVar[str] = "spike"
    __roots__: ClassVar[tuple[str, ...]] = ("segment", "unit")

    time: TimeQuantity = field(default=None, kw_only=False)
    waveform: WaveformArray = field(default=None, description="shape (channel, time)")
    left_sweep: TimeQuantity = field(default=None)
    sampling_rate: RateQuantity = field(default=None)
    segment: Ref["Segment"] = ref("spikes", default=None)
    unit: Ref["Unit"] = ref("spikes", default=None)
