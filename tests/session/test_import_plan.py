"""Plans of imports: what they show, what may be edited, and what applying them does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import quantities as pq

from gnode_orm import Block, Document, Property, Section, Session, Value, connect
from gnode_orm.errors import FormatError, NotFound, SessionError, ValidationFailed
from gnode_orm.session.lab import Lab

CELLS = {"m001_a.abf": "abf2-ic-ramp/17o05027_ic_ramp.abf", "m002_b.abf": "abf1-nodate/invalidDate-abf1.abf"}


@pytest.fixture
def lab(tmp_path: Path) -> Any:
    with connect(tmp_path / "lab") as lab:
        yield lab


@pytest.fixture
def cells(data: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "cells"
    folder.mkdir()
    for name, source in CELLS.items():
        shutil.copy(data / source, folder / name)
    return folder


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template that asks for the mouse and says the species."""
    document = Document(author="me")
    subject = Section("Subject", type="subject", document=document)
    Property("mouse", section=subject)
    Value("Mus musculus", property=Property("Species", section=subject))
    Property("Orientation", section=Section("Stimulus", type="stimulus", document=document))
    path = tmp_path / "experiment.odml"
    with Session(":memory:") as session:
        session.export(document, path)
    return path


def test_a_plan_shows_what_would_be_made_and_writes_nothing(cells: Path, lab: Lab) -> None:
    with lab.session() as session:
        plan = session.plan_import(sorted(cells.glob("*.abf")), timezone="Europe/Berlin")
        first, second = plan.files
        assert (first.reader_name, str(first.blocks[0])) == (
            "AxonIO",
            "'m001_a': 2 segments, 2 signals, 2 events (mV), recorded 2017-10-05 14:42:42.004999+02:00",
        )
        assert "ignoring buggy nTelegraphEnable" in second.warnings
        assert str(plan).startswith(f"Import of 2 files: 2 to import\n+ {cells / 'm001_a.abf'} (AxonIO)\n")
        assert session.query(Block).count() == 0


def test_applying_a_plan_makes_what_it_shows(cells: Path, lab: Lab) -> None:
    with lab.session() as session:
        result = session.plan_import(sorted(cells.glob("*.abf"))).apply()
        assert [block.name for block in result.blocks] == ["m001_a", "m002_b"]
        assert [str(file) for file in result.files] == [f"{cells / name}: imported" for name in CELLS]


def test_names_wanted_and_metadata_of_a_plan_may_be_edited(cells: Path, lab: Lab) -> None:
    with lab.session() as session:
        plan = session.plan_import(cells)
        plan.files[0].blocks[0].name = "cell 7"
        plan.files[0].metadata["mouse"] = "m001"
        plan.files[1].wanted = False
        assert f"- {cells / 'm002_b.abf'}: left out" in str(plan)
        (block,) = plan.apply().blocks
        assert (block.name, block.annotations["mouse"]) == ("cell 7", "m001")
        assert session.query(Block).where(Block.annotations["mouse"] == "m001").one() is block


def test_a_template_becomes_a_document_beside_each_block(cells: Path, template: Path, lab: Lab) -> None:
    with lab.session() as session:
        plan = session.plan_import(
            cells, template=template, metadata=lambda path: {"mouse": path.stem[:4], "orientation": 45 * pq.deg}
        )
        result = plan.apply()
        assert len(result.documents) == 2
        top: Any = result.blocks[0].metadata
        assert (top.name, top.type, top.document) == ("m001_a", "recording", result.documents[0])
        values = {
            item.name: [(value.data, value.unit) for value in item.values]
            for section in top.sections
            for item in section.properties
        }
        assert values == {
            "mouse": [("m001", None)],
            "Species": [("Mus musculus", None)],
            "Orientation": [("45.0", "deg")],
        }


def test_what_a_template_demands_and_nobody_gives_is_shown_and_keeps_the_file_out(
    cells: Path, template: Path, lab: Lab
) -> None:
    with lab.session() as session:
        plan = session.plan_import(cells, template=template, metadata={"mouse": "m001"})
        assert plan.files[0].missing == ["Stimulus/Orientation"]
        assert "    missing: Stimulus/Orientation" in str(plan)
        with pytest.raises(FormatError, match=r"demands Stimulus/Orientation.*nothing was imported"):
            plan.apply()
        plan.files[0].metadata["Stimulus:Orientation"] = 90 * pq.deg
        result = plan.apply(on_error="skip")
        assert [block.name for block in result.blocks] == ["m001_a"]
        assert [file.status for file in result.files] == ["imported", "failed"]
        assert session.query(Document).count() == 1


def test_metadata_that_the_template_does_not_know_becomes_an_annotation_and_is_said(
    cells: Path, template: Path, lab: Lab
) -> None:
    with lab.session() as session:
        given = {"mouse": "m001", "Orientation": 1, "weather": "rain"}
        plan = session.plan_import(cells / "m001_a.abf", template=template, metadata=given)
        assert plan.files[0].warnings[0].startswith("weather is not in the template experiment.odml")
        assert plan.apply().blocks[0].annotations["weather"] == "rain"


def test_a_folder_stands_for_the_recordings_in_it(cells: Path, lab: Lab) -> None:
    (cells / "notes.txt").write_text("a quiet day\n")
    (cells / ".hidden.abf").write_bytes(b"ABF2")
    (cells / "later").mkdir()
    shutil.copy(cells / "m001_a.abf", cells / "later" / "m003.abf")
    with lab.session() as session:
        plan = session.plan_import(cells)
        assert [file.path.name for file in plan] == ["m003.abf", "m001_a.abf", "m002_b.abf"]
        assert [line.partition(": ")[0] for line in plan.ignored] == [str(cells / "notes.txt")]


def test_a_folder_that_is_one_recording_stays_one(data: Path, lab: Lab) -> None:
    with lab.session() as session:
        (file,) = session.plan_import(data / "neuralynx-events")
        assert file.reader_name == "NeuralynxIO"


def test_the_same_content_is_not_imported_twice_whatever_its_name(cells: Path, lab: Lab) -> None:
    with lab.session() as session:
        (block,) = session.import_file(cells / "m001_a.abf").blocks
        (cells / "m001_a.abf").rename(cells / "renamed.abf")
        again = session.import_file(cells / "renamed.abf")
        assert (again.blocks, again.found) == ([], [block])
        assert block.location is not None
        place = f"block/{block.location.id}"
        assert again.skipped == [
            f"its content is in the lab already as {place} (from m001_a.abf); again=True imports it anew"
        ]
        plan = session.plan_import(cells / "renamed.abf")
        assert plan.files[0].present == [place]
        assert plan.apply().blocks == []
        assert session.query(Block).count() == 1


def test_the_same_content_is_imported_twice_where_it_is_asked_for(cells: Path, lab: Lab) -> None:
    with lab.session() as session:
        for _ in range(2):
            assert session.import_file(cells / "m001_a.abf", again=True).blocks
        assert session.plan_import(cells / "m001_a.abf").apply(again=True).blocks
        plan = session.plan_import(cells / "m001_a.abf", again=True)
        assert plan.summary() == "Import of 1 file: 1 to import"
        assert plan.apply().blocks
        assert session.query(Block).count() == 4


def test_options_for_a_reader_go_to_the_one_that_the_plan_shows(tmp_path: Path, lab: Lab) -> None:
    (tmp_path / "table.txt").write_text("".join(f"{number / 10}\n" for number in range(50)))
    with lab.session() as session:
        plan = session.plan_import(tmp_path / "table.txt")
        plan.files[0].reader_options = {"units": "mV", "sampling_rate": 20 * pq.kHz}
        result = plan.apply()
        signal = result.blocks[0].segments[0].all_signals[0]
        assert (signal.units, signal.sampling_rate) == (1 * pq.mV, 20 * pq.kHz)
    assert repr(result) == "<Import of 1 file: 1 imported>"
    assert str(result) == f"Import of 1 file: 1 imported\n{tmp_path / 'table.txt'}: imported"


def test_a_misspelt_attribute_of_a_planned_file_is_refused(cells: Path, lab: Lab) -> None:
    with lab.session() as session, pytest.raises(AttributeError):
        session.plan_import(cells).files[0].wantd = False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("units", ("V",), "the unit of the signals after the import"),
        ("recorded", None, "the timezone of the planned file"),
        ("contents", "nothing", "the name"),
    ],
)
def test_what_a_file_says_of_a_block_is_not_set_in_a_plan(
    field: str, value: Any, remedy: str, cells: Path, lab: Lab
) -> None:
    block = lab.session().plan_import(cells).files[0].blocks[0]
    before = str(block)
    with pytest.raises(ValidationFailed, match=f"^{field} of a planned block .* set {remedy} instead"):
        setattr(block, field, value)
    assert str(block) == before


def test_an_odml_file_is_not_imported_twice(data: Path, lab: Lab) -> None:
    path = data / "odml-v11-tutorial"
    (file,) = [item for item in path.iterdir() if item.is_file()]
    with lab.session() as session:
        (document,) = session.import_file(file).documents
        again = session.plan_import(file).apply()
        assert (again.documents, again.found) == ([], [document])


def test_a_deleted_recording_can_be_imported_again(cells: Path, lab: Lab) -> None:
    with lab.session() as session:
        session.delete(session.import_file(cells / "m001_a.abf").blocks[0], cascade=True)
        session.commit()
        assert session.import_file(cells / "m001_a.abf").blocks


def test_an_interrupted_plan_goes_on_where_it_stopped(cells: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    apply = lab.store.apply
    sets = []

    def killed(changes: Any, actor: str) -> Any:
        sets.append(changes)
        if len(sets) == 2:
            raise KeyboardInterrupt
        return apply(changes, actor)

    with lab.session() as session:
        with monkeypatch.context() as patch:
            patch.setattr(lab.store, "apply", killed)
            with pytest.raises(KeyboardInterrupt):
                session.plan_import(cells).apply()
        result = session.plan_import(cells).apply()
        assert [file.status for file in result.files] == ["skipped", "imported"]
        assert session.query(Block).count() == 2


def test_a_file_that_fails_stops_the_plan_or_is_skipped(cells: Path, lab: Lab) -> None:
    (cells / "broken.abf").write_bytes(b"ABF2" + bytes(100))
    with lab.session() as session:
        plan = session.plan_import([*cells.glob("*.abf"), cells / "absent.abf"])
        with pytest.raises(FormatError, match="1 more files with problems; nothing was imported"):
            plan.apply(on_error="stop")
        assert session.query(Block).count() == 0
        result = plan.apply(on_error="skip")
        assert len(result.blocks) == 2
        assert sorted(line.partition(": ")[2] for line in result.failed) == [
            "AxonIO: truncated: 104 bytes are less than a header",
            "no such file or folder",
        ]


def test_a_failure_that_the_plan_did_not_know_says_how_far_it_came(cells: Path, lab: Lab) -> None:
    with lab.session() as session:
        plan = session.plan_import(sorted(cells.glob("*.abf")))
        (cells / "m002_b.abf").unlink()
        with pytest.raises(FormatError, match="no such file or folder; 1 files before it were done"):
            plan.apply()


def test_warnings_and_origin_are_kept_with_the_block(data: Path, lab: Lab) -> None:
    with lab.session() as session:
        result = session.import_file(data / "edf-utf8" / "test_utf8.edf")
        location = str(result.blocks[0].location)
    with lab.session() as session:
        entry = session.get(location).ext["import"]
        assert entry["warnings"] == result.warnings
        assert (entry["file"], entry["number"], entry["of"], entry["reader"]) == ("test_utf8.edf", 0, 1, "EDFIO")


def test_options_of_a_plan_are_checked(cells: Path, template: Path, lab: Lab) -> None:
    with lab.session() as session:
        with pytest.raises(ValidationFailed, match="on_error is 'stop' or 'skip', not 'go'"):
            session.plan_import([]).apply(on_error="go")  # type: ignore[arg-type]
        with pytest.raises(ValidationFailed, match="give a dict of names and values"):
            session.plan_import(cells, metadata=lambda path: path.stem)  # type: ignore[arg-type,return-value]
        with pytest.raises(NotFound, match="no such template"):
            session.plan_import(cells, template="absent.odml")
        assert "No reader is called" in str(session.plan_import(cells, reader="AxenIO").files[0].problem)
    with lab.session(readonly=True) as session, pytest.raises(SessionError, match="read-only"):
        session.plan_import(cells).apply()


def test_progress_is_told_file_by_file(cells: Path, lab: Lab) -> None:
    told: list[tuple[int, int, str]] = []
    with lab.session() as session:
        session.plan_import(cells).apply(progress=lambda *step: told.append(step))
    assert told == [(0, 2, "importing m001_a.abf"), (1, 2, "importing m002_b.abf"), (2, 2, "imported")]
