"""WFDB records (PhysioNet: ``.hea`` with ``.dat`` and annotations) as neo blocks, read by the package wfdb."""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from gnode_orm.errors import UnitError
from gnode_orm.units import unit_of

_ANNOTATIONS = (".atr", ".qrs", ".ann", ".ari", ".ecg")


def read_wfdb(path: Path) -> Any:
    """Read a record into a neo block of one segment: one signal for each unit, one event for each annotation file."""
    import neo
    import wfdb

    stem = str(path.with_suffix("").absolute())
    record = wfdb.rdrecord(stem)
    block = neo.Block(name=record.record_name, file_origin=path.name, rec_datetime=_begin(record))
    if record.comments:
        block.annotate(wfdb_comments=list(record.comments))
    segment = neo.Segment(index=0, file_origin=path.name, rec_datetime=block.rec_datetime)
    block.segments.append(segment)
    segment.analogsignals.extend([_signal(record, unit, path.name) for unit in dict.fromkeys(record.units or ())])
    for suffix in _ANNOTATIONS:
        if path.with_suffix(suffix).exists():
            segment.events.append(_event(wfdb.rdann(stem, suffix[1:]), record.fs, path.with_suffix(suffix).name))
    block.check_relationships()
    return block


def _signal(record: Any, unit: str, origin: str) -> Any:
    import neo

    picked = [number for number, text in enumerate(record.units) if text == unit]
    known, original = _unit(unit)
    signal = neo.AnalogSignal(
        record.p_signal[:, picked],
        units=known,
        sampling_rate=record.fs * _hertz(),
        name=f"{record.record_name} ({unit})",
        file_origin=origin,
        array_annotations={
            "channel_names": np.array([record.sig_name[number] for number in picked]),
            "channel_ids": np.array(picked),
            "adc_gain": np.array([record.adc_gain[number] for number in picked], float),
            "baseline": np.array([record.baseline[number] for number in picked]),
        },
    )
    return signal if original is None else _annotated(signal, original)


def _annotated(signal: Any, unit: str) -> Any:
    signal.annotate(unit_in_file=unit)
    return signal


def _event(annotation: Any, rate: float, origin: str) -> Any:
    import neo
    import quantities as pq

    return neo.Event(
        times=np.asarray(annotation.sample) / float(annotation.fs or rate) * pq.s,
        labels=np.array(annotation.symbol, dtype="U"),
        name=annotation.extension,
        file_origin=origin,
        array_annotations={"sample": np.asarray(annotation.sample), "aux_note": np.array(annotation.aux_note)},
    )


def _begin(record: Any) -> dt.datetime | None:
    return record.base_datetime if isinstance(record.base_datetime, dt.datetime) else None


def _hertz() -> Any:
    import quantities as pq

    return pq.Hz


def _unit(text: str) -> tuple[Any, str | None]:
    """The unit for a text, or dimensionless and the text where it is none that can be stored."""
    import quantities as pq

    try:
        return pq.Quantity(1.0, unit_of(text).dimensionality), None
    except UnitError:
        warnings.warn(f"unit {text!r} is unknown: kept as dimensionless, values not scaled", stacklevel=2)
        return pq.dimensionless, text
