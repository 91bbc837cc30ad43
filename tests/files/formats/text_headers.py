"""Small recordings in formats whose header is text, or a file of its own beside the samples."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

RAMP = np.arange(200, dtype="<i2").reshape(100, 2)
"""Samples of two channels."""


def winedr(folder: Path) -> Path:
    lines = {"VER": 6.4, "NC": 2, "NBH": 2048, "NP": RAMP.size, "ADCMAX": 32767, "AD": 10, "DT": "0.001"}
    for channel, unit in enumerate(("mV", "pA")):
        lines |= {f"YN{channel}": f"Ch{channel}", f"YU{channel}": unit, f"YO{channel}": channel}
        lines |= {f"YCF{channel}": "0.001", f"YAG{channel}": 1, f"YZ{channel}": 0}
    path = folder / "cell.EDR"
    path.write_bytes(_padded(lines, 2048) + RAMP.tobytes())
    return path


def winwcp(folder: Path) -> Path:
    lines = {"VER": 9, "NC": 2, "NR": 2, "NBH": 2, "NBA": 2, "NBD": 1, "ADCMAX": 32767, "AD": 10, "DT": "0.001"}
    lines["RTIME"] = "03/02/2020 10:11:12"
    for channel, unit in enumerate(("mV", "pA")):
        lines |= {f"YN{channel}": f"Ch{channel}", f"YU{channel}": unit, f"YO{channel}": channel, f"YG{channel}": "0.1"}
    analysis = b"ACCEPTED" + b"TEST" + np.array([1, 0, 0.001, *[10.0] * 8], "<f4").tobytes()
    record = analysis.ljust(1024, b"\0") + np.arange(256, dtype="<i2").tobytes()
    path = folder / "cell.wcp"
    path.write_bytes(_padded(lines, 1024) + 2 * record)
    return path


def _padded(lines: dict[str, object], size: int) -> bytes:
    return "".join(f"{name}={value}\r\n" for name, value in lines.items()).encode("ascii").ljust(size, b"\0")


def raw_mcs(folder: Path) -> Path:
    header = "MC_DataTool binary conversion\r\nVersion 2.6.0\r\nSample rate = 20000\r\nADC zero = 32768\r\n"
    header += "El = 0.0610µV/AD\r\nStreams = El_12;El_13\r\nEOH\r\n"
    path = folder / "slice.raw"
    path.write_bytes(header.encode("cp1252") + (RAMP.astype("i4") + 32768).astype("<u2").tobytes())
    return path


def elan(folder: Path) -> Path:
    channels = 4  # the last two are the times, which neo leaves out
    path = folder / "brain.eeg"
    path.write_bytes(np.arange(100 * channels, dtype=">i2").tobytes())
    entries = ["V2", "info", "more", "03-02-2020", "10:11:12", "-1", "reserved", "-1", "0.002", str(channels)]
    entries += ["Fz", "Cz", "Num1", "Num2", *["EEG"] * channels, *["uV"] * channels]
    for value in (-3276.8, 3276.7, -32768, 32767):
        entries += [str(value)] * channels
    Path(f"{path}.ent").write_text("\n".join([*entries, *["none"] * channels]) + "\n", encoding="ascii")
    Path(f"{path}.pos").write_text("10 1 0\n50 2 0\n", encoding="ascii")
    return path


def neuroscope(folder: Path) -> Path:
    path = folder / "rat.xml"
    path.write_text(
        "<parameters><acquisitionSystem><nBits>16</nBits><nChannels>2</nChannels><samplingRate>20000</samplingRate>"
        "<voltageRange>20</voltageRange><amplification>1000</amplification><offset>0</offset></acquisitionSystem>"
        "<anatomicalDescription><channelGroups><group><channel>0</channel><channel>1</channel></group></channelGroups>"
        "</anatomicalDescription></parameters>",
        encoding="utf-8",
    )
    path.with_suffix(".dat").write_bytes(RAMP.tobytes())
    return path


def neuronexus(folder: Path) -> Path:
    status = {"samp_freq": 30000, "shape": [100, 2], "timestamp_range": [7, 107], "t_range": [0.0, 100 / 30000]}
    status["start_time"] = "2024-07-01T13:04:49.497224-04:00"  # type: ignore[assignment]
    channels = {"chan_name": ["pri_0", "pri_1"], "ntv_chan_name": ["a0", "a1"], "chan_type": ["ai0", "ai0"]}
    path = folder / "probe.xdat.json"
    path.write_text(json.dumps({"status": status, "sapiens_base": {"biointerface_map": channels}}), encoding="utf-8")
    (folder / "probe_data.xdat").write_bytes(RAMP.astype("<f4").tobytes())
    (folder / "probe_timestamp.xdat").write_bytes(np.arange(7, 107, dtype="<i8").tobytes())
    return path


def bci2000(folder: Path) -> Path:
    body = (
        "[ State Vector Definition ] \r\nRunning 1 0 0 0 \r\nStimulusCode 8 0 1 0 \r\n[ Parameter Definition ] \r\n"
        "Source int SamplingRate= 256 256 1 % // rate\r\nSource intlist SourceChOffset= 2 0 0 // offset\r\n"
        "Source floatlist SourceChGain= 2 1 1 // gain\r\nStorage string SubjectName= Ada % % % // name\r\n"
        "Storage string StorageTime= 2020-02-03T10:11:12 % % % // time\r\n\r\n"
    )
    head = "BCI2000V= 1.1 HeaderLen= {:5d} SourceCh= 2 StatevectorLen= 2 DataFormat= int16 \r\n"
    size = len(head.format(0)) + len(body)
    rows = np.zeros(100, [("raw", "<i2", 2), ("states", "u1", 2)])
    rows["raw"] = RAMP
    rows["states"][40:, 1] = 200
    path = folder / "speller.dat"
    path.write_bytes((head.format(size) + body).encode("ascii") + rows.tobytes())
    return path


def spikegadgets(folder: Path) -> Path:
    header = (
        '<?xml version="1.0"?>\n<Configuration>\n<GlobalConfiguration trodesVersion="2.3"/>\n'
        '<HardwareConfiguration samplingRate="30000" numChannels="2">'
        '<Device name="ECU" numBytes="4"><Channel id="Ain1" dataType="analog" startByte="0"/></Device>'
        "</HardwareConfiguration>\n"
        '<SpikeConfiguration chanPerChip="2"><SpikeNTrode id="1" spikeScalingToUv="0.195">'
        '<SpikeChannel hwChan="0"/><SpikeChannel hwChan="1"/></SpikeNTrode></SpikeConfiguration>\n</Configuration>\n'
    )
    packets = np.zeros(100, [("sync", "u1"), ("ecu", "<i2", 2), ("time", "<u4"), ("samples", "<i2", 2)])
    packets["sync"], packets["ecu"][:, 0], packets["time"] = 0x55, np.arange(100), np.arange(100)
    packets["samples"] = RAMP
    path = folder / "maze.rec"
    path.write_bytes(header.encode("utf-8") + packets.tobytes())
    return path


def spikeglx(folder: Path) -> Path:
    place = folder / "run_g0"
    place.mkdir()
    name = "run_g0_t0.nidq"
    meta = {
        "nSavedChans": 2, "snsMnMaXaDw": "0,0,2,0", "niMNGain": 1, "niMAGain": 1, "niAiRangeMax": 5,
        "fileName": f"D:/data/{name}.bin", "fileSizeBytes": RAMP.nbytes, "firstSample": 0, "typeThis": "nidq",
        "niSampRate": 25000,
        "snsSaveChanSubset": "0,1", "~snsChanMap": "(0,0,2,1,1)(XA0;0:0)(XA1;1:1)",
    }  # fmt: skip
    (place / f"{name}.meta").write_text("".join(f"{key}={value}\n" for key, value in meta.items()), encoding="utf-8")
    (place / f"{name}.bin").write_bytes(RAMP.tobytes())
    return place


def phy(folder: Path) -> Path:
    place = folder / "sorted"
    place.mkdir()
    np.save(place / "spike_times.npy", np.array([10, 20, 30, 40], "<i8"))
    np.save(place / "spike_templates.npy", np.array([0, 1, 0, 1], "<i4"))
    np.save(place / "spike_clusters.npy", np.array([0, 1, 0, 0], "<i4"))
    (place / "params.py").write_text("dat_path = 'rec.dat'\nn_channels_dat = 2\nsample_rate = 30000.\n")
    (place / "cluster_group.tsv").write_text("cluster_id\tgroup\n0\tgood\n1\tmua\n")
    return place
