"""Containers after neo: blocks, segments, channel groups, channels and units."""

import datetime as dt
from typing import TYPE_CHECKING, Any, ClassVar

from gnode_orm.core.children import Children
from gnode_orm.core.fields import Mapped, Ref, field, ref
from gnode_orm.models.electrophysiology import ElectrophysiologyEntity
from gnode_orm.models.metadata import SafetyLevel, Section

if TYPE_CHECKING:  # named by text in the declarations below
    from gnode_orm.models.events import Epoch, EpochArray, Event, EventArray  # noqa: F401
    from gnode_orm.models.signals import AnalogSignal, AnalogSignalArray, IrregularlySampledSignal  # noqa: F401
    from gnode_orm.models.spikes import Spike, SpikeTrain  # noqa: F401


class Block(ElectrophysiologyEntity):
    """The root of a recording (neo Block)."""

    kind: ClassVar[str] = "block"
    __synonyms__: ClassVar[dict[str, str]] = {"file_datetime": "filedatetime"}

    name: Mapped[str | None] = field(default=None, kw_only=False)
    filedatetime: Mapped[dt.datetime | None] = field(default=None)
    index: Mapped[int | None] = field(default=None)
    safety_level: Mapped[SafetyLevel] = field(default=3, description="1 public, 2 friendly, 3 private")
    rec_datetime: Mapped[dt.datetime | None] = field(default=None)
    metadata: Ref["Section"] = ref("blocks", default=None)
    segments = Children["Segment"]("segment", fk="block")
    recordingchannelgroups = Children["RecordingChannelGroup"]("recordingchannelgroup", fk="block")

    @property
    def file_datetime(self) -> dt.datetime | None:
        """Neo's name for ``filedatetime``."""
        return self.filedatetime

    @file_datetime.setter
    def file_datetime(self, value: dt.datetime | None) -> None:
        self.filedatetime = value


class Segment(ElectrophysiologyEntity):
    """Data recorded over one stretch of time, such as a trial (neo Segment)."""

    kind: ClassVar[str] = "segment"
    __roots__: ClassVar[tuple[str, ...]] = ("block",)
    __synonyms__: ClassVar[dict[str, str]] = {"file_datetime": "filedatetime"}

    name: Mapped[str | None] = field(default=None, kw_only=False)
    filedatetime: Mapped[dt.datetime | None] = field(default=None)
    index: Mapped[int | None] = field(default=None)
    rec_datetime: Mapped[dt.datetime | None] = field(default=None)
    block: Ref["Block"] = ref("segments", default=None)
    metadata: Ref["Section"] = ref("segments", default=None)
    analogsignals = Children["AnalogSignal"]("analogsignal", fk="segment")
    analogsignalarrays = Children["AnalogSignalArray"]("analogsignalarray", fk="segment")
    irregularlysampledsignals = Children["IrregularlySampledSignal"]("irregularlysampledsignal", fk="segment")
    spiketrains = Children["SpikeTrain"]("spiketrain", fk="segment")
    spikes = Children["Spike"]("spike", fk="segment")
    events = Children["Event"]("event", fk="segment")
    eventarrays = Children["EventArray"]("eventarray", fk="segment")
    epochs = Children["Epoch"]("epoch", fk="segment")
    epocharrays = Children["EpochArray"]("epocharray", fk="segment")

    @property
    def file_datetime(self) -> dt.datetime | None:
        """Neo's name for ``filedatetime``."""
        return self.filedatetime

    @file_datetime.setter
    def file_datetime(self, value: dt.datetime | None) -> None:
        self.filedatetime = value

    @property
    def all_signals(self) -> list[Any]:
        """Signals of every kind: one channel, several channels, irregularly sampled."""
        return [*self.analogsignals, *self.analogsignalarrays, *self.irregularlysampledsignals]

    @property
    def all_events(self) -> list[Any]:
        """Single events and arrays of events."""
        return [*self.events, *self.eventarrays]

    @property
    def all_epochs(self) -> list[Any]:
        """Single epochs and arrays of epochs."""
        return [*self.epochs, *self.epocharrays]


class RecordingChannelGroup(ElectrophysiologyEntity):
    """Channels and units that belong together, such as a tetrode (neo Group)."""

    kind: ClassVar[str] = "recordingchannelgroup"
    __roots__: ClassVar[tuple[str, ...]] = ("block",)

    name: Mapped[str | None] = field(default=None, kw_only=False)
    block: Ref["Block"] = ref("recordingchannelgroups", default=None)
    recordingchannels = Children["RecordingChannel"]("recordingchannel", fk="recordingchannelgroups", many_to_many=True)
    units = Children["Unit"]("unit", fk="recordingchannelgroup")
    analogsignalarrays = Children["AnalogSignalArray"]("analogsignalarray", fk="recordingchannelgroup")


class RecordingChannel(ElectrophysiologyEntity):
    """One channel of a recording; may belong to several groups (neo Group, formerly RecordingChannel)."""

    kind: ClassVar[str] = "recordingchannel"

    name: Mapped[str | None] = field(default=None, kw_only=False)
    index: Mapped[int | None] = field(default=None)
    recordingchannelgroups = Children["RecordingChannelGroup"](
        "recordingchannelgroup", fk="recordingchannels", many_to_many=True
    )
    analogsignals = Children["AnalogSignal"]("analogsignal", fk="recordingchannel")
    irregularlysampledsignals = Children["IrregularlySampledSignal"]("irregularlysampledsignal", fk="recordingchannel")


class Unit(ElectrophysiologyEntity):
    """A sorted neuron (neo Group of spike trains, formerly Unit)."""

    kind: ClassVar[str] = "unit"
    __roots__: ClassVar[tuple[str, ...]] = ("recordingchannelgroup",)

    name: Mapped[str | None] = field(default=None, kw_only=False)
    recordingchannelgroup: Ref["RecordingChannelGroup"] = ref("units", default=None)
    spiketrains = Children["SpikeTrain"]("spiketrain", fk="unit")
    spikes = Children["Spike"]("spike", fk="unit")
