"""Axon text files (``.atf``) as neo blocks, read by the package pyabf."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from gnode_orm.errors import FormatError, UnitError
from gnode_orm.units import Unit, unit_of

_LABEL_UNIT = re.compile(r"\(([^()]*)\)\s*$")


def read_atf(path: Path) -> Any:
    """Read a file into a neo block: one segment for each sweep, one signal for each exported channel."""
    import neo
    from pyabf.atf import ATF

    atf: Any = ATF(str(path))
    names = [str(name) for name in atf.header["Signals"]]
    per_sweep = _channels_per_sweep(names)
    begins = _sweep_begins(atf.header, len(names) // per_sweep)
    block = neo.Block(file_origin=path.name, description=str(atf.header.get("Comment") or "") or None)
    block.annotate(atf_version=str(atf.atfVersion))
    for number, begin in enumerate(begins):
        segment = neo.Segment(index=number, file_origin=path.name)
        block.segments.append(segment)
        columns = range(number * per_sweep, (number + 1) * per_sweep)
        segment.analogsignals.extend([_signal(atf, column, names[column], begin, path.name) for column in columns])
    block.check_relationships()
    return block


def _signal(atf: Any, column: int, name: str, begin: float, origin: str) -> Any:
    import neo
    import quantities as pq

    label = _LABEL_UNIT.search(atf.columnLabelsY[column])
    unit = _known(label[1]) if label else None
    signal = neo.AnalogSignal(
        np.ascontiguousarray(atf.data[column][:, np.newaxis]),
        units=pq.dimensionless if unit is None else pq.Quantity(1.0, unit.dimensionality),
        sampling_rate=_rate(atf.dataX) * pq.Hz,
        t_start=begin * pq.s,
        name=name,
        file_origin=origin,
    )
    if label and unit is None:
        signal.annotate(unit_in_file=label[1])
    return signal


def _rate(times: Any) -> float:
    """The sampling rate; times stand in the file with few digits, so no more of them are believed."""
    if len(times) < 2 or not times[-1] > times[0]:
        raise FormatError("the column of times does not rise")
    return float(f"{(len(times) - 1) / (float(times[-1]) - float(times[0])):.6g}")


def _channels_per_sweep(names: list[str]) -> int:
    """The columns of all sweeps stand side by side, channels in the same order."""
    count = len(dict.fromkeys(names))
    if not names or len(names) % count or names != names[:count] * (len(names) // count):
        raise FormatError(f"the columns {names[:6]} are not the same channels for each sweep")
    return count


def _sweep_begins(header: dict[str, Any], sweeps: int) -> list[float]:
    given = header.get("SweepStartTimesMS", 0.0)
    begins = [float(item) / 1000 for item in (given if isinstance(given, list) else [given])]
    if len(begins) == sweeps:
        return begins
    warnings.warn("the header does not say when each sweep begins: 0 s was assumed for all", stacklevel=2)
    return [0.0] * sweeps


def _known(text: str) -> Unit | None:
    try:
        return unit_of(text)
    except UnitError:
        warnings.warn(f"unit {text!r} is unknown: kept as dimensionless, values not scaled", stacklevel=2)
        return None
