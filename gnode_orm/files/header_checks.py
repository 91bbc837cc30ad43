"""Do the counts in a header fit into its file? Asked before readers that would trust them, loop and allocate.

Sources: the ABF 1 and 2 headers of Axon Binary Files, the specification of EDF and BDF (edfplus.info),
and the file formats of Blackrock, NEV and NSx.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from math import prod
from pathlib import Path

from gnode_orm.errors import FormatError
from gnode_orm.files.hdf5_probe import problem_of_hdf5

_BLOCK = 512
_SECTIONS = 18
# Of the strings of an ABF 2 file, the header gives the length of all of them together.
_STRINGS = 9
_IGOR_HEADER = 384
# In place of a length, at the end of a file of AlphaOmega.
_NO_MORE = 0xFFFF


def check_header(reader: str, path: Path) -> None:
    """Refuse a file that is shorter than its header says.

    Raises:
        FormatError: naming what the header says and what the file has.
    """
    if reader == "AlphaOmegaIO" and path.is_dir():
        for part in sorted(path.glob("*.mpx")):
            _check_alpha_omega(part)
    if reader == "NeoMatlabIO" and path.is_file() and (problem := problem_of_hdf5(path)) is not None:
        raise FormatError(f"damaged: {problem}")
    check = _CHECKS.get(reader)
    if check is not None and path.is_file():
        with path.open("rb") as file:
            check(file.read(1 << 16), path.stat().st_size)


def _check_abf(start: bytes, size: int) -> None:
    if len(start) < _BLOCK:
        raise FormatError(f"truncated: {size} bytes are less than a header")
    if start[:4] == b"ABF2":
        _check_abf2(start, size)
    elif start[:4] == b"ABF ":
        _check_abf1(start, size)


def _check_abf2(start: bytes, size: int) -> None:
    for number in range(_SECTIONS):
        block, length, count = struct.unpack_from("<IIq", start, 76 + 16 * number)
        needed = length if number == _STRINGS else max(length, 1) * max(count, 0)
        if block * _BLOCK + needed > size:
            raise FormatError(
                f"truncated or damaged: section {number} of the header ends at byte {block * _BLOCK + needed}, "
                f"the file at {size}"
            )


def _check_abf1(start: bytes, size: int) -> None:
    samples, data_block, tag_block, tags = struct.unpack_from("<i26xiii", start, 10)
    sweep_block, sweeps, is_float = struct.unpack_from("<iih", start, 92)
    ends = {
        "samples": data_block * _BLOCK + max(samples, 0) * (4 if is_float else 2),
        "tags": tag_block * _BLOCK + max(tags, 0) * 64,
        "sweeps": sweep_block * _BLOCK + max(sweeps, 0) * 8,
    }
    for what, end in ends.items():
        if end > size:
            raise FormatError(f"truncated or damaged: the {what} end at byte {end}, the file at {size}")


def _check_edf(start: bytes, size: int) -> None:
    sample_bytes = 3 if start[:1] == b"\xff" else 2
    try:
        header, records, signals = int(start[184:192]), int(start[236:244]), int(start[252:256])
        begin = 256 + 216 * signals
        per_record = sum(int(start[begin + 8 * number : begin + 8 * number + 8]) for number in range(signals))
    except ValueError:
        raise FormatError("the header is truncated or damaged: a count in it is no number") from None
    needed = header + max(records, 0) * per_record * sample_bytes
    if needed > size:
        raise FormatError(f"truncated or damaged: the header says {needed} bytes, the file has {size}")


def _check_blackrock(start: bytes, size: int) -> None:
    # Neither says how much it holds, but both hold whole packets. Signals from 2.2 on count theirs; neo looks there.
    if start[:8] in (b"NEURALEV", b"NEURALSG") and len(start) < 32:
        raise FormatError(f"truncated or damaged: {size} bytes are less than a header")
    if start[:8] == b"NEURALEV":
        header, packet = struct.unpack_from("<II", start, 12)
    elif start[:8] == b"NEURALSG":
        (channels,) = struct.unpack_from("<I", start, 28)
        header, packet = 32 + 4 * channels, 2 * channels
    else:
        return
    if header > size or packet == 0 or (size - header) % packet:
        raise FormatError(
            f"truncated or damaged: after a header of {header} bytes come packets of {packet}, and the file has {size}"
        )


def _check_igor(start: bytes, size: int) -> None:
    """Hold the sizes in the header of a wave of version 5, and the counts along its axes, against the file."""
    for order in "<>":
        if len(start) < _IGOR_HEADER or struct.unpack_from(f"{order}h", start)[0] != 5:
            continue
        sizes = struct.unpack_from(f"{order}13i", start, 4)
        points, axes = struct.unpack_from(f"{order}i", start, 76)[0], struct.unpack_from(f"{order}4i", start, 132)
        counted = prod(axis for axis in axes if axis)
        if min(*sizes, points, *axes) < 0 or max(*sizes, points, counted) > size:
            raise FormatError(f"truncated or damaged: a size in the header goes beyond the {size} bytes of the file")


def _check_alpha_omega(file: Path) -> None:
    """Follow the blocks of a file, each of which says where the next one begins; neo goes round where one says 0."""
    with file.open("rb") as opened:
        size, at = file.stat().st_size, 0
        while at + 3 <= size:
            opened.seek(at)
            (length,) = struct.unpack("<H", opened.read(2))
            if length == _NO_MORE:
                return
            if length < 3:
                raise FormatError(f"{file.name} is damaged: the block at byte {at} is of {length} bytes")
            at += length
    raise FormatError(f"{file.name} is truncated: no end after {size} bytes")


_CHECKS: dict[str, Callable[[bytes, int], None]] = {
    "AxonIO": _check_abf,
    "BlackrockIO": _check_blackrock,
    "EDFIO": _check_edf,
    "IgorIO": _check_igor,
}
