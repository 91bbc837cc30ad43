"""The field values of neo's data objects: signals, spike trains, events and epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gnode_orm.convert.neo.events import read_epochs, read_events, read_single_epoch, read_single_event
from gnode_orm.convert.neo.proxies import loaded
from gnode_orm.convert.neo.reading import Reading, common
from gnode_orm.convert.neo.refusal import refuse
from gnode_orm.convert.neo.signals import read_channels, read_irregular, read_one_channel
from gnode_orm.convert.neo.spikes import read_single_spike, read_spike_train
from gnode_orm.core.entity import Entity
from gnode_orm.models import (
    AnalogSignal,
    AnalogSignalArray,
    Epoch,
    EpochArray,
    Event,
    EventArray,
    IrregularlySampledSignal,
    Spike,
    SpikeTrain,
)


def read_data(native: Any, path: str, model: type[Entity]) -> Reading:
    """Read signals, spike trains, events or epochs for a model of the given class."""
    native = loaded(native)
    try:
        reading = common(native, path)
        reading.values["array_annotations"] = native.array_annotations
        _READERS[next(base for base in model.__mro__ if base in _READERS)](reading)
    except AttributeError as error:
        # neo itself makes such objects, for instance by slicing an ImageSequence.
        raise refuse(path, f"the neo object is incomplete: {error}", value=native) from None
    return reading


_READERS: dict[type[Entity], Callable[[Reading], None]] = {
    AnalogSignal: read_one_channel,
    AnalogSignalArray: read_channels,
    IrregularlySampledSignal: read_irregular,
    SpikeTrain: read_spike_train,
    Spike: read_single_spike,
    EventArray: read_events,
    EpochArray: read_epochs,
    Event: read_single_event,
    Epoch: read_single_epoch,
}
