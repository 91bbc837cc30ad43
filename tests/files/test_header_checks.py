"""Counts in a header that do not fit into the file are refused before a reader trusts them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from gnode_orm.errors import FormatError
from gnode_orm.files.recordings import open_recording
from tests.files.formats.binary_headers import igor
from tests.files.formats.more_binary import alpha_omega

ABF2 = "abf2-ic-ramp/17o05027_ic_ramp.abf"
ABF1 = "abf1-nodate/invalidDate-abf1.abf"
EDF = "edf-uneven/test_uneven_samp.edf"
BDF = "bdf-4ch/test_bdf_stim_channel.bdf"


@pytest.mark.parametrize(
    ("source", "offset", "value", "reason"),
    [
        (ABF2, 76 + 16 * 5, struct.pack("<IIq", 0, 0, 2**40), "section 5 of the header ends at byte 1099511627776"),
        (ABF2, 76 + 16 * 10, struct.pack("<IIq", 12, 2, 2**33), "section 10 of the header ends at byte"),
        (ABF2, 76 + 16 * 9, struct.pack("<IIq", 2**31, 9, 1), "section 9 of the header ends at byte"),
        (ABF1, 10, struct.pack("<i", 2**30), "the samples end at byte"),
        (ABF1, 48, struct.pack("<i", 2**30), "the tags end at byte"),
        (ABF1, 96, struct.pack("<i", 2**30), "the sweeps end at byte"),
        (EDF, 236, b"99999999", "the header says "),
        (EDF, 252, b"-abc", "a count in it is no number"),
        (BDF, 236, b"99999999", "the header says "),
    ],
)
def test_a_count_beyond_the_end_of_the_file_is_refused(
    data: Path, tmp_path: Path, source: str, offset: int, value: bytes, reason: str
) -> None:
    content = bytearray((data / source).read_bytes())
    content[offset : offset + len(value)] = value
    path = tmp_path / Path(source).name
    path.write_bytes(content)
    with pytest.raises(FormatError) as refused:
        open_recording(path)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("source", ["blackrock-nev/example_1.nev", "blackrock-ns2/example_2.ns2"])
@pytest.mark.parametrize("left", [25, 40, -1])
def test_packets_cut_short_are_refused(data: Path, tmp_path: Path, source: str, left: int) -> None:
    path = tmp_path / Path(source).name
    path.write_bytes((data / source).read_bytes()[:left])
    with pytest.raises(FormatError, match="truncated or damaged") as refused:
        open_recording(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("source", [ABF2, ABF1, EDF, BDF])
def test_a_file_cut_short_is_refused_with_both_lengths(data: Path, tmp_path: Path, source: str) -> None:
    content = (data / source).read_bytes()
    path = tmp_path / Path(source).name
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FormatError, match=rf"truncated or damaged: .* {len(content) // 2}\b"):
        open_recording(path)


def test_a_block_of_alphaomega_without_a_length_is_refused(tmp_path: Path) -> None:
    place = alpha_omega(tmp_path)
    file = place / "f0001.mpx"
    content = bytearray(file.read_bytes())
    content[60:62] = bytes(2)
    file.write_bytes(content)
    with pytest.raises(FormatError, match=r"f0001\.mpx is damaged: the block at byte 60 is of 0 bytes"):
        open_recording(place)


def test_a_file_of_alphaomega_without_an_end_is_refused(tmp_path: Path) -> None:
    place = alpha_omega(tmp_path)
    file = place / "f0001.mpx"
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(FormatError, match=r"f0001\.mpx is truncated: no end after"):
        open_recording(place)


@pytest.mark.parametrize("at", [12, 76, 132], ids=["note", "points", "axis"])
def test_a_wave_of_igor_that_claims_more_than_it_holds_is_refused(at: int, tmp_path: Path) -> None:
    path = igor(tmp_path)
    content = bytearray(path.read_bytes())
    content[at : at + 4] = (2**30).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(FormatError, match="a size in the header goes beyond"):
        open_recording(path)
