"""Time series of NWB files as neo signals, and their annotations as events.

``left`` collects what has no counterpart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gnode_orm.files.foreign_units import foreign_unit
from gnode_orm.files.nwb_values import fields_of

_NOT_ANNOTATED = frozenset({"data", "timestamps", "starting_time", "rate", "unit", "conversion", "offset",
                            "channel_conversion", "interval", "starting_time_unit", "timestamps_unit", "description",
                            "electrodes", "timestamp_link", "data_link"})  # fmt: skip


def signal_of(series: Any, raw: bool, left: list[str]) -> Any:
    """Make a signal of a series; ``None`` where its samples have no counterpart."""
    import neo
    import quantities as pq

    if getattr(series.data, "shape", None) is None or series.data.dtype.kind not in "iuf" or series.data.ndim > 2:
        return None
    unit, original = foreign_unit(series.unit)
    samples, unit = _scaled(series, np.asarray(series.data[:]), unit, raw)
    if series.rate is not None:
        signal = neo.AnalogSignal(
            samples,
            units=unit,
            sampling_rate=float(series.rate) * pq.Hz,
            t_start=float(series.starting_time or 0.0) * pq.s,
        )
    elif series.timestamps is not None and len(series.timestamps) == len(samples):
        signal = neo.IrregularlySampledSignal(np.asarray(series.timestamps[:]), samples, units=unit, time_units="s")
    else:
        return None
    signal.name, signal.description = series.name, series.description
    _annotate(signal, series, left)
    if original:
        signal.annotate(unit_in_file=original)
    signal.array_annotate(**_electrodes(series, signal.shape[1]))
    return signal


def _scaled(series: Any, data: Any, unit: Any, raw: bool) -> tuple[Any, Any]:
    import quantities as pq

    factor, offset, each = float(series.conversion), float(series.offset), getattr(series, "channel_conversion", None)
    if factor == 1.0 and offset == 0.0 and each is None:
        return data, unit
    if raw and offset == 0.0 and each is None and data.dtype.kind in "iu" and factor > 0:
        return data, pq.CompoundUnit(f"{factor!r}*{unit.dimensionality.string}")
    scaled = data.astype(np.result_type(data.dtype, np.float32)) * np.float64(factor)
    if each is not None:
        scaled = scaled * np.asarray(each[:])
    return (scaled + offset).astype(np.result_type(data.dtype, np.float32)), unit


def _annotate(made: Any, series: Any, left: list[str]) -> None:
    """Keep what a series says beside its samples, and where in the file it stands."""
    said = dict(fields_of(series, _NOT_ANNOTATED, left))
    made.annotate(nwb_type=type(series).__name__, nwb_path=_path_of(series), **said)


def _path_of(item: Any) -> str:
    """The names of the containers above an object, and its own; below the file, the group that it is in."""
    names, above = [str(item.name)], item.parent
    while above is not None and above.parent is not None:
        names.append(str(above.name))
        above = above.parent
    groups = ("acquisition", "stimulus", "stimulus_template", "analysis", "processing")
    for group in groups if above is not None else ():
        if names[-1] in (getattr(above, group, None) or ()):
            names.append(group)
            break
    return "/".join(reversed(names))


def event_of(series: Any) -> Any:
    """Make events of a series of annotations."""
    import neo
    import quantities as pq

    times = np.asarray(series.timestamps[:], float) * pq.s
    event = neo.Event(times, labels=np.array([str(text) for text in series.data[:]], "U"))
    event.name, event.description = series.name, series.description
    event.annotate(nwb_type=type(series).__name__, nwb_path=_path_of(series))
    return event


def _electrodes(series: Any, channels: int) -> dict[str, Any]:
    region = getattr(series, "electrodes", None)
    if region is None or len(region.data) != channels:
        return {}
    rows = np.asarray(region.data[:])
    found = {"channel_ids": rows}
    for name in ("label", "channel_name", "location", "group_name"):
        if name in region.table.colnames:
            found[name] = np.array([str(value) for value in np.asarray(region.table[name].data[:])[rows]])
    return found
