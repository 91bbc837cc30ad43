"""Simulated recordings of MEArec (``.h5``) as neo blocks, read by the package h5py.

neo reads them by the simulator itself, which brings many packages along, and leaves the gain of integer samples out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gnode_orm.errors import FormatError

_NEW_LAYOUT = (1, 5)


def read_mearec(path: Path, *, raw: bool = False) -> Any:
    """Read a file into a neo block of one segment; with ``raw``, integers stay integers.

    Raises:
        FormatError: written by MEArec before 1.5, whose arrays lie the other way round.
    """
    import h5py
    import neo
    import quantities as pq

    with h5py.File(path, "r") as file:
        version = _plain(file.attrs.get("mearec_version", "1.4.0"))
        if tuple(int(part) for part in version.split(".")[:2]) < _NEW_LAYOUT:
            raise FormatError(f"written by MEArec {version}; convert it with MEArec 1.5 to 1.9 first")
        info = _said(file["info"])
        block = neo.Block(file_origin=path.name, mearec_version=version, mearec_info=info)
        segment = neo.Segment(index=0, file_origin=path.name)
        block.segments.append(segment)
        rate = float(info["recordings"]["fs"]) * pq.Hz
        if "recordings" in file:
            segment.analogsignals.append(_signal(file, rate, raw))
        trains = file.get("spiketrains", {})
        segment.spiketrains.extend([_train(trains[key], key, rate) for key in sorted(trains, key=int)])
    block.check_relationships()
    return block


def _signal(file: Any, rate: Any, raw: bool) -> Any:
    import neo
    import quantities as pq

    data = file["recordings"]
    samples, unit, gain = np.asarray(data), pq.uV, data.attrs.get("gain_to_uV")
    if gain is not None and raw and samples.dtype.kind in "iu" and float(gain) > 0:
        unit = pq.CompoundUnit(f"{float(gain)!r}*uV")
    elif gain is not None:
        samples = (samples * float(gain)).astype("f4")
    signal = neo.AnalogSignal(samples, units=unit, sampling_rate=rate, name="recordings")
    positions = np.asarray(file.get("channel_positions", ()))
    if len(positions) == samples.shape[1]:
        signal.array_annotate(**{f"position_{axis}": positions[:, number] for number, axis in enumerate("xyz")})
    return signal


def _train(said: Any, key: str, rate: Any) -> Any:
    import neo
    import quantities as pq

    train = neo.SpikeTrain(
        np.asarray(said["times"]) * pq.s, t_stop=float(said["t_stop"][()]) * pq.s, name=f"unit {key}"
    )
    train.sampling_rate = rate
    train.annotate(**_said(said.get("annotations", {})))
    if "waveforms" in said:
        train.waveforms = np.asarray(said["waveforms"]) * pq.uV
    return train


def _said(group: Any) -> dict[str, Any]:
    """The values of a group, groups as dictionaries."""
    return {str(name): _said(item) if hasattr(item, "items") else _plain(item[()]) for name, item in group.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
        return [item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item) for item in value.ravel()]
    return value
