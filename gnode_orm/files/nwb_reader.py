"""NWB files that neo refuses, as neo blocks of one segment, read by the package pynwb.

    TimeSeries with a rate, with timestamps     AnalogSignal, IrregularlySampledSignal
    AnnotationSeries                            Event
    units                                       SpikeTrain, one for each row
    intervals, trials, epochs                   Epoch, one for each table
    session, subject, electrodes, devices ...   annotations of the block

Everything else is named in a warning.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gnode_orm.files.foreign_units import foreign_unit
from gnode_orm.files.nwb_values import NoCounterpartError, cell_of, column_of, fields_of

_SESSION = ("identifier", "session_id", "experiment_description", "institution", "lab", "notes", "pharmacology",
            "protocol", "slices", "source_script", "surgery", "virus", "stimulus_notes", "data_collection")  # fmt: skip
_SUBJECT = ("age", "description", "genotype", "sex", "species", "strain", "subject_id", "weight")
_NOT_ANNOTATED = frozenset({"data", "timestamps", "starting_time", "rate", "unit", "conversion", "offset",
                            "channel_conversion", "interval", "starting_time_unit", "timestamps_unit", "description",
                            "electrodes", "timestamp_link", "data_link"})  # fmt: skip
_NONE: frozenset[str] = frozenset()
_TIMES = ("start_time", "stop_time")


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
    left: list[str] = []
    said: dict[str, Any] = {}
    for item in sorted(session.objects.values(), key=lambda item: str(item.name)):
        if item is not session and item is not session.subject:
            _take(item, segment, said, left, raw)
    if said:
        block.annotate(nwb_objects=said)
    for what, count in Counter(left).items():
        warnings.warn(f"{what} has no counterpart: left out" + ("" if count == 1 else f" ({count})"), stacklevel=2)
    block.check_relationships()
    return block


def _take(item: Any, segment: Any, said: dict[str, Any], left: list[str], raw: bool) -> None:
    """Take one object of a file into the segment, or into what is said about the others."""
    import pynwb
    from hdmf.common import DynamicTable
    from hdmf.container import Data

    what = f"{type(item).__name__} {str(item.name)!r}"
    if isinstance(item, pynwb.misc.AnnotationSeries):
        segment.events.append(_event(item))
    elif isinstance(item, pynwb.TimeSeries):
        signal = _signal(item, raw, left)
        if signal is None:
            left.append(what)
        else:
            getattr(segment, f"{type(signal).__name__.lower()}s").append(signal)
    elif isinstance(item, pynwb.misc.Units):
        segment.spiketrains.extend(list(_trains(item, left)))
    elif isinstance(item, pynwb.epoch.TimeIntervals):
        segment.epochs.append(_epoch(item, left))
    elif isinstance(item, DynamicTable):
        if item.name == "electrodes":
            said["electrodes"] = dict(_columns(item, left))
        elif len(item):
            left.append(what)
    elif isinstance(item, pynwb.base.Images):
        left.append(what)
    elif isinstance(item, Data):
        if not isinstance(item.parent, DynamicTable | pynwb.TimeSeries | pynwb.base.Images):
            left.append(what)
    else:
        fields = dict(fields_of(item, _NONE, left))
        if fields:
            said[f"{type(item).__name__} {item.name}"] = fields


def _facts(session: Any) -> Iterator[tuple[str, Any]]:
    for name in _SESSION:
        if getattr(session, name, None):
            yield name, str(getattr(session, name))
    if session.timestamps_reference_time != session.session_start_time:
        yield "timestamps_reference_time", session.timestamps_reference_time.isoformat()
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


def _signal(series: Any, raw: bool, left: list[str]) -> Any:
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


def _event(series: Any) -> Any:
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


# ---- tables


def _trains(units: Any, left: list[str]) -> Iterator[Any]:
    import neo
    import quantities as pq

    if "spike_times" not in units.colnames:
        return
    for row in range(len(units)):
        times = np.asarray(units["spike_times"][row], float)
        said = dict(_cells(units, row, ("spike_times",), left))
        bounds = np.asarray(said.get("obs_intervals", ()), float)
        first = min((float(item.min()) for item in (bounds, times) if item.size), default=0.0)
        last = max((float(item.max()) for item in (bounds, times) if item.size), default=0.0)
        train = neo.SpikeTrain(times * pq.s, t_start=min(0.0, first) * pq.s, t_stop=last * pq.s)
        train.name = f"unit {units.id[row]}"
        train.annotate(**said)
        yield train


def _cells(table: Any, row: int, but: tuple[str, ...], left: list[str]) -> Iterator[tuple[str, Any]]:
    for column in table.colnames:
        if column in but:
            continue
        try:
            yield column, cell_of(table, column, row)
        except NoCounterpartError:
            left.append(f"column {column!r} of {type(table).__name__} {table.name!r}")


def _columns(table: Any, left: list[str]) -> Iterator[tuple[str, Any]]:
    for column in table.colnames:
        if column not in _TIMES and len(table):
            try:
                yield column, column_of(table, column)
            except NoCounterpartError:
                left.append(f"column {column!r} of {type(table).__name__} {table.name!r}")


def _epoch(table: Any, left: list[str]) -> Any:
    import neo
    import quantities as pq

    begin, end = (np.asarray(table[name].data[:], float) for name in _TIMES)
    columns = dict(_columns(table, left))
    labels = next((columns[name] for name in ("label", "condition", "type") if name in columns), None)
    return neo.Epoch(
        begin * pq.s,
        durations=(end - begin) * pq.s,
        labels=None if labels is None else labels.astype("U"),
        name=table.name,
        description=table.description,
        array_annotations=columns,
    )
