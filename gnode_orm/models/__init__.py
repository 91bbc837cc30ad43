"""The 18 models, one for each kind of the G-Node data API; parents are declared before children."""

from gnode_orm.models.metadata import Document, Property, Section, Value  # noqa: I001
from gnode_orm.models.containers import Block, RecordingChannel, RecordingChannelGroup, Segment, Unit
from gnode_orm.models.signals import AnalogSignal, AnalogSignalArray, IrregularlySampledSignal
from gnode_orm.models.spikes import Spike, SpikeTrain
from gnode_orm.models.events import Epoch, EpochArray, Event, EventArray
from gnode_orm.core.entity import Entity

MODELS: dict[str, type[Entity]] = {
    model.kind: model
    for model in (
        Document,
        Section,
        Property,
        Value,
        Block,
        Segment,
        RecordingChannelGroup,
        RecordingChannel,
        Unit,
        AnalogSignal,
        AnalogSignalArray,
        IrregularlySampledSignal,
        SpikeTrain,
        Spike,
        Event,
        Epoch,
        EventArray,
        EpochArray,
    )
}
"""The model of each kind."""

__all__ = [
    "MODELS",
    "AnalogSignal",
    "AnalogSignalArray",
    "Block",
    "Document",
    "Entity",
    "Epoch",
    "EpochArray",
    "Event",
    "EventArray",
    "IrregularlySampledSignal",
    "Property",
    "RecordingChannel",
    "RecordingChannelGroup",
    "Section",
    "Segment",
    "Spike",
    "SpikeTrain",
    "Unit",
    "Value",
]
