"""Formats that neo does not read: WFDB and Axon text files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnode_orm.errors import FormatError
from gnode_orm.files.recordings import open_recording
from tests.files.natives import natives


def only_block(path: Path, *, warning: str | None = None, **options: Any) -> Any:
    with open_recording(path, **options) as recording:
        (block,) = natives(recording)
    assert warning is None or warning in recording.warnings
    return block


@pytest.mark.trap(9)
def test_a_wfdb_record_is_read_in_physical_units(data: Path, expected: dict[str, Any]) -> None:
    figures = expected["wfdb-mitbih-100"]
    block = only_block(data / figures["path"])
    (signal,) = block.segments[0].analogsignals
    assert list(signal.shape) == figures["shape"]
    assert str(signal.dtype) == figures["dtype"]
    assert (signal.dimensionality.string, float(signal.sampling_rate.rescale("Hz"))) == ("mV", figures["fs"])
    assert signal.magnitude[0].tolist() == figures["first"]
    assert signal.magnitude[-1].tolist() == figures["last"]
    assert signal.magnitude.sum(axis=0).tolist() == pytest.approx(figures["sum"])
    assert signal.array_annotations["channel_names"].tolist() == figures["sig_name"]


def test_the_annotations_of_a_wfdb_record_become_an_event(data: Path, expected: dict[str, Any]) -> None:
    figures = expected["wfdb-mitbih-100"]["ann"]
    (event,) = only_block(data / "wfdb-mitbih-100" / "100.hea").segments[0].events
    samples = event.array_annotations["sample"]
    assert (len(event), int(samples.sum())) == (figures["n"], figures["sample_sum"])
    assert {str(label): event.labels.tolist().count(label) for label in set(event.labels.tolist())} == figures[
        "symbols"
    ]
    assert np.array_equal(event.magnitude, samples / 360)


def test_the_comments_of_a_wfdb_header_describe_a_person(data: Path) -> None:
    path = data / "wfdb-mitbih-100" / "100.hea"
    assert "wfdb_comments" not in only_block(path).annotations
    assert "Aldomet, Inderal" in only_block(path, keep_personal=True).annotations["wfdb_comments"]


def test_an_axon_text_file_holds_the_same_samples_as_its_binary_twin(data: Path) -> None:
    folder = data / "abf2-atf-pair"
    text, binary = only_block(folder / "18702001-step.atf"), only_block(folder / "18702001-step.abf")
    assert len(text.segments) == len(binary.segments) == 3
    for ours, theirs in zip(text.segments, binary.segments, strict=True):
        ours, theirs = ours.analogsignals[0], theirs.analogsignals[0]
        assert (ours.name, ours.dimensionality, ours.shape) == ("IN 0", theirs.dimensionality, theirs.shape)
        assert float(ours.sampling_rate) == float(theirs.sampling_rate) == 20000
        assert np.allclose(ours.magnitude, theirs.magnitude, rtol=1e-4, atol=1e-3)


def test_sweeps_of_an_axon_text_file_begin_where_its_header_says(data: Path) -> None:
    block = only_block(data / "abf2-atf-pair" / "18702001-step.atf")
    assert [float(segment.analogsignals[0].t_start) for segment in block.segments] == [0, 1, 2]


def edited(source: Path, target: Path, old: str, new: str) -> Path:
    text = source.read_text(encoding="utf-8")
    assert old in text
    target.write_text(text.replace(old, new), encoding="utf-8")
    return target


def test_a_unit_of_an_axon_text_file_that_nobody_knows_is_kept_beside_the_samples(data: Path, tmp_path: Path) -> None:
    source = data / "abf2-atf-pair" / "18702001-step.atf"
    path = edited(source, tmp_path / "odd.atf", "Trace #1 (pA)", "Trace #1 (furlong/x)")
    block = only_block(path, warning="unit 'furlong/x' is unknown: kept as dimensionless, values not scaled")
    signal = block.segments[0].analogsignals[0]
    assert (signal.dimensionality.string, signal.annotations) == ("dimensionless", {"unit_in_file": "furlong/x"})


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"Signals="\t"IN 0"\t"IN 1"', '"Signals="\t"IN 1"\t"IN 1"', "are not the same channels for each sweep"),
        ("\n0\t-10.498", "\n9\t-10.498", "the column of times does not rise"),
    ],
)
def test_an_axon_text_file_that_contradicts_itself_is_refused(
    data: Path, tmp_path: Path, old: str, new: str, reason: str
) -> None:
    with pytest.raises(FormatError, match=reason):
        open_recording(edited(data / "abf2-atf-pair" / "18702001-step.atf", tmp_path / "odd.atf", old, new))


def test_sweeps_without_begins_in_the_header_all_begin_at_zero(data: Path, tmp_path: Path) -> None:
    source = data / "abf2-atf-pair" / "18702001-step.atf"
    path = edited(source, tmp_path / "odd.atf", "0.000,1000.000,2000.000", "0.000,1000.000")
    block = only_block(path, warning="the header does not say when each sweep begins: 0 s was assumed for all")
    assert [float(segment.analogsignals[0].t_start) for segment in block.segments] == [0, 0, 0]


def test_a_unit_of_a_wfdb_record_that_nobody_knows_is_kept_beside_the_samples(data: Path, tmp_path: Path) -> None:
    source = data / "wfdb-mitbih-100"
    shutil.copy(source / "100.dat", tmp_path)
    path = edited(source / "100.hea", tmp_path / "100.hea", "212 200 11 1024 1011", "212 200/NU 11 1024 1011")
    block = only_block(path, warning="unit 'NU' is unknown: kept as dimensionless, values not scaled")
    known, unknown = block.segments[0].analogsignals
    assert (known.dimensionality.string, known.array_annotations["channel_names"].tolist()) == ("mV", ["MLII"])
    assert (unknown.dimensionality.string, unknown.annotations) == ("dimensionless", {"unit_in_file": "NU"})
    assert len(block.segments[0].events) == 0


def test_a_wfdb_header_without_its_samples_is_refused(data: Path, tmp_path: Path) -> None:
    shutil.copy(data / "wfdb-mitbih-100" / "100.hea", tmp_path)
    with pytest.raises(FormatError, match=r"100\.hea: wfdb: FileNotFoundError"):
        open_recording(tmp_path / "100.hea")
