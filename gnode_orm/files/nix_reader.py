"""NIX files that neo did not write, as neo blocks of one segment each, read by the package nixio.

    DataArray over sampled time, over a range of times     AnalogSignal, IrregularlySampledSignal
    DataArray that is its own range of times               Event
    MultiTag, Tag without and with extents                 Event, Epoch; SpikeTrain where the type speaks of spikes
    Feature of a MultiTag of spikes, one row for each      waveforms
    Group                                                  Group of what its members became
    labels of dimensions, metadata, sources                annotations

Everything else is named in a warning.
"""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from gnode_orm.files.foreign_units import foreign_unit
from gnode_orm.files.nix_metadata import metadata_as_dictionary, source_as_dictionary


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
        if number == 0:
            self._name_metadata_apart()
        return _Reading(self._file.blocks[number], self._origin).block

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _name_metadata_apart(self) -> None:
        """Warn of the metadata at the top of the file that no block points to."""
        used = {block.metadata.id for block in self._file.blocks if block.metadata is not None}
        for section in self._file.sections:
            if section.id not in used and not any(below.id in used for below in section.find_sections()):
                _left_out("Section", section)


class _Reading:
    """One block as it is put together."""

    def __init__(self, nix: Any, origin: str) -> None:
        import neo

        made = dt.datetime.fromtimestamp(nix.created_at, dt.UTC)
        self.block = neo.Block(name=nix.name, description=nix.definition, file_origin=origin, file_datetime=made)
        self.block.annotate(nix_type=str(nix.type))
        if nix.metadata is not None:
            self.block.annotate(metadata=metadata_as_dictionary(nix.metadata))
        self.segment = neo.Segment(index=0, file_origin=origin)
        self.block.segments.append(self.segment)
        # What each array and tag became, by its id.
        self._made: dict[str, Any] = {}
        tags = [*nix.multi_tags, *nix.tags]
        inside = {array.id for tag in nix.multi_tags for array in (tag.positions, tag.extents) if array is not None}
        inside |= {feature.data.id for tag in nix.multi_tags for feature in _waveforms_of(tag)}
        for array in nix.data_arrays:
            if array.id not in inside and not self._take_array(array):
                _left_out("DataArray", array)
        for tag in tags:
            if not self._take_tag(tag):
                _left_out(type(tag).__name__, tag)
        for group in nix.groups:
            self._take_group(group)
        for frame in nix.data_frames:
            _left_out("DataFrame", frame)
        if len(nix.sources):
            self.block.annotate(sources={str(source.name): source_as_dictionary(source) for source in nix.sources})
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
        said = {"label": array.label, "label_of_time": getattr(axes[0], "label", None)}
        made.annotate(**{key: str(text) for key, text in said.items() if text})
        for axis in axes[1:]:
            _annotate_channels(made, axis)
        self._keep(array, made)
        return True

    def _keep(self, item: Any, made: Any) -> None:
        """Put what became of an array or tag into the segment, with what the file says about it elsewhere."""
        if item.metadata is not None:
            made.annotate(metadata=metadata_as_dictionary(item.metadata))
        if len(item.sources):
            made.annotate(sources=[str(source.name) for source in item.sources])
        self._made[item.id] = made
        _list_of(self.segment, made).append(made)

    def _take_group(self, group: Any) -> None:
        import neo

        made = neo.Group(name=str(group.name), description=group.definition, nix_type=str(group.type))
        if group.metadata is not None:
            made.annotate(metadata=metadata_as_dictionary(group.metadata))
        for member in (*group.data_arrays, *group.tags, *group.multi_tags):
            if member.id in self._made:
                made.add(self._made[member.id])
        self.block.groups.append(made)

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
        if _is_of_spikes(tag):
            made = neo.SpikeTrain(times * time_unit, **self._bounds(tag, times, time_unit))
            _take_waveforms(tag, made)
        elif lengths is not None and len(lengths) == len(times):
            made = neo.Epoch(times * time_unit, durations=lengths * time_unit)
        else:
            made = neo.Event(times * time_unit)
        made.name, made.description = str(tag.name), tag.definition
        made.annotate(nix_type=str(tag.type), references=[str(array.name) for array in tag.references])
        if len(tag.features):
            made.annotate(features=[str(feature.data.name) for feature in tag.features])
        self._keep(tag, made)
        return True

    def _bounds(self, tag: Any, times: Any, unit: Any) -> dict[str, Any]:
        """Begin and end of a spike train: those of the signals that it refers to, widened to its spikes."""
        signals = [self._made[array.id] for array in tag.references if hasattr(self._made.get(array.id), "t_stop")]
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


def _is_of_spikes(tag: Any) -> bool:
    """Whether a tag is of moments that its type calls spikes."""
    extent = tag.extents if hasattr(tag, "positions") else tag.extent
    return "spike" in str(tag.type).lower() and (extent is None or len(extent) == 0)


def _waveforms_of(tag: Any) -> list[Any]:
    """The features of a tag of spikes that have a row for each of them: none, or the first."""
    if not hasattr(tag, "positions") or not _is_of_spikes(tag):
        return []
    count = len(tag.positions)
    shapes = [(feature, feature.data.shape) for feature in tag.features if str(feature.link_type).endswith("Indexed")]
    return [feature for feature, shape in shapes if len(shape) in (2, 3) and count and shape[0] == count][:1]


def _take_waveforms(tag: Any, train: Any) -> None:
    """Take the feature that has a row for each spike as waveforms, of one channel where it has no axis for them."""
    for feature in _waveforms_of(tag):
        data = np.asarray(feature.data[:])
        unit, original = foreign_unit(feature.data.unit)
        train.waveforms = (data if data.ndim == 3 else data[:, np.newaxis, :]) * unit
        if original:
            train.annotate(unit_of_waveforms_in_file=original)
        axis = feature.data.dimensions[-1] if len(feature.data.dimensions) else None
        if axis is not None and type(axis).__name__ == "SampledDimension" and _is_time(axis):
            train.sampling_rate = 1.0 / (float(axis.sampling_interval) * foreign_unit(axis.unit)[0])


def _annotate_channels(made: Any, axis: Any) -> None:
    """Keep the labels or coordinates of the second axis of a signal."""
    labels = list(getattr(axis, "labels", ()) or ())
    if type(axis).__name__ == "SetDimension":
        if len(labels) == made.shape[-1]:
            made.array_annotate(channel_names=np.array([str(label) for label in labels]))
        return
    said = {"label": axis.label, "unit": axis.unit, "interval": getattr(axis, "sampling_interval", None)}
    ticks = getattr(axis, "ticks", None)
    if ticks is not None and len(ticks) == made.shape[-1]:
        made.array_annotate(channel_positions=np.asarray(ticks, float))
    made.annotate(second_axis={key: value for key, value in said.items() if value is not None})
