"""The field values of neo's data objects: signals, spike trains, events and epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import quantities as pq

from gnode_orm.convert.neo.proxies import loaded
from gnode_orm.convert.neo.raw_signals import RawSignal
from gnode_orm.convert.neo.reading import Reading, common
from gnode_orm.convert.neo.refusal import refuse
from gnode_orm.convert.neo.scaling import compound_parts
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.entity import Entity
from gnode_orm.core.fields import RateQuantity, TimeQuantity
from gnode_orm.core.quantity import to_columns, with_unit
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


# ---- signals


def _regular(reading: Reading) -> None:
    native = reading.native
    reading.scalar("t_start", TimeQuantity.accept, native.t_start, always=True)
    reading.scalar("sampling_rate", RateQuantity.accept, native.sampling_rate, always=True)
    reading.values["gain"] = reading.values["offset"] = None


def _samples(reading: Reading, reshape: Callable[[Any], Any]) -> None:
    native = reading.native
    if isinstance(native, RawSignal):
        signal = native.handle(reading.unit_of(native.units, "signal"), reshape)
        reading.values.update(signal=signal, gain=native.gain, offset=native.offset)
        return
    parts = compound_parts(native)
    if parts is None:
        reading.array("signal", reshape(native.magnitude), reading.unit_of(native, "signal"))
        return
    reading.values["gain"] = parts.gain
    reading.entries["compound"] = parts.text
    reading.array("signal", reshape(native.magnitude), parts.unit)


def _one_channel(reading: Reading) -> None:
    _regular(reading)
    _samples(reading, lambda samples: samples[:, 0])


def _channels(reading: Reading) -> None:
    _regular(reading)
    native = reading.native
    if hasattr(native, "spatial_scale"):
        return _images(reading)
    if native.ndim > 2:
        raise refuse(
            reading.path, f"a signal has the shape (time, channel), not {native.shape}", field="signal", value=native
        )
    if native.ndim < 2:
        # neo's constructor would make a column of it.
        reading.entries["shape"] = list(native.shape)
    _samples(reading, np.atleast_1d)


def _images(reading: Reading) -> None:
    native = reading.native
    if native.ndim != 3:
        raise refuse(
            reading.path, f"images have the shape (time, y, x), not {native.shape}", field="signal", value=native
        )
    frames, height, width = native.shape
    reading.entries["imagesequence"] = {"shape": [height, width], "spatial_scale": native.spatial_scale}
    _samples(reading, lambda samples: samples.reshape(frames, height * width))


def _irregular(reading: Reading) -> None:
    native = reading.native
    if native.ndim not in (1, 2):
        raise refuse(
            reading.path, f"a signal has the shape (time, channel), not {native.shape}", field="signal", value=native
        )
    column = native.ndim == 2 and native.shape[1] == 1
    if native.ndim == 1:
        reading.entries["shape"] = list(native.shape)
    samples = native.magnitude[:, 0] if column else native.magnitude
    reading.array("signal", samples, reading.unit_of(native, "signal"))
    reading.one_axis("times", native.times)
    reading.values["t_start"] = native.times[0] if len(native.times) else None


# ---- spikes


def _spike_train(reading: Reading) -> None:
    native = reading.native
    _waveform_facts(reading)
    reading.one_axis("times", native)
    reading.scalar("t_start", TimeQuantity.accept, native.t_start, always=True)
    reading.scalar("t_stop", TimeQuantity.accept, native.t_stop, always=True)
    waveforms = _waveforms(reading)
    if waveforms is not None and waveforms.size == 0 and waveforms.shape[:1] != native.shape:
        # neo has no objection to an empty array in place of none.
        reading.exact["waveforms"] = native.waveforms
        waveforms = None
    reading.values["waveforms"] = waveforms


def _spike(reading: Reading) -> None:
    native = reading.native
    _waveform_facts(reading)
    reading.values["time"] = time = _single(reading)
    for name in ("t_start", "t_stop"):
        bound = getattr(native, name)
        if not isinstance(bound, pq.Quantity) or to_columns(bound) != to_columns(time):
            reading.exact[name] = bound
    waveforms = _waveforms(reading)
    reading.values["waveform"] = None if waveforms is None else waveforms[0:1].reshape(waveforms.shape[1:])


def _waveform_facts(reading: Reading) -> None:
    native = reading.native
    if native.unit is not None:
        raise refuse(
            reading.path,
            "neo no longer keeps the attribute unit; put the train into a Group instead",
            field="unit",
            value=native.unit,
        )
    reading.scalar("left_sweep", TimeQuantity.accept, native.left_sweep)
    reading.scalar("sampling_rate", RateQuantity.accept, native.sampling_rate)


def _waveforms(reading: Reading) -> Any:
    waveforms: Any = reading.native.waveforms
    if waveforms is None:
        return None
    if not isinstance(waveforms, np.ndarray):
        raise refuse(reading.path, f"a {type(waveforms).__name__} is not an array", field="waveforms", value=waveforms)
    if isinstance(waveforms, pq.Quantity):
        return ArrayHandle.in_memory(np.asarray(waveforms), reading.unit_of(waveforms, "waveforms"))
    return ArrayHandle.in_memory(waveforms, None)


# ---- events and epochs


def _event_array(reading: Reading) -> None:
    native = reading.native
    reading.one_axis("times", native)
    labels = native.labels
    if labels is None or (labels.size == 0 and labels.dtype.kind not in "USiu"):
        reading.exact["labels"] = labels
        reading.values["labels"] = None
    else:
        reading.array("labels", labels, None)


def _epoch_array(reading: Reading) -> None:
    _event_array(reading)
    durations = reading.native.durations
    if durations is None:
        reading.exact["durations"] = reading.values["durations"] = None
    else:
        reading.one_axis("durations", durations)


def _event(reading: Reading) -> None:
    reading.values["time"] = _single(reading)
    labels = reading.native.labels
    reading.values["label"] = None
    if labels is None or not len(labels):
        return
    if labels.dtype.kind != "U":
        raise refuse(
            reading.path,
            f"a label of dtype {labels.dtype} needs an EventArray or EpochArray",
            field="label",
            value=labels,
        )
    reading.values["label"] = str(labels[0])
    if labels.dtype != np.array([str(labels[0])]).dtype:
        reading.entries["labels_dtype"] = labels.dtype.str


def _epoch(reading: Reading) -> None:
    _event(reading)
    durations = reading.native.durations
    reading.values["duration"] = None
    if durations is not None and len(durations):
        reading.values["duration"] = _element(reading, durations, "duration")


def _single(reading: Reading) -> Any:
    native = reading.native
    if native.shape != (1,):
        raise refuse(
            reading.path,
            f"{native.size} times do not fit an object of a single time; use the kind of arrays",
            field="time",
            value=native,
        )
    return _element(reading, native, "time")


def _element(reading: Reading, values: Any, name: str) -> Any:
    return with_unit(np.array(values.magnitude[0]), reading.unit_of(values, name))


_READERS: dict[type[Entity], Callable[[Reading], None]] = {
    AnalogSignal: _one_channel,
    AnalogSignalArray: _channels,
    IrregularlySampledSignal: _irregular,
    SpikeTrain: _spike_train,
    Spike: _spike,
    EventArray: _event_array,
    EpochArray: _epoch_array,
    Event: _event,
    Epoch: _epoch,
}
