"""Continuous channels of Neuralynx (``.ncs``) as neo blocks, read by their records alone.

neo needs the times in the text header, which other programs than Cheetah leave out, and refuses recordings with gaps.
The records say by themselves when they begin, at which rate, and how many of their 512 samples count; each stretch of
records that follow upon each other is a segment. Source: Neuralynx data file formats, "CSC record".
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from gnode_orm.errors import FormatError

_HEADER = 16 * 1024
_SAMPLES = 512
_RECORD = np.dtype(
    [("time", "<u8"), ("channel", "<u4"), ("rate", "<u4"), ("count", "<u4"), ("samples", "<i2", _SAMPLES)]
)
_MICRO = 1e6


def read_ncs(path: Path, *, raw: bool = False) -> Any:
    """Read a file into a neo block; with ``raw``, samples stay integers where the header gives their scale.

    Raises:
        FormatError: no file of continuous records, or one that is cut off.
    """
    import neo

    said = _header(path)
    records = _records(path)
    name = said.get("AcqEntName") or path.stem
    block = neo.Block(file_origin=path.name)
    block.annotate(**{f"neuralynx_{key}": text for key, text in said.items()})
    block.annotate(first_timestamp_us=int(records["time"][0]), channel=int(records["channel"][0]))
    stretches = np.split(records, _gaps(records))
    if len(stretches) > 1:
        warnings.warn(f"{len(stretches) - 1} gaps in time: each stretch is a segment", stacklevel=2)
    gain = _gain(said)
    for number, stretch in enumerate(stretches):
        segment = neo.Segment(index=number, file_origin=path.name)
        block.segments.append(segment)
        begin = (int(stretch["time"][0]) - int(records["time"][0])) / _MICRO
        segment.analogsignals.append(_signal(stretch, begin, gain, raw, name, path.name))
    block.check_relationships()
    return block


def _header(path: Path) -> dict[str, str]:
    """What the lines of the text header say, ``-Name value``; other lines are remarks."""
    with path.open("rb") as file:
        text = file.read(_HEADER).split(b"\0", 1)[0].decode("latin-1")
    parts = [line[1:].split(None, 1) for line in text.splitlines() if line.startswith("-")]
    return {part[0]: part[1].strip() if len(part) > 1 else "" for part in parts if part}


def _records(path: Path) -> Any:
    size = path.stat().st_size - _HEADER
    if size < _RECORD.itemsize or size % _RECORD.itemsize:
        raise FormatError(f"truncated: after the header come {size} bytes, and a record has {_RECORD.itemsize}")
    records = np.memmap(path, _RECORD, "r", offset=_HEADER)
    for field, most in (("channel", None), ("rate", None), ("count", _SAMPLES)):
        if len(np.unique(records[field])) > 1 and most is None:
            raise FormatError(f"the records are of more than one {field}; split the file")
        if most is not None and (records[field] > most).any():
            raise FormatError(f"damaged: a record counts more than its {most} samples")
    if records["rate"][0] == 0:
        raise FormatError("damaged: the records have a sampling rate of 0")
    return records


def _gaps(records: Any) -> Any:
    """Numbers of the records that do not begin, within one sample, where the one before ends."""
    times, period = records["time"].astype("i8"), _MICRO / float(records["rate"][0])
    ends = times[:-1] + records["count"][:-1] * period
    return np.flatnonzero(np.abs(times[1:] - ends) > max(period, 1.0)) + 1


def _gain(said: dict[str, str]) -> float | None:
    """Volts for one step of the converter."""
    try:
        gain = float(said["ADBitVolts"].split()[0])
    except (KeyError, ValueError, IndexError):
        warnings.warn("the header holds no scaling: raw counts are kept as dimensionless", stacklevel=2)
        return None
    return -gain if said.get("InputInverted", "").lower() == "true" else gain


def _signal(stretch: Any, begin: float, gain: float | None, raw: bool, name: str, origin: str) -> Any:
    import neo
    import quantities as pq

    valid = np.arange(_SAMPLES) < stretch["count"][:, np.newaxis]
    samples = stretch["samples"][valid][:, np.newaxis]
    unit = pq.dimensionless if gain is None else pq.uV
    if gain is not None and raw and gain > 0:
        unit = pq.CompoundUnit(f"{gain * _MICRO!r}*uV")
    elif gain is not None:
        samples = (samples * (gain * _MICRO)).astype("f4")
    return neo.AnalogSignal(
        samples,
        units=unit,
        sampling_rate=float(stretch["rate"][0]) * pq.Hz,
        t_start=begin * pq.s,
        name=name,
        file_origin=origin,
    )
