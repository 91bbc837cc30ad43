from __future__ import annotations

import datetime as dt
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm.errors import FormatError, NotFound, ValidationFailed
from gnode_orm.files.recordings import Failure, open_recording
from tests.files.figures import assert_block
from tests.files.natives import natives
from tests.files.sample_sets import METADATA, READ_BY_NEO, READ_BY_OTHERS, TABLES, UNREADABLE


def read(path: Path, **options: Any) -> tuple[list[Any], list[str]]:
    with open_recording(path, **options) as recording:
        return list(natives(recording)), recording.warnings


def test_every_sample_set_is_accounted_for(data: Path, expected: dict[str, Any]) -> None:
    assert {*READ_BY_NEO, *READ_BY_OTHERS, *UNREADABLE, *METADATA, *TABLES} == expected.keys()


@pytest.mark.parametrize(("name", "reader"), READ_BY_NEO.items(), ids=list(READ_BY_NEO))
def test_a_recording_is_read_as_neo_reads_it(data: Path, expected: dict[str, Any], name: str, reader: str) -> None:
    with open_recording(data / expected[name]["path"]) as recording:
        assert recording.reader_name == reader
        blocks = [native for native in natives(recording) if not isinstance(native, Failure)]
    assert len(blocks) == expected[name].get("block_count", 1)
    # Of Open Ephys, neo itself reads the first block alone.
    for block, figures in zip(blocks, expected[name]["blocks"], strict=False):
        assert_block(block, figures)


@pytest.mark.parametrize(("name", "reason"), UNREADABLE.items(), ids=list(UNREADABLE))
def test_an_unreadable_recording_ends_in_one_line_that_says_why(
    data: Path, expected: dict[str, Any], name: str, reason: str
) -> None:
    path = data / expected[name]["path"]
    with pytest.raises(FormatError) as refused:
        open_recording(path)
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    assert reason in message
    assert "\n" not in message


def test_each_experiment_of_an_open_ephys_folder_is_a_block(data: Path) -> None:
    blocks, told = read(data / "openephys-binary" / "v0.6.x_neuropixels_multiexp_multistream")
    assert [block.annotations["experiment"] for block in blocks] == ["experiment1", "experiment3", "experiment6"]
    counts = [[len(event) for event in block.segments[0].events] for block in blocks]
    assert counts == [[0, 1196, 836, 836], [0, 1106, 746, 746], [0, 1086, 726, 726]]
    assert not told


@pytest.mark.trap(4)
def test_of_several_blocks_those_that_can_be_read_come_and_the_others_are_reported(damaged_experiment: Path) -> None:
    blocks, _ = read(damaged_experiment)
    assert [type(block).__name__ for block in blocks] == ["Block", "Failure", "Block"]
    assert str(blocks[1]).startswith("block[1]: ValueError: There is no possible labels")


def test_a_block_is_read_only_when_it_is_asked_for(data: Path) -> None:
    with open_recording(data / "openephys-binary" / "v0.6.x_neuropixels_multiexp_multistream") as recording:
        number, native = next(recording.blocks())
    assert (number, len(native.segments)) == (0, 1)


@pytest.mark.trap(8)
def test_a_single_neuralynx_file_is_read_without_its_folder(data: Path) -> None:
    (block,), _ = read(data / "neuralynx-events" / "R050-2014-04-02-Events.nev")
    assert sum(len(event) for event in block.segments[0].events) == 458


def test_every_block_of_a_nix_file_is_read(tmp_path: Path) -> None:
    blocks = [neo.Block(name=name) for name in ("first", "second")]
    for block in blocks:
        segment = neo.Segment()
        segment.analogsignals.append(neo.AnalogSignal(np.arange(5.0), units="mV", sampling_rate=1 * pq.kHz))
        block.segments.append(segment)
    file = neo.io.NixIO(str(tmp_path / "two.nix"), mode="ow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # neo's own, while it writes
        file.write_all_blocks(blocks)
        file.close()
    read_back, _ = read(tmp_path / "two.nix")
    assert [block.name for block in read_back] == ["first", "second"]
    assert read_back[1].segments[0].analogsignals[0].magnitude.ravel().tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("make", "error", "reason"),
    [
        (lambda path: None, NotFound, "no such file or folder"),
        (lambda path: path.write_bytes(b""), FormatError, "the file is empty"),
        (lambda path: path.mkdir(), FormatError, "the folder is empty"),
        (lambda path: path.symlink_to("../.git/annex/objects/X1/k"), FormatError, "a git-annex link"),
        (lambda path: path.symlink_to("nowhere.abf"), NotFound, "a link to nowhere.abf"),
        (lambda path: path.write_bytes(b"/annex/objects/MD5E-s12--aa.abf\n"), FormatError, "a git-annex pointer"),
        (
            lambda path: path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"),
            FormatError,
            "a Git LFS pointer",
        ),
        (lambda path: path.write_bytes(b"\x00" * 40), FormatError, "AxonIO: "),
    ],
    ids=["missing", "empty file", "empty folder", "annex link", "dangling link", "annex text", "lfs text", "zeros"],
)
@pytest.mark.trap(10, 11)
def test_what_is_no_recording_is_refused_with_the_reason(
    tmp_path: Path, make: Callable[[Path], Any], error: type[Exception], reason: str
) -> None:
    path = tmp_path / "cell.abf"
    make(path)
    with pytest.raises(error) as refused:
        open_recording(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("length", [3, 100, 600, 5000])
def test_a_truncated_file_is_refused(data: Path, tmp_path: Path, length: int) -> None:
    whole = (data / "abf2-ic-ramp" / "17o05027_ic_ramp.abf").read_bytes()
    path = tmp_path / "cut.abf"
    path.write_bytes(whole[:length])
    with pytest.raises(FormatError, match=r"cut\.abf: AxonIO: "):
        open_recording(path)


def test_a_pickle_is_read_only_when_asked_for_by_name(tmp_path: Path) -> None:
    path = tmp_path / "block.pkl"
    path.write_bytes(pickle.dumps(neo.Block(name="pickled")))
    with pytest.raises(FormatError, match="a pickle runs code when it is read"):
        open_recording(path)
    (block,), _ = read(path, reader="PickleIO")
    assert block.name == "pickled"


def test_a_file_of_samples_without_a_header_is_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "samples.raw"
    path.write_bytes(np.arange(64, dtype="i2").tobytes())
    with pytest.raises(FormatError, match=r"samples\.raw: RawMCSIO: "):
        open_recording(path)


def test_an_unknown_reader_is_named_with_what_was_meant(data: Path) -> None:
    with pytest.raises(ValidationFailed, match="No reader is called 'AxonI'; did you mean 'AxonIO'"):
        open_recording(data / "abf1-nodate" / "invalidDate-abf1.abf", reader="AxonI")


def test_a_suffix_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.docx"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(FormatError, match="no reader knows this kind of file"):
        open_recording(path)


def test_a_folder_of_single_files_is_refused_with_their_names(data: Path) -> None:
    with pytest.raises(FormatError, match=r"import its files one by one \(2020_06_16_0000\.abf\)"):
        open_recording(data / "abf2-varlen")


def test_a_data_file_points_to_its_header(data: Path) -> None:
    with pytest.raises(FormatError, match=r"belongs to 100\.hea; import that"):
        open_recording(data / "wfdb-mitbih-100" / "100.dat")


@pytest.mark.trap(28)
def test_the_folder_of_a_file_does_not_leave_the_machine(data: Path) -> None:
    (block,), _ = read(data / "abf2-varlen" / "2020_06_16_0000.abf")
    signal = block.segments[0].analogsignals[0]
    assert (block.file_origin, block.segments[0].file_origin, signal.file_origin) == ("2020_06_16_0000.abf",) * 3


@pytest.mark.trap(28)
def test_persons_are_left_out_unless_asked_for(data: Path) -> None:
    path = data / "edf-utf8" / "test_utf8.edf"
    (block,), told = read(path)
    assert {"birthdate", "patientname", "gender", "sex"} & block.annotations.keys() == set()
    assert "startdate" in block.annotations
    assert any("personal fields were left out (birthdate, gender, patientname, sex)" in text for text in told)
    (block,), told = read(path, keep_personal=True)
    assert block.annotations["birthdate"] == "20 jan 1998"
    assert told == []


@pytest.mark.trap(14, 17)
def test_what_readers_log_and_warn_becomes_warnings_of_the_result(data: Path) -> None:
    _, told = read(data / "brainvision-units" / "test_units.vhdr")
    assert "unit 'nV' is unknown: kept as dimensionless, values not scaled" in told
    _, told = read(data / "blackrock-ns2" / "example_2.ns2")
    assert told == ["the header holds no scaling: raw counts are kept as dimensionless"]


@pytest.mark.trap(5)
def test_an_empty_result_is_said(data: Path) -> None:
    with open_recording(data / "nix-not-neo" / "spike_features.h5", reader="NixIO") as recording:
        list(recording.blocks())
        assert any("read, but it holds no signals" in text for text in recording.warnings)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("ascii-column/spike_extraction_test_data.txt", "V and 1 Hz were assumed"),
        ("abf1-187sweeps-tags/multichannelAbf1WithTags.abf", "the same 2 events stand in each of the 187 segments"),
        ("abf2-60sweeps-tag/2018_11_16_sh_0006.abf", "the same one event stands in each of the 60 segments"),
        ("abf2-16ch-4units/test_0001.abf", "unit 'C' was read as coulomb"),
        ("abf2-ic-ramp/17o05027_ic_ramp.abf", "2017-10-05 14:42:42.004999 has no time zone: kept without one"),
    ],
)
@pytest.mark.trap(15, 19, 23)
def test_what_was_assumed_is_said(data: Path, path: str, words: str) -> None:
    _, told = read(data / path)
    assert any(words in text for text in told)


@pytest.mark.trap(13)
def test_options_for_a_reader_take_the_place_of_what_is_assumed(data: Path) -> None:
    path = data / "ascii-column" / "spike_extraction_test_data.txt"
    options = {"units": "mV", "sampling_rate": 20 * pq.kHz}
    (block,), told = read(path, reader="AsciiSignalIO", reader_options=options)
    (signal,) = block.segments[0].analogsignals
    assert (signal.dimensionality.string, float(signal.sampling_rate.rescale("Hz"))) == ("mV", 20_000)
    assert not any("assumed" in text for text in told)
    _, told = read(path, reader="AsciiSignalIO", reader_options={"units": "mV"})
    assert "a text table does not say its rate: 1 Hz was assumed; reader_options= gives it" in told


def test_a_reader_of_bytes_is_told_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "samples.raw"
    path.write_bytes(np.arange(12, dtype="<i2").tobytes())
    options = {"dtype": "<i2", "nb_channel": 3, "sampling_rate": 500.0}
    (block,), _ = read(path, reader="RawBinarySignalIO", reader_options=options)
    assert [signal.shape for signal in block.segments[0].analogsignals] == [(4, 3)]


@pytest.mark.parametrize(
    ("reader", "options", "error", "reason"),
    [
        (None, {"units": "mV"}, ValidationFailed, r"Options \['units'\] are for one reader; name it with reader="),
        ("AxonIO", {"gain": 2}, FormatError, "AxonIO: TypeError: .* unexpected keyword argument 'gain'"),
        ("pynwb", {"gain": 2}, FormatError, "The reader pynwb takes no options"),
    ],
)
def test_options_that_no_reader_takes_are_refused(
    data: Path, reader: str | None, options: dict[str, Any], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        open_recording(data / "abf2-ic-ramp" / "17o05027_ic_ramp.abf", reader=reader, reader_options=options)


def test_folders_are_kept_with_the_name_of_a_file_where_that_is_asked_for(data: Path) -> None:
    path = data / "abf2-ic-ramp" / "17o05027_ic_ramp.abf"
    (block,), _ = read(path)
    assert block.file_origin == path.name
    (block,), _ = read(path, keep_paths=True)
    assert block.file_origin == str(path)


def test_a_time_zone_is_given_to_times_that_have_none(data: Path) -> None:
    (block,), told = read(data / "abf2-ic-ramp" / "17o05027_ic_ramp.abf", timezone="Europe/Berlin")
    assert block.rec_datetime.utcoffset() == dt.timedelta(hours=2)
    assert block.rec_datetime.hour == 14
    assert not any("time zone" in text for text in told)


@pytest.mark.trap(20)
def test_a_time_zone_does_not_change_times_that_have_one(data: Path) -> None:
    (block,), _ = read(data / "nwb-ttl" / "mock_ttl_examples.nwb", timezone="Europe/Berlin")
    assert block.rec_datetime.utcoffset() == dt.timedelta(hours=-5)


def test_an_unknown_time_zone_is_refused_before_reading(data: Path) -> None:
    with pytest.raises(ValidationFailed, match="Unknown time zone 'Europe/Berlim'"):
        open_recording(data / "abf2-ic-ramp" / "17o05027_ic_ramp.abf", timezone="Europe/Berlim")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"a b c\n1 2 3\nfour 5 6\n", "a table of text, not of numbers"),
        (b"1\t2\n3\n", "lines with different counts of numbers"),
        (b"temperature \xb0C\n1\n", "not text in UTF-8 (byte 12)"),
        (b"time only\n", "a table of text, not of numbers"),
        (b"\n\n", "no lines of text"),
        (b"9" * 70_000, "no lines of text"),
    ],
)
def test_a_text_that_is_no_table_of_numbers_is_no_signal(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(FormatError) as refused:
        open_recording(path)
    assert f"AsciiSignalIO: {reason}" in str(refused.value)


def test_a_long_table_is_judged_by_its_begin(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("\n".join(f"{number / 7:.6f}" for number in range(20_000)))
    (block,), _ = read(path)
    assert block.segments[0].analogsignals[0].shape == (20_000, 1)


def test_a_nix_file_without_a_block_is_refused(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # neo's own, while it writes
        neo.io.NixIO(str(tmp_path / "none.nix"), mode="ow").close()
    with pytest.raises(FormatError, match=r"none\.nix: NixIO: holds no block"):
        open_recording(tmp_path / "none.nix")


@pytest.mark.parametrize("suffix", [".nix", ".h5", ".nwb"])
def test_a_broken_hdf5_file_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"broken{suffix}"
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"\x00" * 100)
    with pytest.raises(FormatError, match="a broken HDF5 file"):
        open_recording(path)


@pytest.mark.trap(6)
def test_an_hdf5_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    import h5py

    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = [1, 2, 3]
    with pytest.raises(FormatError, match=r"other\.h5: ") as refused:
        open_recording(tmp_path / "other.h5")
    assert "NixIO" not in str(refused.value)
