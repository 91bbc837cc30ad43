"""neo signals and image sequences: their field values, and new ones from models."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import neo
import numpy as np
import quantities as pq

from gnode_orm.convert.neo.extension import extension_of
from gnode_orm.convert.neo.field_values import (
    exact_or,
    measured,
    needed,
    needed_or_exact,
    own_copy,
    plain_copy,
    quantity,
)
from gnode_orm.convert.neo.raw_signals import RawSignal
from gnode_orm.convert.neo.reading import Reading
from gnode_orm.convert.neo.refusal import refuse
from gnode_orm.convert.neo.scaling import compound_parts, parts_of_text
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.fields import RateQuantity, TimeQuantity
from gnode_orm.core.scaling import physical
from gnode_orm.errors import ValidationFailed


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


def read_one_channel(reading: Reading) -> None:
    """Read a regularly sampled signal of one channel."""
    _regular(reading)
    _samples(reading, lambda samples: samples[:, 0])


def read_channels(reading: Reading) -> None:
    """Read a regularly sampled signal of any number of channels, or an image sequence."""
    _regular(reading)
    native = reading.native
    if hasattr(native, "spatial_scale"):
        return _images(reading)
    if native.ndim > 2:
        raise _wrong_shape(reading, "a signal has the shape (time, channel)")
    if native.ndim < 2:
        # neo's constructor would make a column of it.
        reading.entries["shape"] = list(native.shape)
    _samples(reading, np.atleast_1d)


def _images(reading: Reading) -> None:
    native = reading.native
    if native.ndim != 3:
        raise _wrong_shape(reading, "images have the shape (time, y, x)")
    frames, height, width = native.shape
    reading.entries["imagesequence"] = {"shape": [height, width], "spatial_scale": native.spatial_scale}
    _samples(reading, lambda samples: samples.reshape(frames, height * width))


def read_irregular(reading: Reading) -> None:
    """Read a signal with times of its own."""
    native = reading.native
    if native.ndim not in (1, 2):
        raise _wrong_shape(reading, "a signal has the shape (time, channel)")
    column = native.ndim == 2 and native.shape[1] == 1
    if native.ndim == 1:
        reading.entries["shape"] = list(native.shape)
    samples = native.magnitude[:, 0] if column else native.magnitude
    reading.array("signal", samples, reading.unit_of(native, "signal"))
    reading.one_axis("times", native.times)
    reading.values["t_start"] = native.times[0] if len(native.times) else None


def _wrong_shape(reading: Reading, needed: str) -> ValidationFailed:
    native = reading.native
    return refuse(reading.path, f"{needed}, not {native.shape}", field="signal", value=native)


def _physical_samples(model: Any, path: str) -> Any:
    """The samples with the unit that neo had: one with a factor, or physical values in place of raw ones."""
    handle = needed(model, "signal", path)
    if handle.unit is None:
        raise refuse(path, "the samples have no unit", field="signal", value=handle)
    if model.gain is None and model.offset is None:
        return measured(handle)
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


def write_regular(model: Any, path: str) -> Any:
    """Make a regularly sampled signal, or the image sequence that it was."""
    images = extension_of(model).get("imagesequence")
    samples = _physical_samples(model, path)
    if images is None:
        native = _shaped(model, samples, neo.AnalogSignal)
        native._sampling_rate = needed_or_exact(model, "sampling_rate", path)
    else:
        native = _image_sequence(model, samples, images, path)
    native._t_start = exact_or(model, "t_start", 0 * pq.s)
    return native


def _image_sequence(model: Any, samples: Any, images: Any, path: str) -> Any:
    height, width = images["shape"]
    if samples.ndim != 2 or samples.shape[1] != height * width:
        raise refuse(path, f"{samples.shape} are no images of {height} x {width} pixels", field="signal")
    native = samples.reshape(samples.shape[0], height, width).view(neo.ImageSequence)
    native.sampling_rate = needed_or_exact(model, "sampling_rate", path)
    native.spatial_scale = plain_copy(images["spatial_scale"])
    return native


def write_irregular(model: Any, path: str) -> Any:
    """Make a signal with times of its own."""
    handle = needed(model, "signal", path)
    native = _shaped(model, measured(handle), neo.IrregularlySampledSignal)
    native.times = measured(needed(model, "times", path))
    return native
