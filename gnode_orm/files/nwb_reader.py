"""NWB files that neo refuses, as neo blocks of one segment, read by the package pynwb.

    TimeSeries with a rate, with timestamps     AnalogSignal, IrregularlySampledSignal
    units                                       SpikeTrain, one for each row
    intervals, trials, epochs                   Epoch, one for each table
    session and subject                         annotations of the block

Everything else is named in a warning.
"""

from __future__ import annotations

import datetime as dt
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gnode_orm.files.foreign_units import foreign_unit

_SESSION = ("identifier", "session_id", "experiment_description", "institution", "lab", "notes", "pharmacology",
            "protocol", "slices", "source_script", "surgery", "virus", "stimulus_notes", "data_collection")  # fmt: skip
_SUBJECT = ("age", "description", "genotype", "sex", "species", "strain", "subject_id", "weight")
_NOT_ANNOTATED = {"data", "timestamps", "starting_time", "rate", "unit", "conversion", "offset", "channel_conversion",
                  "interval", "starting_time_unit", "timestamps_unit", "description", "electrodes"}  # fmt: skip


def read_nwb(path: Path, *, raw: bool = False) -> Any:
    """Read a file into a neo block; with ``raw``, integers with one factor for all channels stay integers."""
    import pynwb

    with pynwb.NWBHDF5IO(str(path), "r", load_namespaces=True) as file:
        return _block(file.read(), path.name, raw)


def _block(session: Any, origin: str, raw: bool) -> Any:
    import neo

    block = neo.Block(
        description=session.session_description or None,
        file_origin=origin,
        rec_datetime=session.session_start_time,
    )
    block.annotate(**dict(_facts(session)))
    segment = neo.Segment(index=0, file_origin=origin, rec_datetime=session.session_start_time)
    block.segments.append(segment)
    left: Counter[str] = Counter()
    for item in sorted(session.objects.values(), key=lambda item: str(item.name)):
        _take(item, segment, left, raw)
    for what, count in left.items():
        warnings.warn(f"{what} has no counterpart: left out" + ("" if count == 1 else f" ({count})"), stacklevel=2)
    block.check_relationships()
    return block


def _take(item: Any, segment: Any, left: Counter[str], raw: bool) -> None:
    import neo
    import pynwb

    if isinstance(item, pynwb.TimeSeries):
        signal = _signal(item, raw)
        if signal is None:
            left[f"{type(item).__name__} {item.name!r}"] += 1
        elif isinstance(signal, neo.AnalogSignal):
            segment.analogsignals.append(signal)
        else:
            segment.irregularlysampledsignals.append(signal)
    elif isinstance(item, pynwb.misc.Units):
        segment.spiketrains.extend(list(_trains(item)))
    elif isinstance(item, pynwb.epoch.TimeIntervals):
        segment.epochs.append(_epoch(item))
    elif isinstance(item, pynwb.base.Images) or _is_other_table(item):
        left[f"{type(item).__name__} {item.name!r}"] += 1


def _is_other_table(item: Any) -> bool:
    from pynwb.core import DynamicTable

    return isinstance(item, DynamicTable) and item.name != "electrodes" and len(item) > 0


def _facts(session: Any) -> Iterator[tuple[str, Any]]:
    for name in _SESSION:
        if getattr(session, name, None):
            yield name, str(getattr(session, name))
    for name in ("keywords", "experimenter", "related_publications"):
        if getattr(session, name, None) is not None:
            yield name, [str(item) for item in getattr(session, name)]
    subject = session.subject
    if subject is None:
        return
    for name in _SUBJECT:
        if getattr(subject, name, None):
            yield name if name in ("sex", "species", "subject_id") else f"subject_{name}", str(getattr(subject, name))
    if subject.date_of_birth:
        yield "birthdate", subject.date_of_birth.isoformat()


# ---- signals


def _signal(series: Any, raw: bool) -> Any:
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
    signal.annotate(nwb_type=type(series).__name__, **dict(_scalars(series)))
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


def _scalars(series: Any) -> Iterator[tuple[str, Any]]:
    for name, value in series.fields.items():
        if name in _NOT_ANNOTATED:
            continue
        if isinstance(value, np.generic):
            value = value.item()
        if name in ("electrode", "device", "imaging_plane"):
            yield name, str(getattr(value, "name", value))
        elif isinstance(value, str | int | float) and value not in ("", "no comments"):
            yield name, value


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


# ---- tables


def _trains(units: Any) -> Iterator[Any]:
    import neo
    import quantities as pq

    if "spike_times" not in units.colnames:
        return
    for row in range(len(units)):
        times = np.asarray(units["spike_times"][row], float)
        bounds = np.asarray(units["obs_intervals"][row], float) if "obs_intervals" in units.colnames else np.empty(0)
        first = min((float(item.min()) for item in (bounds, times) if item.size), default=0.0)
        last = max((float(item.max()) for item in (bounds, times) if item.size), default=0.0)
        train = neo.SpikeTrain(times * pq.s, t_start=min(0.0, first) * pq.s, t_stop=last * pq.s)
        train.name = f"unit {units.id[row]}"
        train.annotate(**{
            name: _plain(units[name][row]) for name in units.colnames
            if name not in ("spike_times", "obs_intervals") and _is_plain(units[name][row])
        })  # fmt: skip
        yield train


def _epoch(table: Any) -> Any:
    import neo
    import quantities as pq

    begin, end = (np.asarray(table[name].data[:], float) for name in ("start_time", "stop_time"))
    columns = {
        name: np.array([_plain(value) for value in table[name].data[:]])
        for name in table.colnames
        if name not in ("start_time", "stop_time") and len(table) and all(map(_is_plain, table[name].data[:]))
    }
    columns = {name: column for name, column in columns.items() if len(column) == len(begin)}
    labels = next((columns[name] for name in ("label", "condition", "type") if name in columns), None)
    return neo.Epoch(
        begin * pq.s,
        durations=(end - begin) * pq.s,
        labels=None if labels is None else labels.astype("U"),
        name=table.name,
        description=table.description,
        array_annotations=columns,
    )


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool | np.generic | dt.datetime)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
