"""Small recordings in formats that are a layout of HDF5."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from tests.files.formats.text_headers import RAMP


def biocam(folder: Path) -> Path:
    path = folder / "slice.brw"
    with h5py.File(path, "w") as file:
        for name, value in {"BitDepth": 12, "MaxVolt": 4125.0, "MinVolt": -4125.0, "NRecFrames": 100}.items():
            file[f"3BRecInfo/3BRecVars/{name}"] = np.array([value])
        file["3BRecInfo/3BRecVars/SamplingRate"] = np.array([7022.0])
        file["3BRecInfo/3BRecVars/SignalInversion"] = np.array([1.0])
        file["3BRecInfo/3BMeaStreams/Raw/Chs"] = np.array([(1, 1), (1, 2)], [("Row", "i2"), ("Col", "i2")])
        file["3BData/Raw"] = RAMP.astype("u2").ravel()
        file["3BData"].attrs["Version"] = 102
    return path


def maxwell(folder: Path) -> Path:
    path = folder / "chip.raw.h5"
    with h5py.File(path, "w") as file:
        file["version"] = np.array([b"20190530"])
        place = file.create_group("wells/well000/rec0000")
        place["settings/sampling"], place["settings/lsb"] = np.array([20000.0]), np.array([6.3e-6])
        mapping = [(0, 11, 0.0, 0.0), (1, 12, 17.5, 0.0)]
        kinds = [("channel", "i4"), ("electrode", "i4"), ("x", "f8"), ("y", "f8")]
        place["settings/mapping"] = np.array(mapping, kinds)
        place["groups/routed/raw"] = RAMP.T.astype("u2")
    return path


def kwik(folder: Path) -> Path:
    path = folder / "sorted.kwik"
    with h5py.File(path, "w") as file:
        file.attrs["kwik_version"] = 2
        for number in (0, 1):
            said = file.create_group(f"recordings/{number}").attrs
            said["name"], said["sample_rate"], said["start_time"] = f"recording_{number}", 20000.0, number * 10.0
        place = file.create_group("channel_groups/0")
        place.attrs["name"], place.attrs["channel_order"] = "shank", [0, 1]
        place["spikes/time_samples"] = np.array([100, 200, 300, 50], "u8")
        place["spikes/recording"] = np.array([0, 0, 0, 1], "u2")
        place["spikes/clusters/main"] = np.array([2, 3, 2, 2], "u4")
        for cluster, sort in ((2, 2), (3, 1)):
            place.create_group(f"clusters/main/{cluster}").attrs["cluster_group"] = sort
        for sort, name in enumerate(("Noise", "MUA", "Good", "Unsorted")):
            place.create_group(f"cluster_groups/main/{sort}").attrs["name"] = name
    with h5py.File(path.with_suffix(".kwx"), "w") as file:
        file["channel_groups/0/waveforms_filtered"] = np.arange(4 * 10 * 2, dtype="f4").reshape(4, 10, 2)
    return path


def mearec(folder: Path) -> Path:
    path = folder / "simulated.h5"
    with h5py.File(path, "w") as file:
        file.attrs["mearec_version"] = "1.9.0"
        file["info/recordings/fs"], file["info/recordings/duration"] = 32000.0, 100 / 32000
        file["info/recordings/dtype"] = "int16"
        file["recordings"] = RAMP
        file["recordings"].attrs["gain_to_uV"] = 0.5
        file["channel_positions"] = np.array([[0.0, 0, 0], [0, 20, 0]])
        for unit in (0, 1):
            file[f"spiketrains/{unit}/times"], file[f"spiketrains/{unit}/t_stop"] = np.array([0.001, 0.002]), 0.003
            file[f"spiketrains/{unit}/annotations/cell_type"] = "E"
    return path
