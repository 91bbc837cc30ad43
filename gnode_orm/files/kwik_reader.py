"""Sorted spikes of KlustaKwik and its successors (``.kwik`` with ``.kwx``) as neo blocks, read by the package h5py.

The reader of neo stands on a package that was given up and refuses the NumPy of today. A recording is a segment, a
channel group a group of units, a cluster a spike train; waveforms stand in the file ``.kwx`` beside.
Source: the Kwik format, version 2, of the Klusta project.
"""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from gnode_orm.errors import FormatError

_CLUSTER_GROUPS = {0: "noise", 1: "mua", 2: "good", 3: "unsorted"}


def read_kwik(path: Path) -> Any:
    """Read a file into a neo block.

    Raises:
        FormatError: it names no recordings.
    """
    import h5py
    import neo

    block = neo.Block(file_origin=path.name)
    with ExitStack() as opened:
        file = opened.enter_context(h5py.File(path, "r"))
        beside = path.with_suffix(".kwx")
        waveforms = opened.enter_context(h5py.File(beside, "r")) if beside.exists() else {}
        rates = {int(key): float(item.attrs["sample_rate"]) for key, item in file["recordings"].items()}
        if not rates:
            raise FormatError("it names no recordings, and so no sampling rate")
        for number, key in enumerate(sorted(rates)):
            name = _text(file["recordings"][str(key)].attrs.get("name"))
            block.segments.append(neo.Segment(name=name, index=number, file_origin=path.name))
        segments = dict(zip(sorted(rates), block.segments, strict=True))
        for key in sorted(file["channel_groups"], key=int):
            _Group(key, file["channel_groups"][key], waveforms).fill(block, segments, rates)
    block.check_relationships()
    return block


class _Group:
    """One channel group as it is read."""

    def __init__(self, key: str, said: Any, waveforms: Any) -> None:
        self._key = key
        self._said = said
        self._waveforms = _shapes(waveforms, key)

    def fill(self, block: Any, segments: dict[int, Any], rates: dict[int, float]) -> None:
        """Add its groups to the block, and its spike trains to the segments."""
        import neo

        spikes = self._said["spikes"]
        times = np.asarray(spikes["time_samples"], "i8")
        recordings = np.asarray(spikes["recording"], "i8") if "recording" in spikes else np.zeros(len(times), "i8")
        clusters = (
            np.asarray(spikes["clusters/main"], "i8") if "clusters/main" in spikes else np.zeros(len(times), "i8")
        )
        if "time_fractional" in spikes:
            times = times + np.asarray(spikes["time_fractional"], float) / 255
        if not set(np.unique(recordings).tolist()) <= rates.keys():
            raise FormatError(f"channel group {self._key} has spikes of a recording that is not there")
        group = neo.Group(name=_text(self._said.attrs.get("name")) or f"channel group {self._key}")
        group.annotate(channel_order=np.asarray(self._said.attrs.get("channel_order", ())))
        block.groups.append(group)
        for cluster in np.unique(clusters):
            unit = neo.Group(name=f"unit {cluster}", cluster_group=self._sort_of(int(cluster)))
            group.groups.append(unit)
            for key, segment in segments.items():
                picked = np.flatnonzero((clusters == cluster) & (recordings == key))
                train = self._train(times, picked, rates[key], int(cluster))
                segment.spiketrains.append(train)
                unit.spiketrains.append(train)

    def _train(self, times: Any, picked: Any, rate: float, cluster: int) -> Any:
        import neo
        import quantities as pq

        seconds = times[picked] / rate
        shapes = self._waveforms[picked] if self._waveforms is not None and len(picked) else None
        return neo.SpikeTrain(
            seconds * pq.s,
            t_stop=(float(seconds.max()) if len(seconds) else 0.0) * pq.s,
            waveforms=None if shapes is None else np.swapaxes(shapes, 1, 2) * pq.dimensionless,
            sampling_rate=rate * pq.Hz,
            name=f"unit {cluster}",
            cluster=cluster,
            channel_group=int(self._key),
            cluster_group=self._sort_of(cluster),
        )

    def _sort_of(self, cluster: int) -> str:
        attributes = self._said.get(f"clusters/main/{cluster}")
        number = 3 if attributes is None else int(attributes.attrs.get("cluster_group", 3))
        named = self._said.get(f"cluster_groups/main/{number}")
        return (_text(named.attrs.get("name")) if named is not None else None) or _CLUSTER_GROUPS.get(number, "")


def _shapes(waveforms: Any, key: str) -> Any:
    """The waveforms of a group: spikes, samples, channels; filtered ones where there are both."""
    for name in ("waveforms_filtered", "waveforms_raw"):
        if f"channel_groups/{key}/{name}" in waveforms:
            warnings.warn(f"channel group {key}: waveforms have no unit, kept as dimensionless ({name})", stacklevel=2)
            return np.asarray(waveforms[f"channel_groups/{key}/{name}"])
    return None


def _text(value: Any) -> str | None:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else None if value is None else str(value)
