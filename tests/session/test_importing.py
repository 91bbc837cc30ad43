"""Files into a lab: what arrives, what is said, and what stays out."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, Document, Segment, Session, Value, connect, validate
from gnode_orm.errors import FormatError, LazyLoadWarning, NotFound, SessionError, StoreUnavailable, ValidationFailed
from gnode_orm.files.odml import read_odml
from gnode_orm.files.recordings import open_recording
from gnode_orm.session.importing import recording
from gnode_orm.session.importing.block import block_of
from gnode_orm.session.lab import Lab
from tests.convert.neo.isomorphism import assert_isomorphic
from tests.convert.odml.shapes import told
from tests.files.figures import assert_block
from tests.files.natives import natives
from tests.files.sample_sets import METADATA, READ_BY_NEO, READ_BY_OTHERS, UNREADABLE


@pytest.fixture
def lab(tmp_path: Path) -> Any:
    with connect(tmp_path / "lab") as lab:
        yield lab


def two_blocks(path: Path, *, second_time: float = 1.0) -> Path:
    """Write a NIX file of two blocks with a spike train each."""
    blocks = [neo.Block(name="first"), neo.Block(name="second")]
    for block, time in zip(blocks, (1.0, second_time), strict=True):
        block.segments.append(neo.Segment(name="trial"))
        block.segments[0].events.append(neo.Event([time] * pq.s, labels=["go"]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # neo's own, while it writes
        file = neo.io.NixIO(str(path), mode="ow")
        file.write_all_blocks(blocks)
        file.close()
    return path


@pytest.mark.parametrize("name", READ_BY_NEO)
@pytest.mark.trap(7, 12, 16, 21, 22, 24, 25)
def test_a_recording_comes_back_from_the_lab_as_neo_reads_it(
    data: Path, expected: dict[str, Any], lab: Lab, name: str
) -> None:
    with lab.session() as session:
        result = session.import_file(data / expected[name]["path"])
        assert len(result.blocks) == session.query(Block).count() == expected[name].get("block_count", 1)
        location = str(result.blocks[0].location)
    with lab.session() as session:
        assert_block(session.get(location).to_neo(), expected[name]["blocks"][0])


@pytest.mark.parametrize(("name", "reason"), UNREADABLE.items(), ids=list(UNREADABLE))
def test_what_cannot_be_read_leaves_nothing_behind(
    data: Path, expected: dict[str, Any], lab: Lab, name: str, reason: str
) -> None:
    with lab.session() as session:
        with pytest.raises(FormatError) as refused:
            session.import_file(data / expected[name]["path"])
        assert reason in str(refused.value)
        assert len(str(refused.value).splitlines()) == 1
        assert session.query(Block).count() == session.query(Document).count() == 0


@pytest.mark.parametrize("name", METADATA)
def test_an_odml_file_becomes_a_document(data: Path, expected: dict[str, Any], lab: Lab, name: str) -> None:
    with lab.session() as session:
        result = session.import_file(data / expected[name]["path"])
        assert result.blocks == []
        (document,) = result.documents
    with lab.session() as session:
        assert [section.name for section in session.get(str(document.location)).sections] == [
            name for name, _ in expected[name]["top"]
        ] or len(expected[name]["top"]) < expected[name]["n_top"]
        assert session.get(str(document.location)).author == expected[name]["author"]


@pytest.mark.parametrize("name", [*READ_BY_OTHERS, "openephys-binary"])
@pytest.mark.trap(1)
def test_what_neo_does_not_read_comes_back_from_a_lab_as_it_was_read(
    data: Path, expected: dict[str, Any], tmp_path: Path, name: str
) -> None:
    path = data / expected[name]["path"]
    with Session(tmp_path / "lab") as session:
        locations = [block.location for block in session.import_file(path).blocks]
    with Session(tmp_path / "lab") as session, open_recording(path) as recording:
        for location, native in zip(locations, natives(recording), strict=True):
            assert_isomorphic(session.get(location).to_neo(), native)


@pytest.mark.parametrize("name", METADATA)
@pytest.mark.trap(12)
def test_a_document_comes_back_from_a_lab_with_all_that_was_read(
    data: Path, expected: dict[str, Any], tmp_path: Path, name: str
) -> None:
    path = data / expected[name]["path"]
    with Session(tmp_path / "lab") as session:
        location = session.import_file(path).documents[0].location
    with Session(tmp_path / "lab") as session, warnings.catch_warnings():
        warnings.simplefilter("ignore", LazyLoadWarning)
        stored, read = session.get(location), read_odml(path).document
        assert (stored.author, stored.date, stored.version) == (read.author, read.date, read.version)
        # The document itself knows beside where it came from.
        assert told(stored)[1:] == told(read)[1:]


def test_values_of_an_odml_file_are_in_the_lab(data: Path, lab: Lab) -> None:
    with lab.session() as session:
        session.import_file(data / "odml-v1-large" / "metadata080707.xml")
        assert session.query(Value).count() == 1143


def test_a_signal_is_the_same_bit_for_bit_in_a_new_process(data: Path, tmp_path: Path) -> None:
    path = data / "abf2-ic-ramp" / "17o05027_ic_ramp.abf"
    with Session(tmp_path / "lab") as session:
        signal = session.import_file(path).blocks[0].segments[1].analogsignals[0]
        location = str(signal.location)
    script = (
        "import sys; from gnode_orm import Session\n"
        "with Session(sys.argv[1], readonly=True) as session:\n"
        "    signal = session.get(sys.argv[2]).to_neo()\n"
        "    facts = signal.dimensionality, signal.dtype.str, signal.shape, signal.t_start, signal.sampling_rate\n"
        "    print(signal.magnitude.tobytes().hex(), *facts, sep='|')\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "lab", location], capture_output=True, text=True, check=True
    )
    native = neo.io.AxonIO(str(path)).read_block().segments[1].analogsignals[0]
    facts = native.units.dimensionality, native.dtype.str, native.shape, native.t_start, native.sampling_rate
    assert run.stdout.strip() == "|".join([native.magnitude.tobytes().hex(), *map(str, facts)])


@pytest.mark.trap(27)
def test_empty_names_are_filled_from_file_and_sweep(data: Path, lab: Lab) -> None:
    with lab.session() as session:
        (block,) = session.import_file(data / "abf2-odd-rate" / "File_axon_7.abf").blocks
        assert block.name == "File_axon_7"
        names = [segment.name for segment in block.segments]
        assert (names[0], names[11]) == ("File_axon_7 sweep 01", "File_axon_7 sweep 12")
        assert session.query(Segment).filter(name__icontains="FILE_AXON").count() == 12


def test_a_filled_name_goes_back_to_neo_as_it_came_unless_it_was_changed(data: Path, lab: Lab) -> None:
    with lab.session() as session:
        (block,) = session.import_file(data / "abf2-varlen" / "2020_06_16_0000.abf").blocks
        block.segments[1].name = "with drug"
        session.commit()
        native = block.to_neo()
        assert [native.name, *(segment.name for segment in native.segments)] == [None, None, "with drug", None]


def test_names_in_the_file_stay(data: Path, lab: Lab) -> None:
    with lab.session() as session:
        (block,) = session.import_file(data / "blackrock-nev" / "example_1.nev").blocks
        assert (block.name, block.segments[0].name) == ("Blackrock Data Block", "Segment 0")


def test_the_results_belong_to_the_calling_session(data: Path, lab: Lab) -> None:
    with lab.session() as session:
        (block,) = session.import_file(data / "abf1-nodate" / "invalidDate-abf1.abf").blocks
        assert block in session
        assert session.get(block.location) is block
        block.name = "renamed"
        session.commit()
        assert session.query(Block).where(Block.name == "renamed").one() is block


def test_pending_work_stays_pending(data: Path, lab: Lab) -> None:
    with lab.session() as session:
        pending = session.add(Block("mine"))
        session.import_file(data / "abf1-nodate" / "invalidDate-abf1.abf")
        assert session.new == [pending]
        assert pending.location is None
        session.rollback()


def test_of_several_blocks_those_that_can_be_read_are_imported(damaged_experiment: Path, lab: Lab) -> None:
    with lab.session() as session:
        result = session.import_file(damaged_experiment)
        assert len(result.blocks) == session.query(Block).count() == 2
        assert [block.name for block in result.blocks] == ["three experiments block 1", "three experiments block 3"]
        assert [text.split(":")[0] for text in result.failed] == ["block[1]"]


def test_each_block_of_a_file_is_a_commit_of_its_own(tmp_path: Path, lab: Lab) -> None:
    with lab.session() as session:
        first, second = session.import_file(two_blocks(tmp_path / "two.nix")).blocks
        assert (first.name, second.name) == ("first", "second")
        assert first.modified != second.modified
        assert session.history(first)[0].message == "import two.nix"


def test_a_block_that_fails_the_validation_stays_out_with_all_that_it_holds(tmp_path: Path, lab: Lab) -> None:
    with lab.session() as session:
        result = session.import_file(two_blocks(tmp_path / "two.nix", second_time=np.nan))
        assert [block.name for block in result.blocks] == ["first"]
        (failure,) = result.failed
        assert "error times-not-finite at block.segments[0].eventarrays[0].times: hold NaN or infinity" in failure
        assert (session.query(Block).count(), session.query(Segment).count()) == (1, 1)


def test_a_store_that_fails_in_the_middle_keeps_what_was_committed_and_nothing_else(
    tmp_path: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = []
    apply = lab.store.apply

    def full_disk(changes: Any, actor: str) -> Any:
        sets.append(changes)
        if len(sets) == 2:
            raise StoreUnavailable("the disk is full")
        return apply(changes, actor)

    monkeypatch.setattr(lab.store, "apply", full_disk)
    with lab.session() as session:
        pending = session.add(Block("mine"))
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            session.import_file(two_blocks(tmp_path / "two.nix"))
        assert [block.name for block in session.query(Block)] == ["first"]
        assert session.query(Segment).count() == 1
        assert session.new == [pending]
        session.commit()
        assert session.query(Block).count() == 2


def test_what_was_assumed_left_out_and_doubtful_is_in_the_result(data: Path, lab: Lab) -> None:
    with lab.session() as session:
        result = session.import_file(data / "edf-utf8" / "test_utf8.edf")
        assert [text.split(" (")[0] for text in result.warnings] == [
            "personal fields were left out",
            "warning duration-negative at block.segments[0].epocharrays[0].durations: are negative",
        ]


def test_options_reach_the_reader(data: Path, lab: Lab) -> None:
    with lab.session() as session:
        kept = session.import_file(data / "edf-utf8" / "test_utf8.edf", keep_personal=True, reader="EDFIO")
        assert kept.blocks[0].annotations["birthdate"] == "20 jan 1998"
        there = session.import_file(data / "abf2-ic-ramp" / "17o05027_ic_ramp.abf", timezone="Europe/Berlin")
        assert there.blocks[0].rec_datetime.isoformat() == "2017-10-05T14:42:42.004999+02:00"


def test_progress_is_told_from_begin_to_end(tmp_path: Path, lab: Lab) -> None:
    told: list[tuple[int, int, str]] = []
    with lab.session() as session:
        session.import_file(two_blocks(tmp_path / "two.nix"), progress=lambda *step: told.append(step))
    assert told == [
        (0, 1, "reading two.nix"),
        (0, 2, "storing two.nix"),
        (1, 2, "storing two.nix"),
        (2, 2, "imported two.nix"),
    ]


def test_a_path_to_nothing_is_refused(tmp_path: Path, lab: Lab) -> None:
    with lab.session() as session, pytest.raises(NotFound, match="no such file or folder"):
        session.import_file(tmp_path / "cell.abf")


def test_a_broken_odml_file_is_refused_in_one_line(tmp_path: Path, lab: Lab) -> None:
    path = tmp_path / "setup.odml"
    path.write_text('<?xml version="1.0"?>\n<odML version="1.1"><section><name>a</name>')
    with lab.session() as session:
        with pytest.raises(FormatError) as refused:
            session.import_file(path)
        assert str(refused.value).startswith(f"{path}: ")
        assert len(str(refused.value).splitlines()) == 1
        assert session.query(Document).count() == 0


def test_a_document_that_fails_the_validation_is_refused(tmp_path: Path, lab: Lab) -> None:
    path = tmp_path / "setup.odml"
    section = "<section><name>a</name><type>t</type></section>"
    path.write_text(f'<?xml version="1.0"?>\n<odML version="1.1">{section}{section}</odML>')
    with lab.session() as session:
        with pytest.raises(FormatError, match=r"section-name-repeated at document\.sections"):
            session.import_file(path)
        assert session.query(Document).count() == 0


def test_a_read_only_session_imports_nothing(data: Path, tmp_path: Path) -> None:
    with Session(tmp_path / "lab") as session:
        session.add(Block("there"))
        session.commit()
    with Session(tmp_path / "lab", readonly=True) as session, pytest.raises(SessionError, match="read-only"):
        session.import_file(data / "abf1-nodate" / "invalidDate-abf1.abf")
    with Session(tmp_path / "lab") as session:
        assert [block.name for block in session.query(Block)] == ["there"]


def test_samples_are_read_from_the_lab_by_slice(data: Path, lab: Lab) -> None:
    with lab.session() as session:
        session.import_file(data / "abf2-gapfree-tag" / "2020_07_29_0062.abf")
        signal = session.query(AnalogSignal).first()
        assert signal is not None
        assert np.asarray(signal.signal[:1]).ravel().tolist() == [-42.114253997802734]


@pytest.mark.parametrize("refused", [False, True])
def test_large_samples_are_on_their_way_to_the_disk_while_they_are_judged(
    data: Path, lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    arrays = tmp_path / "lab" / "arrays"
    begun: set[int] = set()

    def judged(*given: Any) -> Any:
        begun.update(path.stat().st_ino for path in arrays.glob("tmp-*"))
        if refused:
            raise ValidationFailed("it is none")
        return block_of(*given)

    monkeypatch.setattr(recording, "block_of", judged)
    with lab.session() as session:
        if refused:
            with pytest.raises(FormatError, match="it is none"):
                session.import_file(data / "intan-rhd" / "sampledata.rhd")
        else:
            session.import_file(data / "intan-rhd" / "sampledata.rhd")
    assert len(begun) == 1
    assert (begun <= {path.stat().st_ino for path in arrays.glob("??/*.npy")}) is not refused
    assert not list(arrays.glob("tmp-*"))


@pytest.mark.parametrize(
    ("path", "errors", "codes"),
    [
        ("edf-utf8/test_utf8.edf", 0, {"duration-negative", "reader-message"}),
        ("brainvision-latin1/test_old_layout_latin1_software_filter.vhdr", 0, {"reader-message"}),
        ("openephys-binary/v0.6.x_neuropixels_multiexp_multistream", 0, {"constant-channel"}),
        ("odml-v1-json/version_conversion_int.json", 0, {"dependency-unknown", "link-dangling", "units-differ"}),
        ("intan-rhd/sampledata.rhd", 0, set()),
    ],
)
def test_a_file_can_be_validated_without_a_lab(data: Path, path: str, errors: int, codes: set[str]) -> None:
    report = validate(data / path)
    assert len(report.errors) == errors
    assert report.ok is (errors == 0)
    assert {issue.code for issue in report.issues} == codes


def test_a_block_that_cannot_be_read_is_an_error(damaged_experiment: Path) -> None:
    assert [(issue.code, issue.path) for issue in validate(damaged_experiment).errors] == [
        ("unreadable-block", "block[1]")
    ]


def test_a_neo_object_is_judged_by_the_rules_for_models() -> None:
    segment = neo.Segment()
    segment.spiketrains.append(neo.SpikeTrain([3, 1] * pq.s, t_stop=5 * pq.s))
    (issue,) = [issue for issue in validate(segment).issues if issue.code != "segment-without-block"]
    assert (issue.code, issue.path) == ("spikes-unsorted", "segment.spiketrains[0].times")


def test_a_neo_object_that_cannot_be_kept_is_an_error_with_its_path() -> None:
    segment = neo.Segment()
    segment.events.append(neo.Event([1, 2] * pq.mV))
    (issue,) = validate(segment).errors
    assert (issue.code, issue.path) == ("unit-refused", "segment.events[0].times")
    assert "<2 float64 mV> is not a time" in issue.message
