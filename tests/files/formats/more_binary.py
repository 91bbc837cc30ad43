"""More small recordings with binary layouts: blocks inside blocks."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np


def alpha_omega(folder: Path) -> Path:
    place = folder / "session"
    place.mkdir()
    head = struct.pack(
        "<xlhBBBBBBHBxddlB10s4sxl", 0, 1, 10, 11, 12, 0, 3, 2, 2020, 1, 0.0, 0.1, 0, 4, b"AlphaRS\0", b"\0" * 4, 0
    )
    parts = [_alpha_block(b"h", head)]
    channel = struct.pack("<xlhhhxBBB", 0, 1, 1, 7, 0, 0, 0) + struct.pack("<hffhh", 0, 38.0, 1.0, 104, 0)
    parts.append(_alpha_block(b"2", channel + struct.pack("<fh", 1.0, 2000) + b"RAW 01\0"))
    digital = struct.pack("<xlhhhxBBB", 0, 0, 1, 9, 0, 0, 0) + struct.pack("<fhfh", 1.0, 0, 0.0, 0)
    parts.append(_alpha_block(b"2", digital + b"TTL 1\0"))
    samples = np.arange(50, dtype="<i2").tobytes()
    parts += [_alpha_block(b"5", struct.pack("<ch", b"\0", 7) + samples + struct.pack("<L", at)) for at in (0, 50)]
    parts.append(_alpha_block(b"5", struct.pack("<ch", b"\0", 9) + struct.pack("<Lh", 20, 1)))
    (place / "f0001.mpx").write_bytes(b"".join(parts) + struct.pack("<Hc", 65535, b"\0"))
    return place


def _alpha_block(kind: bytes, body: bytes) -> bytes:
    return struct.pack("<Hc", len(body) + 3, kind) + body


def brainware_src(folder: Path) -> Path:
    spike = struct.pack("<Hf", 29079, 10.0) + bytes(40) + b"\0"
    train = struct.pack("<Hd", 29110, 43000.5) + struct.pack("<hhh", 2, 0, 0) + 2 * spike
    unassigned = struct.pack("<Hhhh", 29082, 1, 0, 0) + train
    parameters = struct.pack("<Hh", 29109, 1) + b"\0\x05Level" + struct.pack("<f", 60.0)
    units = struct.pack("<Hhhh", 29083, 0, 0, 0)
    segment = struct.pack("<H", 29106) + parameters + unassigned + units + struct.pack("<i", 100)
    block = struct.pack("<HBhhh", 29112, 1, 1, 0, 0) + segment + b"L" + struct.pack("<h", 0)
    path = folder / "ear.src"
    path.write_bytes(block + struct.pack("<H", 0) + block)
    return path


def optical_block(folder: Path) -> Path:
    """A file of optical imaging (.BLK) with one stimulus and three frames of 4 by 5 pixels."""
    width, height, frames = 4, 5, 3
    data = np.arange(width * height * frames, dtype="<f4").tobytes()
    size = 1716
    numbers = [size + len(data), 0, 0, size]
    head = struct.pack("<4if", *numbers, 1.0)
    head += struct.pack("<12i", 11, 12, 14, 4, width, height, frames, 1, 1, 1, 1, 1)
    head += b"user".ljust(32, b"\0") + b"2020-02-03".ljust(16, b"\0")
    head += struct.pack("<12i", 0, 0, width, height, 0, 0, size, 4 * width * height, 0, 0, 0, 0)
    head += bytes(64) + struct.pack("<4i", 0, 0, 0, 0) + bytes(64)
    head += struct.pack("<fHHiiii", 1.0, 1, 1, 1, 1, 1, 1) + bytes(16 + 64 + 256)
    head += struct.pack("<i", 0) + bytes(256) + struct.pack("<3iff", 1, 1, 1, 1.0, 0.0) + bytes(256)
    head += bytes(512) + struct.pack("<i", 1)
    path = folder / "cortex.BLK"
    path.write_bytes(head.ljust(size, b"\0") + data)
    return path
