"""A small recording of Intan's RHS2000 system, written by the published format of its files."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

LENGTH = 128
AMPLIFIER, ADC_IN, ADC_OUT, DIGITAL_IN, DIGITAL_OUT = 0, 3, 4, 5, 6


def write_rhs(path: Path, *, amplifiers: int = 3, blocks: int = 3, with_dc: bool = True) -> None:
    """Write random samples of amplifiers, their currents, two analog inputs, one output, and digital lines."""
    groups = [
        _group("Port A", "A", [(f"A-{number:03}", number, AMPLIFIER) for number in range(amplifiers)]),
        _group("Analog In Ports", "ANALOG-IN", [(f"ANALOG-IN-{number}", number, ADC_IN) for number in range(2)]),
        _group("Analog Out Ports", "ANALOG-OUT", [("ANALOG-OUT-0", 0, ADC_OUT)]),
        _group("Digital In Ports", "DIGITAL-IN", [(f"DIGITAL-IN-{number}", number, DIGITAL_IN) for number in (0, 3)]),
        _group("Digital Out Ports", "DIGITAL-OUT", [("DIGITAL-OUT-2", 2, DIGITAL_OUT)]),
        _group("Port B", "B", [], enabled=False),
    ]
    numbers = np.random.default_rng(5)
    words = amplifiers * (3 if with_dc else 2) + 2 + 1 + 1 + 1
    with path.open("wb") as file:
        file.write(_header(with_dc, len(groups)) + b"".join(groups))
        for block in range(blocks):
            file.write((np.arange(LENGTH, dtype="<i4") + block * LENGTH).tobytes())
            file.write(numbers.integers(0, 2**16, (words, LENGTH), dtype="<u2").tobytes())


def _header(with_dc: bool, groups: int) -> bytes:
    bands = (1.0, 0.1, 1000.0, 7500.0, 1.0, 0.1, 1000.0, 7500.0)
    return b"".join((
        struct.pack("<IhhfH8f", 0xD69127AC, 1, 0, 30000.0, 1, *bands),
        struct.pack("<Hff", 0, 1000.0, 1000.0),
        struct.pack("<HHfff", 0, 0, 1e-6, 1e-9, 0.0),
        _text("stimulation"), _text(""), _text(None),
        struct.pack("<HH", with_dc, 0), _text("n/a"), struct.pack("<H", groups),
    ))  # fmt: skip


def _group(name: str, prefix: str, channels: list[tuple[str, int, int]], *, enabled: bool = True) -> bytes:
    amplified = sum(kind == AMPLIFIER for *_, kind in channels)
    head = _text(name) + _text(prefix) + struct.pack("<hhh", enabled, len(channels), amplified)
    return head + b"".join(_channel(*channel) for channel in channels)


def _channel(name: str, number: int, kind: int) -> bytes:
    order = struct.pack("<11h", number, number, kind, 1, number, 0, 0, 0, 0, 0, 0)
    return _text(name) + _text(f"own {name}") + order + struct.pack("<ff", 1e6, -45.0)


def _text(text: str | None) -> bytes:
    if text is None:
        return struct.pack("<I", 0xFFFFFFFF)
    return struct.pack("<I", 2 * len(text)) + text.encode("utf-16-le")
