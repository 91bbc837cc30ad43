"""neo spike trains: their field values, and new ones from models."""

from __future__ import annotations

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
    one,
    own_copy,
    plain_copy,
    scalar,
)
from gnode_orm.convert.neo.reading import Reading
from gnode_orm.convert.neo.refusal import refuse
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.fields import RateQuantity, TimeQuantity
from gnode_orm.core.quantity import to_columns


def read_spike_train(reading: Reading) -> None:
    """Read a spike train."""
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


def read_single_spike(reading: Reading) -> None:
    """Read a spike train of one spike."""
    native = reading.native
    _waveform_facts(reading)
    reading.values["time"] = time = reading.single_time()
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


def write_spike_train(model: Any, path: str) -> Any:
    """Make a spike train."""
    times = needed(model, "times", path)
    native = measured(times).view(neo.SpikeTrain)
    native.t_start = exact_or(model, "t_start", 0.0 * pq.s)
    native.t_stop = needed_or_exact(model, "t_stop", path)
    waveforms = model.waveforms
    native.waveforms = exact_or(model, "waveforms", None) if waveforms is None else _optional_unit(waveforms)
    return _with_waveform_facts(native, model)


def write_single_spike(model: Any, path: str) -> Any:
    """Make a spike train of one spike."""
    time = needed(model, "time", path)
    native = one(time).view(neo.SpikeTrain)
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
    return own_copy(handle) if handle.unit is None else measured(handle)
