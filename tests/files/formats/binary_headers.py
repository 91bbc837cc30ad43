"""Small recordings in formats with a binary header, written by their published layouts."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

from tests.files.formats.text_headers import RAMP


def micromed(folder: Path) -> Path:
    zones = ["ORDER", "LABCOD", "NOTE", "FLAGS", "TRONCA", "IMPED_B", "IMPED_E", "MONTAGE", "COMPRESS", "AVERAGE"]
    zones += ["HISTORY", "DVIDEO", "EVENT A", "EVENT B", "TRIGGER"]
    head = bytearray(4096)
    head[64:106] = b"Lovelace".ljust(22) + b"Ada".ljust(20)
    head[128:134] = bytes([3, 2, 120, 10, 11, 12])  # day, month and year since 1900
    struct.pack_into("<IHHHH", head, 138, len(head), 2, 4, 256, 2)
    head[175] = 4
    places = {"ORDER": 1024, "LABCOD": 1280, "TRIGGER": 2048, "NOTE": 2304}
    for number, zone in enumerate(zones):
        place = places.get(zone, 3000)
        struct.pack_into("<8sII", head, 176 + 16 * number, zone.ljust(8).encode(), place, 0)
    struct.pack_into("<8sII", head, 176 + 16 * zones.index("TRIGGER"), b"TRIGGER ", 2048, 6)
    struct.pack_into("<IH", head, 2048, 10, 7)
    struct.pack_into("<HH", head, 1024, 0, 1)
    for channel, name in enumerate((b"Fz", b"Cz")):
        scale = struct.pack("<iiiiih", 0, 65535, 32768, -3276, 3276, 0)
        struct.pack_into("<6s6s22s8xH", head, 1280 + 128 * channel + 2, name, b"G2", scale, 1)
    path = folder / "patient.TRC"
    path.write_bytes(bytes(head) + (RAMP.astype("i4") + 32768).astype("<u2").tobytes())
    return path


def plexon(folder: Path) -> Path:
    from neo.rawio import plexonrawio as layout

    head = np.zeros(1, layout.GlobalHeader)
    for name, value in {
        "MagicNumber": 0x58454C50, "Version": 106, "ADFrequency": 40000, "NumDSPChannels": 1, "NumEventChannels": 1,
        "NumSlowChannels": 1, "NumPointsWave": 4, "NumPointsPreThr": 1, "Year": 2020, "Month": 2, "Day": 3, "Hour": 10,
        "Minute": 11, "Second": 12, "WaveformFreq": 40000, "LastTimestamp": 4000.0, "Trodalness": 1,
        "BitsPerSpikeSample": 12, "BitsPerSlowSample": 12, "SpikeMaxMagnitudeMV": 3000, "SlowMaxMagnitudeMV": 5000,
        "SpikePreAmpGain": 1000, "DataTrodalness": 1,
    }.items():  # fmt: skip
        head[name] = value
    spikes, events, slow = (
        np.zeros(1, kind) for kind in (layout.DspChannelHeader, layout.EventChannelHeader, layout.SlowChannelHeader)
    )
    spikes["Name"], spikes["Channel"], spikes["NUnits"], spikes["Gain"] = b"sig001", 1, 1, 1
    events["Name"], events["Channel"] = b"EVT01", 2
    slow["Name"], slow["Channel"], slow["ADFreq"], slow["Gain"], slow["PreampGain"] = b"AD01", 0, 1000, 1, 1
    blocks = [
        _plexon_block(5, 0, 0, 0, np.arange(40, dtype="<i2")),
        _plexon_block(5, 400, 0, 0, np.arange(40, 90, dtype="<i2")),
        _plexon_block(5, 800, 0, 0, np.arange(90, 100, dtype="<i2")),
        _plexon_block(1, 400, 1, 1, np.arange(4, dtype="<i2")),
        _plexon_block(1, 800, 1, 1, np.arange(4, dtype="<i2")),
        _plexon_block(4, 1200, 2, 5, np.empty(0, "<i2")),
    ]
    path = folder / "rat.plx"
    path.write_bytes(b"".join(part.tobytes() for part in (head, spikes, events, slow)) + b"".join(blocks))
    return path


def _plexon_block(kind: int, time: int, channel: int, unit: int, samples: Any) -> bytes:
    return struct.pack("<HHIHHHH", kind, 0, time, channel, unit, 1 if samples.size else 0, samples.size) + bytes(
        samples
    )


def axona(folder: Path) -> Path:
    said = {"trial_date": "Monday, 3 Feb 2020", "trial_time": "10:11:12", "rawRate": 48000, "ADC_fullscale_mv": 1500}
    said |= {"pretrigSamps": 10, "Spike2msMode": 0, "collectMask_1": 1}
    said |= {f"gain_ch_{channel}": 5000 for channel in range(4)}
    path = folder / "mouse.set"
    path.write_text("".join(f"{name} {value}\n" for name, value in said.items()) + "data_start", encoding="cp1252")
    packet = np.zeros((5, 216), "<i2")
    packet[:, 16:208] = np.arange(192)
    path.with_suffix(".bin").write_bytes(packet.tobytes())
    spikes = np.zeros((3, 4), [("time", ">i4"), ("samples", "i1", 50)])
    spikes["time"] = np.array([[1], [2], [3]]) * 5
    head = "num_spikes 3\nnum_chans 4\nsample_rate 48000 hz\ntimebase 96000 hz\nduration 1\ndata_start"
    path.with_suffix(".1").write_bytes(head.encode("cp1252") + spikes.tobytes() + b"\r\ndata_end\r\n")
    return path


def igor(folder: Path) -> Path:
    samples = np.arange(100, dtype="<f4")
    wave = struct.pack("<IIIihh6sh32siI", 0, 0, 0, samples.size, 2, 0, b"", 1, b"Vm", 0, 0)
    wave += struct.pack("<4i8d", samples.size, 0, 0, 0, 0.0001, 1, 1, 1, 0, 0, 0, 0)
    wave += struct.pack("<4s16shhdd", b"mV", b"s", 0, 0, 0.0, 0.0)
    wave = wave.ljust(320, b"\0")
    head = [5, 0, len(wave) + samples.nbytes, *[0] * 15]
    first = struct.pack("<hh15i", *head[:2], *head[2:17]).ljust(64, b"\0")
    total = int(np.frombuffer(first + wave, "<i2").astype("i8").sum())
    head[1] = (-total + 0x8000) % 0x10000 - 0x8000
    first = struct.pack("<hh15i", *head[:2], *head[2:17]).ljust(64, b"\0")
    path = folder / "wave0.ibw"
    path.write_bytes(first + wave + samples.tobytes())
    return path


def brainware_dam(folder: Path) -> Path:
    path = folder / "ear.dam"
    sweep = struct.pack("<dhh", 43000.5, 1, 1) + b"\x05Level" + struct.pack("<fi", 60.0, 50)
    path.write_bytes(2 * (sweep + np.arange(50, dtype="<i2").tobytes()))
    return path


def brainware_f32(folder: Path) -> Path:
    path = folder / "ear.f32"
    path.write_bytes(np.array([-2, 100, 1, 60, -1, 10, 20, 30, -1, 15], "<f4").tobytes())
    return path


def open_ephys(folder: Path) -> Path:
    place = folder / "2020-02-03_10-11-12"
    place.mkdir()
    said = {"format": "'Open Ephys Data Format'", "version": 0.4, "header_bytes": 1024, "sampleRate": 30000}
    said |= {"blockLength": 1024, "bufferSize": 1024, "bitVolts": 0.195, "date_created": "'3-Feb-2020 101112'"}
    head = "".join(f"header.{name} = {value};\n" for name, value in said.items()).encode().ljust(1024, b" ")
    layout = [("time", "<i8"), ("count", "<u2"), ("number", "<u2"), ("samples", ">i2", 1024), ("mark", "u1", 10)]
    records = np.zeros(2, layout)
    records["time"], records["count"], records["samples"] = [0, 1024], 1024, np.arange(1024)
    for channel in (1, 2):
        (place / f"100_CH{channel}.continuous").write_bytes(head + records.tobytes())
    events = [
        ("time", "<i8"),
        ("pos", "<i2"),
        ("type", "u1"),
        ("cpu", "u1"),
        ("id", "u1"),
        ("ch", "u1"),
        ("rec", "<u2"),
    ]
    rows = np.zeros(2, events)
    rows["time"], rows["id"] = [100, 900], [1, 0]
    (place / "all_channels.events").write_bytes(head + rows.tobytes())
    return place


def tdt(folder: Path) -> Path:
    tank = folder / "Tank" / "Block-1"
    tank.mkdir(parents=True)
    store = {"StoreName": "Wave", "HeadName": "Wave|x", "Enabled": 1, "CircType": 0, "NumChan": 1, "StrobeMode": 0}
    store |= {"TankEvType": 0x8101, "NumPoints": 64, "DataFormat": 0, "SampleFreq": 1000}
    text = "".join(f"NAME={name};TYPE=L;VALUE={value};\n" for name, value in store.items())
    stem = tank / "Tank_Block-1"
    stem.with_suffix(".Tbk").write_text(f"[STOREHDRITEM]\n{text}\n[USERNOTEDELIMITER]\n")
    stem.with_suffix(".Tdx").write_bytes(b"")
    samples = np.arange(128, dtype="<f4")
    stem.with_suffix(".tev").write_bytes(samples.tobytes())
    rows = [
        (0, 0, b"", 0, 0, 0.0, 0, 0, 0.0),
        (0, 0x8801, b"\x01", 0, 0, 100.0, 0, 0, 0.0),
        (74, 0x8101, b"Wave", 1, 0, 100.0, 0, 0, 1000.0),
        (74, 0x8101, b"Wave", 1, 0, 100.064, 256, 0, 1000.0),
        (0, 0x8801, b"\x02", 0, 0, 100.128, 0, 0, 0.0),
    ]
    kinds = [("size", "<i4"), ("type", "<i4"), ("name", "S4"), ("channel", "<u2"), ("sort", "<u2"), ("time", "<f8")]
    layout = [*kinds, ("offset", "<i8"), ("format", "<i4"), ("rate", "<f4")]
    stem.with_suffix(".tsq").write_bytes(np.array(rows, layout).tobytes())
    return tank.parent


def tiff_images(folder: Path) -> Path:
    from PIL import Image

    place = folder / "imaging"
    place.mkdir()
    for number in range(3):
        Image.fromarray(np.full((4, 5), number, "u1")).save(place / f"frame{number}.tif")
    return place
