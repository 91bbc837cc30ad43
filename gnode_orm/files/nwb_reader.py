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

from gnode_orm.files.nwb_signals import event_of, signal_of
from gnode_orm.files.nwb_tables import columns_of, epoch_of, trains_of
from gnode_orm.files.nwb_values import fields_of

_SESSION = ("identifier", "session_id", "experiment_description", "institution", "lab", "notes", "pharmacology",
            "protocol", "slices", "source_script", "surgery", "virus", "stimulus_notes", "data_collection")  # fmt: skip
_SUBJECT = ("age", "description", "genotype", "sex", "species", "strain", "subject_id", "weight")
_NONE: frozenset[str] = frozenset()


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
        segment.events.append(event_of(item))
    elif isinstance(item, pynwb.TimeSeries):
        signal = signal_of(item, raw, left)
        if signal is None:
            left.append(what)
        else:
            getattr(segment, f"{type(signal).__name__.lower()}s").append(signal)
    elif isinstance(item, pynwb.misc.Units):
        segment.spiketrains.extend(list(trains_of(item, left)))
    elif isinstance(item, pynwb.epoch.TimeIntervals):
        segment.epochs.append(epoch_of(item, left))
    elif isinstance(item, DynamicTable):
        if item.name == "electrodes":
            said["electrodes"] = dict(columns_of(item, left))
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
