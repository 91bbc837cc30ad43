"""One neo object from one model of data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gnode_orm.convert.neo.events import write_epochs, write_events, write_single_epoch, write_single_event
from gnode_orm.convert.neo.field_values import array_annotations, describe
from gnode_orm.convert.neo.signals import write_irregular, write_regular
from gnode_orm.convert.neo.spikes import write_single_spike, write_spike_train
from gnode_orm.core.annotations import plain
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


def write_data(model: Any, path: str) -> Any:
    """Make the neo object of a signal, spike train, event or epoch, hung nowhere.

    Raises:
        ValidationFailed: the model lacks what neo demands, such as a sampling rate.
    """
    native = _WRITERS[next(base for base in type(model).__mro__ if base in _WRITERS)](model, path)
    native.segment = None
    describe(native, model)
    native.array_annotations = array_annotations(native, plain(model.array_annotations))
    return native


_WRITERS: dict[type[Entity], Callable[[Any, str], Any]] = {
    AnalogSignal: write_regular,
    AnalogSignalArray: write_regular,
    IrregularlySampledSignal: write_irregular,
    SpikeTrain: write_spike_train,
    Spike: write_single_spike,
    EventArray: write_events,
    EpochArray: write_epochs,
    Event: write_single_event,
    Epoch: write_single_epoch,
}
