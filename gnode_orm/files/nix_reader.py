"""NIX files that neo did not write, as neo blocks of one segment each, read by the package nixio.

    DataArray over sampled time, over a range of times     AnalogSignal, IrregularlySampledSignal
    DataArray that is its own range of times               Event
    MultiTag, Tag without and with extents                 Event, Epoch; SpikeTrain where the type speaks of spikes
    metadata of the block                                  annotation "metadata"

Everything else is named in a warning.
"""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from gnode_orm.files.foreign_units import foreign_unit


class NixFile:
    """An open file; its blocks are read one by one."""

    name = "nixio"

    def __init__(self, path: Path) -> None:
        import nixio

        self._file = nixio.File.open(str(path), nixio.FileMode.ReadOnly)
        self._origin = path.name
        self.block_count = len(self._file.blocks)

    def read(self, number: int) -> Any:
        """Read one block."""
        return _Reading(self._file.blocks[number], self._origin).block

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Reading:
    """One block as it is put together."""

    def __init__(self, nix: Any, origin: str) -> None:
        import neo

        made = dt.datetime.fromtimestamp(nix.created_at, dt.UTC)
        self.block = neo.Block(name=nix.name, description=nix.definition, file_origin=origin, file_datetime=made)
        self.block.annotate(nix_type=str(nix.type))
        if nix.metadata is not None:
            self.block.annotate(metadata=_metadata(nix.metadata))
        self.segment = neo.Segment(index=0, file_origin=origin)
        self.block.segments.append(self.segment)
        self._signals: dict[str, Any] = {}
        tags = [*nix.multi_tags, *nix.tags]
        positions = {array.id for tag in nix.multi_tags for array in (tag.positions, tag.extents) if array is not None}
        for array in nix.data_arrays:
            if array.id not in positions and not self._take_array(array):
                _left_out("DataArray", array)
        for tag in tags:
            if not self._take_tag(tag):
                _left_out(type(tag).__name__, tag)
        for kind, items in (("DataFrame", nix.data_frames), ("Source", nix.sources), ("Group", nix.groups)):
            for item in items:
                _left_out(kind, item)
        self.block.check_relationships()

    def _take_array(self, array: Any) -> bool:
        data = np.asarray(array[:]) if array.dtype is not None and array.shape else np.empty(0)
        if data.dtype.kind not in "iuf" or data.ndim > 2 or not array.dimensions:
            return False
        axes = list(array.dimensions)
        if data.ndim == 2 and len(axes) == 2 and _is_time(axes[1]) and not _is_time(axes[0]):
            data, axes = data.T, axes[::-1]
        if not _is_time(axes[0]):
            return False
        unit, original = foreign_unit(array.unit)
        made = _signal(array, axes[0], np.ascontiguousarray(data), unit)
        made.name, made.description = str(array.name), array.definition
        made.annotate(nix_type=str(array.type))
        if original:
            made.annotate(unit_in_file=original)
        self._signals[array.id] = made
        _list_of(self.segment, made).append(made)
        return True

    def _take_tag(self, tag: Any) -> bool:
        import neo

        multi = hasattr(tag, "positions")
        times = np.asarray(tag.positions[:] if multi else tag.position, float)
        extent = (tag.extents if multi else tag.extent) if not multi or tag.extents is not None else None
        times = times[:, 0] if times.ndim == 2 and times.shape[1] == 1 else times
        if times.ndim != 1 or (not multi and len(times) != 1):
            return False
        text = next(iter(tag.units or ()), None) or (tag.positions.unit if multi else None)
        time_unit = _time_unit(text, tag)
        if time_unit is None:
            return False
        lengths = np.asarray(extent[:], float).reshape(-1) if extent is not None and len(extent) else None
        if "spike" in str(tag.type).lower() and lengths is None:
            made = neo.SpikeTrain(times * time_unit, **self._bounds(tag, times, time_unit))
        elif lengths is not None and len(lengths) == len(times):
            made = neo.Epoch(times * time_unit, durations=lengths * time_unit)
        else:
            made = neo.Event(times * time_unit)
        made.name, made.description = str(tag.name), tag.definition
        made.annotate(nix_type=str(tag.type), references=[str(array.name) for array in tag.references])
        _list_of(self.segment, made).append(made)
        return True

    def _bounds(self, tag: Any, times: Any, unit: Any) -> dict[str, Any]:
        """Begin and end of a spike train: those of the signals that it refers to, widened to its spikes."""
        signals = [self._signals[array.id] for array in tag.references if array.id in self._signals]
        ends = [float(signal.t_stop.rescale(unit.units)) for signal in signals] + times.tolist()
        begins = [float(signal.t_start.rescale(unit.units)) for signal in signals] + times.tolist()
        return {"t_start": min(begins, default=0.0) * unit, "t_stop": max(ends, default=0.0) * unit}


def _signal(array: Any, axis: Any, data: Any, unit: Any) -> Any:
    import neo

    time_unit, _ = foreign_unit(axis.unit)
    if type(axis).__name__ == "SampledDimension":
        return neo.AnalogSignal(
            data,
            units=unit,
            sampling_rate=(1.0 / float(axis.sampling_interval)) / time_unit,
            t_start=float(axis.offset or 0.0) * time_unit,
        )
    if getattr(axis, "is_alias", False):
        return neo.Event(data.reshape(-1) * time_unit)
    return neo.IrregularlySampledSignal(np.asarray(axis.ticks, float) * time_unit, data, units=unit)


def _is_time(axis: Any) -> bool:
    if type(axis).__name__ not in ("SampledDimension", "RangeDimension") or not axis.unit:
        return False
    unit, _ = foreign_unit(axis.unit)
    return str(unit.simplified.dimensionality.string) == "s"


def _time_unit(text: str | None, tag: Any) -> Any:
    import quantities as pq

    if text is None:
        warnings.warn(f"{type(tag).__name__} {tag.name!r} says no unit: seconds were assumed", stacklevel=2)
        return pq.s
    unit, _ = foreign_unit(text)
    return unit if str(unit.simplified.dimensionality.string) == "s" else None


def _list_of(segment: Any, made: Any) -> Any:
    return getattr(segment, f"{type(made).__name__.lower()}s")


def _left_out(kind: str, item: Any) -> None:
    warnings.warn(f"{kind} {str(item.name)!r} ({item.type}) has no counterpart: left out", stacklevel=2)


def _metadata(section: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in section.props:
        values = [value.item() if isinstance(value, np.generic) else value for value in item.values]
        found[str(item.name)] = values[0] if len(values) == 1 else values
    for child in section.sections:
        found[str(child.name)] = _metadata(child)
    return found
