"""neo events and epochs: their field values, and new ones from models."""

from __future__ import annotations

from typing import Any

import neo
import numpy as np
import quantities as pq

from gnode_orm.convert.neo.extension import extension_of
from gnode_orm.convert.neo.field_values import exact_or, measured, needed, one, own_copy
from gnode_orm.convert.neo.reading import Reading
from gnode_orm.convert.neo.refusal import refuse


def read_events(reading: Reading) -> None:
    """Read events."""
    native = reading.native
    reading.one_axis("times", native)
    labels = native.labels
    if labels is None or (labels.size == 0 and labels.dtype.kind not in "USiu"):
        reading.exact["labels"] = labels
        reading.values["labels"] = None
    else:
        reading.array("labels", labels, None)


def read_epochs(reading: Reading) -> None:
    """Read epochs."""
    read_events(reading)
    durations = reading.native.durations
    if durations is None:
        reading.exact["durations"] = reading.values["durations"] = None
    else:
        reading.one_axis("durations", durations)


def read_single_event(reading: Reading) -> None:
    """Read the events of one event."""
    reading.values["time"] = reading.single_time()
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


def read_single_epoch(reading: Reading) -> None:
    """Read the epochs of one epoch."""
    read_single_event(reading)
    durations = reading.native.durations
    reading.values["duration"] = None
    if durations is not None and len(durations):
        reading.values["duration"] = reading.first(durations, "duration")


def write_events(model: Any, path: str) -> Any:
    """Make events."""
    return _labelled(model, path, neo.Event)


def write_epochs(model: Any, path: str) -> Any:
    """Make epochs."""
    native = _labelled(model, path, neo.Epoch)
    durations = model.durations
    native._durations = exact_or(model, "durations", pq.Quantity([], "s")) if durations is None else measured(durations)
    return native


def _labelled(model: Any, path: str, cls: type) -> Any:
    native = measured(needed(model, "times", path)).view(cls)
    labels = model.labels
    native._labels = exact_or(model, "labels", np.array([], "U")) if labels is None else own_copy(labels)
    return native


def write_single_event(model: Any, path: str) -> Any:
    """Make the events of one event."""
    native = one(needed(model, "time", path)).view(neo.Event)
    native._labels = _label(model)
    return native


def write_single_epoch(model: Any, path: str) -> Any:
    """Make the epochs of one epoch."""
    native = one(needed(model, "time", path)).view(neo.Epoch)
    native._labels = _label(model)
    native._durations = pq.Quantity([], "s") if model.duration is None else one(model.duration)
    return native


def _label(model: Any) -> Any:
    if model.label is None:
        return np.array([], "U")
    dtype = extension_of(model).get("labels_dtype")
    wide_enough = dtype is not None and np.dtype(dtype).itemsize // 4 >= len(model.label)
    return np.array([model.label], dtype=dtype if wide_enough else None)
