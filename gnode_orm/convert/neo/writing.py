"""One neo object from one model of data. Arrays are copies, so that neo may change them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import neo
import numpy as np
import quantities as pq
from neo.core.dataobject import ArrayDict

from gnode_orm.convert.filled_names import name_in_file
from gnode_orm.convert.neo.extension import extension_of
from gnode_orm.convert.neo.refusal import refuse
from gnode_orm.convert.neo.scaling import parts_of_text
from gnode_orm.core.annotations import plain
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.entity import Entity
from gnode_orm.core.scaling import physical
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


def describe(native: Any, model: Any) -> None:
    """Give a neo object what all of them have."""
    native.name = name_in_file(model)
    native.description = model.description
    native.file_origin = model.file_origin
    native.annotations = plain(model.annotations)


def array_annotations(native: Any, values: dict[str, Any]) -> ArrayDict:
    """Make neo's dictionary of array annotations around values that were in one before."""
    kept = ArrayDict(native._get_arr_ann_length())
    dict.update(kept, values)
    return kept


def exact_or(model: Entity, name: str, default: Any) -> Any:
    """Give a field, what it could not hold, or neo's default."""
    value = getattr(model, name)
    if value is not None:
        return scalar(value) if isinstance(value, pq.Quantity) else value
    exact = extension_of(model).get("exact", {})
    return plain_copy(exact[name]) if name in exact else default


def plain_copy(value: Any) -> Any:
    """Copy what neo may change."""
    return value.copy() if isinstance(value, np.ndarray) else value


def scalar(value: Any) -> Any:
    """Copy a scalar quantity."""
    return quantity(np.array(value.magnitude), value._dimensionality)


def quantity(array: Any, dimensionality: Any) -> Any:
    """View an array as a quantity without parsing a unit."""
    view: Any = array.view(pq.Quantity)
    view._dimensionality = dimensionality
    return view


def own_copy(handle: ArrayHandle) -> Any:
    """Load an array that nobody else holds, in C order."""
    return np.array(handle.magnitude, order="C")


def _measured(handle: ArrayHandle) -> Any:
    return quantity(own_copy(handle), handle.dimensionality)


def _needed(model: Any, name: str, path: str) -> Any:
    value = getattr(model, name)
    if value is None:
        raise refuse(path, f"neo cannot make a {type(model).__name__} without it; set it", field=name)
    return value


# ---- signals


def _samples(model: Any, path: str) -> Any:
    """The samples with the unit that neo had: one with a factor, or physical values in place of raw ones."""
    handle = _needed(model, "signal", path)
    if handle.unit is None:
        raise refuse(path, "the samples have no unit", field="signal", value=handle)
    if model.gain is None and model.offset is None:
        return _measured(handle)
    compound = _compound(model, handle)
    if compound is not None:
        return quantity(own_copy(handle), compound)
    return quantity(physical(handle.magnitude, model.gain, model.offset), handle.dimensionality)


def _compound(model: Any, handle: ArrayHandle) -> Any:
    """The unit with a factor that gain and unit were taken from, if both still say the same."""
    parts = parts_of_text(extension_of(model).get("compound", ""))
    if parts is None or parts.gain != model.gain or parts.unit.text != handle.unit or model.offset is not None:
        return None
    return pq.CompoundUnit(parts.text).dimensionality


def _shaped(model: Any, samples: Any, cls: type) -> Any:
    """View samples as a signal of neo, one channel as a column."""
    shape = extension_of(model).get("shape")
    if shape is not None and math.prod(shape) == samples.size:
        samples = samples.reshape(shape)
    elif samples.ndim == 1:
        samples = samples.reshape(-1, 1)
    return samples.view(cls)


def _analog_signal(model: Any, path: str) -> Any:
    images = extension_of(model).get("imagesequence")
    samples = _samples(model, path)
    if images is None:
        native = _shaped(model, samples, neo.AnalogSignal)
        native._sampling_rate = _rate(model, path)
    else:
        native = _image_sequence(model, samples, images, path)
    native._t_start = exact_or(model, "t_start", 0 * pq.s)
    return native


def _rate(model: Any, path: str) -> Any:
    missing = object()
    rate = exact_or(model, "sampling_rate", missing)
    return _needed(model, "sampling_rate", path) if rate is missing else rate


def _image_sequence(model: Any, samples: Any, images: Any, path: str) -> Any:
    height, width = images["shape"]
    if samples.ndim != 2 or samples.shape[1] != height * width:
        raise refuse(path, f"{samples.shape} are no images of {height} x {width} pixels", field="signal")
    native = samples.reshape(samples.shape[0], height, width).view(neo.ImageSequence)
    native.sampling_rate = _rate(model, path)
    native.spatial_scale = plain_copy(images["spatial_scale"])
    return native


def _irregular(model: Any, path: str) -> Any:
    handle = _needed(model, "signal", path)
    native = _shaped(model, _measured(handle), neo.IrregularlySampledSignal)
    native.times = _measured(_needed(model, "times", path))
    return native


# ---- spikes


def _spike_train(model: Any, path: str) -> Any:
    times = _needed(model, "times", path)
    native = _measured(times).view(neo.SpikeTrain)
    native.t_start = exact_or(model, "t_start", 0.0 * pq.s)
    missing = object()
    t_stop = exact_or(model, "t_stop", missing)
    native.t_stop = _needed(model, "t_stop", path) if t_stop is missing else t_stop
    waveforms = model.waveforms
    native.waveforms = exact_or(model, "waveforms", None) if waveforms is None else _optional_unit(waveforms)
    return _with_waveform_facts(native, model)


def _spike(model: Any, path: str) -> Any:
    time = _needed(model, "time", path)
    native = _one(time).view(neo.SpikeTrain)
    exact = extension_of(model).get("exact", {})
    native.t_start = plain_copy(exact["t_start"]) if "t_start" in exact else scalar(time)
    native.t_stop = plain_copy(exact["t_stop"]) if "t_stop" in exact else scalar(time)
    waveform = None if model.waveform is None else _optional_unit(model.waveform)
    native.waveforms = None if waveform is None else waveform.reshape((1, *waveform.shape))
    return _with_waveform_facts(native, model)


def _with_waveform_facts(native: Any, model: Any) -> Any:
    native.left_sweep = exact_or(model, "left_sweep", None)
    native.sampling_rate = exact_or(model, "sampling_rate", None)
    native.unit = None
    return native


def _optional_unit(handle: ArrayHandle) -> Any:
    return own_copy(handle) if handle.unit is None else _measured(handle)


# ---- events and epochs


def _event_array(model: Any, path: str) -> Any:
    return _labelled(model, path, neo.Event)


def _epoch_array(model: Any, path: str) -> Any:
    native = _labelled(model, path, neo.Epoch)
    durations = model.durations
    native._durations = (
        exact_or(model, "durations", pq.Quantity([], "s")) if durations is None else _measured(durations)
    )
    return native


def _labelled(model: Any, path: str, cls: type) -> Any:
    native = _measured(_needed(model, "times", path)).view(cls)
    labels = model.labels
    native._labels = exact_or(model, "labels", np.array([], "U")) if labels is None else own_copy(labels)
    return native


def _event(model: Any, path: str) -> Any:
    native = _one(_needed(model, "time", path)).view(neo.Event)
    native._labels = _label(model)
    return native


def _epoch(model: Any, path: str) -> Any:
    native = _one(_needed(model, "time", path)).view(neo.Epoch)
    native._labels = _label(model)
    native._durations = pq.Quantity([], "s") if model.duration is None else _one(model.duration)
    return native


def _label(model: Any) -> Any:
    if model.label is None:
        return np.array([], "U")
    dtype = extension_of(model).get("labels_dtype")
    wide_enough = dtype is not None and np.dtype(dtype).itemsize // 4 >= len(model.label)
    return np.array([model.label], dtype=dtype if wide_enough else None)


def _one(value: Any) -> Any:
    return quantity(np.array(value.magnitude).reshape(1), value._dimensionality)


_WRITERS: dict[type[Entity], Callable[[Any, str], Any]] = {
    AnalogSignal: _analog_signal,
    AnalogSignalArray: _analog_signal,
    IrregularlySampledSignal: _irregular,
    SpikeTrain: _spike_train,
    Spike: _spike,
    EventArray: _event_array,
    EpochArray: _epoch_array,
    Event: _event,
    Epoch: _epoch,
}
