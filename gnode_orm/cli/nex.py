"""Writing of NeuroExplorer files (.nex, version 105), an openly specified format that neo reads by itself.

Layout after the specification that NeuroExplorer publishes: a header of 544 bytes, one of 208 bytes for each variable,
then the data of each variable. All times are whole ticks of one clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

_FILE_HEADER = np.dtype(
    [
        ("magic", "S4"), ("version", "<i4"), ("comment", "S256"), ("frequency", "<f8"), ("begin", "<i4"),
        ("end", "<i4"), ("variables", "<i4"), ("padding", "S260"),
    ]
)  # fmt: skip
_VARIABLE_HEADER = np.dtype(
    [
        ("type", "<i4"), ("version", "<i4"), ("name", "S64"), ("offset", "<u4"), ("count", "<i4"), ("wire", "<i4"),
        ("unit", "<i4"), ("gain", "<i4"), ("filter", "<i4"), ("x", "<f8"), ("y", "<f8"), ("rate", "<f8"),
        ("mv_per_step", "<f8"), ("points", "<i4"), ("fields", "<i4"), ("label_length", "<i4"), ("mv_offset", "<f8"),
        ("prethreshold", "<f8"), ("padding", "S52"),
    ]
)  # fmt: skip
_SPIKES, _INTERVALS, _CONTINUOUS, _MARKERS = 0, 2, 5, 6
_NAME_BYTES = 64

Ticks = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Spikes:
    """Times at which a neuron fired."""

    name: str
    times: Ticks


@dataclass(frozen=True, slots=True)
class Intervals:
    """Stretches of time."""

    name: str
    begins: Ticks
    ends: Ticks


@dataclass(frozen=True, slots=True)
class Markers:
    """Times with a label each."""

    name: str
    times: Ticks
    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class Continuous:
    """A signal in mV, kept as 16-bit steps; sampled from the first tick on, once a tick."""

    name: str
    millivolts: npt.NDArray[np.float64]
    mv_per_step: float


Variable = Spikes | Intervals | Markers | Continuous


def write_nex(path: Path, frequency: float, length: int, variables: Sequence[Variable], comment: str) -> None:
    """Write variables on a clock of ``frequency`` ticks a second that runs for ``length`` ticks."""
    header = np.zeros((), _FILE_HEADER)
    header["magic"], header["version"], header["comment"] = b"NEX1", 105, comment.encode()
    header["frequency"], header["end"], header["variables"] = frequency, length, len(variables)
    headers = np.zeros(len(variables), _VARIABLE_HEADER)
    bodies = [_body(variable) for variable in variables]
    offset = header.nbytes + headers.nbytes
    for row, variable, body in zip(headers, variables, bodies, strict=True):
        _describe(row, variable, frequency)
        row["offset"] = offset
        offset += len(body)
    path.write_bytes(header.tobytes() + headers.tobytes() + b"".join(bodies))


def _describe(row: np.void, variable: Variable, frequency: float) -> None:
    row["version"], row["name"] = 100, variable.name.encode()
    match variable:
        case Spikes(times=times):
            row["type"], row["count"] = _SPIKES, len(times)
        case Intervals(begins=begins):
            row["type"], row["count"] = _INTERVALS, len(begins)
        case Markers(times=times, labels=labels):
            row["type"], row["count"], row["fields"] = _MARKERS, len(times), 1
            row["label_length"] = _label_length(labels)
        case Continuous(millivolts=millivolts, mv_per_step=step):
            row["type"], row["count"], row["points"] = _CONTINUOUS, 1, len(millivolts)
            row["rate"], row["mv_per_step"] = frequency, step


def _body(variable: Variable) -> bytes:
    match variable:
        case Spikes(times=times):
            return _ticks(times)
        case Intervals(begins=begins, ends=ends):
            return _ticks(begins) + _ticks(ends)
        case Markers(times=times, labels=labels):
            field = b"label".ljust(_NAME_BYTES, b"\0")
            return _ticks(times) + field + np.array(labels, f"S{_label_length(labels)}").tobytes()
        case Continuous(millivolts=millivolts, mv_per_step=step):
            # One fragment: its time, the index of its first sample, then the samples.
            return bytes(8) + np.round(millivolts / step).astype("<i2").tobytes()


def _label_length(labels: Sequence[str]) -> int:
    return max((len(label.encode()) for label in labels), default=1) + 1


def _ticks(times: Ticks) -> bytes:
    return times.astype("<i4").tobytes()
