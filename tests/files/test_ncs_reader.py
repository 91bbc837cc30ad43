"""Continuous channels of Neuralynx that neo refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnode_orm.errors import FormatError
from gnode_orm.files.recordings import open_recording

LAYOUT = [("time", "<u8"), ("channel", "<u4"), ("rate", "<u4"), ("count", "<u4"), ("samples", "<i2", 512)]
HEADER = "######## Neuralynx Data File Header\r\n-AcqEntName CSC3\r\n-ADBitVolts 0.00000025\r\n-InputInverted False\r\n"


def written(path: Path, times: list[int], *, header: str = HEADER, count: int = 512, **fields: Any) -> Path:
    records = np.zeros(len(times), LAYOUT)
    records["time"], records["rate"], records["count"], records["channel"] = times, 32000, count, 3
    records["samples"] = np.arange(512)
    for name, value in fields.items():
        records[name] = value
    path.write_bytes(header.encode("latin-1").ljust(16384, b"\0") + records.tobytes())
    return path


def read(path: Path, **options: Any) -> tuple[Any, list[str]]:
    with open_recording(path, **options) as recording:
        assert recording.reader_name == "ncs"
        ((_, block),) = recording.blocks()
        return block, recording.warnings


@pytest.mark.trap(2)
def test_a_file_without_the_header_of_cheetah_is_read_by_its_records(data: Path) -> None:
    block, told = read(data / "neuralynx-ncs" / "TestFile.Ncs")
    (signal,) = block.segments[0].analogsignals
    assert (signal.shape, signal.dtype.str, float(signal.sampling_rate)) == ((65536, 1), "<i2", 32000.0)
    assert signal.magnitude[:3, 0].tolist() == [-32768, -32767, -32766]
    assert told == ["the header holds no scaling: raw counts are kept as dimensionless"]


def test_the_header_gives_name_and_scale(tmp_path: Path) -> None:
    block, told = read(written(tmp_path / "a.ncs", [1000, 17000]), timezone="UTC")
    (signal,) = block.segments[0].analogsignals
    assert (signal.name, signal.dimensionality.string, signal.dtype) == ("CSC3", "uV", "f4")
    assert signal.magnitude[:4, 0].tolist() == [0, 0.25, 0.5, 0.75]
    assert (float(signal.t_start), block.annotations["first_timestamp_us"], told) == (0.0, 1000, [])


def test_integers_stay_integers_when_asked_for(tmp_path: Path) -> None:
    block, _ = read(written(tmp_path / "a.ncs", [0]), raw=True)
    (signal,) = block.segments[0].analogsignals
    assert (signal.dtype.str, signal.dimensionality.string) == ("<i2", "(0.25*uV)")


def test_an_inverted_input_is_turned_over(tmp_path: Path) -> None:
    header = HEADER.replace("False", "True")
    block, _ = read(written(tmp_path / "a.ncs", [0], header=header))
    assert block.segments[0].analogsignals[0].magnitude[1, 0] == -0.25


def test_each_stretch_between_gaps_is_a_segment(tmp_path: Path) -> None:
    block, told = read(written(tmp_path / "a.ncs", [0, 16000, 50000], count=512))
    begins = [(float(item.analogsignals[0].t_start), len(item.analogsignals[0])) for item in block.segments]
    assert (begins, told) == ([(0.0, 1024), (0.05, 512)], ["1 gaps in time: each stretch is a segment"])


def test_samples_that_do_not_count_are_left_out(tmp_path: Path) -> None:
    block, _ = read(written(tmp_path / "a.ncs", [0, 16000], count=[512, 100]))  # type: ignore[arg-type]
    assert len(block.segments[0].analogsignals[0]) == 612


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"channel": [1, 2]}, "of more than one channel"),
        ({"count": [512, 600]}, "counts more than its 512 samples"),
        ({"rate": 0}, "a sampling rate of 0"),
    ],
)
def test_records_that_contradict_themselves_are_refused(fields: dict[str, Any], reason: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.ncs", [0, 16000])
    records = np.frombuffer(path.read_bytes()[16384:], LAYOUT).copy()
    for name, value in fields.items():
        records[name] = value
    path.write_bytes(path.read_bytes()[:16384] + records.tobytes())
    with pytest.raises(FormatError, match=reason):
        open_recording(path, reader="ncs")


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ncs", [0, 16000])
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(FormatError, match="truncated: after the header come 2078 bytes"):
        open_recording(path, reader="ncs")
