from __future__ import annotations

import json

import pytest

from gnode_orm import AnalogSignal, Block, Session
from gnode_orm.cli.demo_recording import write_recording
from gnode_orm.cli.wording import in_options


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_recording(tmp_path_factory.mktemp("recording"))


@pytest.fixture
def empty_lab(run, tmp_path):
    lab = tmp_path / "lab"
    assert run("init", lab).exit_code == 0
    return lab


def test_init_makes_a_lab_once(run, tmp_path):
    first, second = run("init", tmp_path / "lab"), run("init", tmp_path / "lab")
    assert first.stdout == f"Made a lab at {tmp_path / 'lab'}\n"
    assert second.stdout == f"{tmp_path / 'lab'} is a lab already; nothing was changed\n"
    assert second.exit_code == 0


def test_init_leaves_a_folder_with_other_files_alone(run, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    result = run("init", tmp_path)
    assert result.exit_code == 1
    assert "holds other files (notes.txt)" in result.stderr


def test_each_file_gets_a_line_with_its_location_and_contents(run, empty_lab, files, listed):
    result = run("import", files[0], files[-1], "--lab", empty_lab)
    assert result.exit_code == 0
    recording, metadata = result.stdout.splitlines()
    id = listed(empty_lab, "block")[0]["id"]
    assert recording == (f"{files[0]}  block/{id}  cell07_trial1  1 segment, 1 signal, 1 spike train, 1 event, 1 epoch")
    assert metadata.endswith("3 sections")
    assert "2 files: 2 blocks and documents stored, 0 with errors" in result.stderr


def test_a_bad_file_is_told_and_the_others_are_imported(run, empty_lab, files, tmp_path):
    (tmp_path / "empty.abf").touch()
    result = run("import", tmp_path / "empty.abf", tmp_path / "absent.abf", files[1], "--lab", empty_lab)
    assert result.exit_code == 1
    assert f"{tmp_path / 'empty.abf'}: the file is empty" in result.stderr
    assert "absent.abf" in result.stderr
    assert "3 files: 1 blocks and documents stored, 2 with errors" in result.stderr
    with Session(empty_lab) as session:
        assert [block.name for block in session.query(Block)] == ["cell07_trial2"]


def test_options_for_a_reader_are_numbers_quantities_or_text(run, empty_lab, tmp_path):
    (tmp_path / "trace.txt").write_text("time\n1.5\n2.5\n")
    options = ("units=mV", "sampling_rate=20 kHz", "skiprows=1")
    given = [part for option in options for part in ("--reader-option", option)]
    result = run("import", tmp_path / "trace.txt", "--reader", "AsciiSignalIO", *given, "--lab", empty_lab)
    assert result.exit_code == 0
    with Session(empty_lab) as session:
        signal = session.query(AnalogSignal).one()
        assert (str(signal.sampling_rate), signal.signal.load().tolist(), signal.signal.unit) == (
            "20.0 kHz",
            [1.5, 2.5],
            "mV",
        )


def test_an_option_for_a_reader_needs_a_name(run, empty_lab, files):
    result = run("import", files[0], "--reader", "AxonIO", "--reader-option", "mV", "--lab", empty_lab)
    assert result.exit_code == 2
    assert "--reader-option mV: write NAME=VALUE, such as units=mV" in result.stderr


def test_json_tells_what_became_of_each_file(run, empty_lab, files, tmp_path):
    result = run("import", files[0], tmp_path / "absent.abf", "--lab", empty_lab, "--json")
    assert result.exit_code == 1
    stored, absent = json.loads(result.stdout)
    assert stored["blocks"][0].startswith("/api/v1/electrophysiology/block/")
    assert (stored["failed"], len(absent["failed"])) == ([], 1)


def test_an_unknown_reader_names_the_nearest(run, empty_lab, files):
    result = run("import", files[0], "--reader", "NeuroExplorer", "--lab", empty_lab)
    assert result.exit_code == 2
    assert "NeuroExplorerIO" in result.stderr


def test_import_makes_no_lab(run, tmp_path, files):
    result = run("import", files[0], "--lab", tmp_path / "none")
    assert result.exit_code == 1
    assert "gnode-orm init" in result.stderr
    assert not (tmp_path / "none").exists()


def test_validate_judges_without_storing(run, files, tmp_path):
    good = run("validate", files[0], files[-1])
    assert good.exit_code == 0, good.output
    assert str(files[0]) in good.stdout
    (tmp_path / "broken.abf").write_bytes(b"ABF2" + bytes(10))
    bad = run("validate", files[0], tmp_path / "broken.abf")
    assert bad.exit_code == 1
    assert "1 error" in bad.stdout
    reports = json.loads(run("validate", files[0], tmp_path / "broken.abf", "--json").stdout)
    assert [report["ok"] for report in reports] == [True, False]
    assert reports[1]["issues"][0]["remedy"]


def test_validate_says_when_there_is_no_file(run, tmp_path):
    result = run("validate", tmp_path / "absent.abf")
    assert result.exit_code == 1
    assert "no such file" in result.stderr


def test_values_of_fields_are_no_options():
    said = "Block(name='b', metadata=<section/2DFA548ESC>) and Block(metadata=None): give it with metadata=, or not"
    assert in_options(said) == said.replace("metadata=,", "--metadata,")


def test_messages_name_options_as_they_are_typed():
    said = "kept without a zone; timezone= gives it one; keep_personal=True keeps it; ask with reader='PickleIO'"
    assert in_options(said) == (
        "kept without a zone; --timezone gives it one; --keep-personal keeps it; ask with --reader PickleIO"
    )


def test_what_is_in_the_lab_already_is_skipped_unless_asked_for(run, empty_lab, files):
    run("import", files[0], "--lab", empty_lab)
    second = run("import", files[0], "--lab", empty_lab)
    assert second.exit_code == 0
    assert "skipped: its content is in the lab already as block/" in second.stderr
    assert "; --again imports it anew" in second.stderr
    assert run("import", files[0], "--again", "--lab", empty_lab).exit_code == 0
    with Session(empty_lab) as session:
        assert session.query(Block).count() == 2


def test_a_dry_run_shows_the_plan_and_stores_nothing(run, empty_lab, files, tmp_path):
    result = run("import", files[0].parent, "--dry-run", "--metadata", "mouse=m001", "--lab", empty_lab)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "Import of 4 files: 4 to import"
    assert f"+ {files[0]} (NeuroExplorerIO)" in lines
    assert "    mouse = 'm001'" in lines
    planned = json.loads(run("import", files[0], "--dry-run", "--lab", empty_lab, "--json").stdout)
    assert planned[0]["blocks"][0]["name"] == "cell07_trial1"
    (tmp_path / "broken.abf").write_bytes(b"ABF2")
    assert run("import", tmp_path / "broken.abf", "--dry-run", "--lab", empty_lab).exit_code == 1
    with Session(empty_lab) as session:
        assert session.query(Block).count() == 0


def test_metadata_becomes_annotations_of_each_block(run, empty_lab, files):
    run("import", files[0].parent, "--metadata", "mouse=m001", "--metadata", "rig=2", "--lab", empty_lab)
    with Session(empty_lab) as session:
        assert session.query(Block).where(Block.annotations["mouse"] == "m001").count() == 3
        assert session.query(Block).where(Block.annotations["rig"] == "2").count() == 3
    assert run("import", files[0], "--metadata", "mouse", "--lab", empty_lab).exit_code == 2


def test_validate_only_judges_by_the_template_and_stores_nothing(run, tmp_path, files):
    template = tmp_path / "lab.toml"
    template.write_text('[block]\nrequired = ["annotations.mouse"]\nrecommended = ["description"]\n')
    result = run("import", files[0], "--validate-only", "--template", template, "--lab", tmp_path / "none")
    assert result.exit_code == 1
    head, columns, *rows = result.stdout.splitlines()
    assert head == f"{files[0]}: 1 error, 1 warning"
    assert columns.split() == ["severity", "code", "first", "at", "message", "remedy"]
    assert [row.split()[:2] for row in rows] == [["error", "required-missing"], ["warning", "recommended-missing"]]
    assert not (tmp_path / "none").exists()
    assert run("validate", files[0], "--template", template).stdout == result.stdout
    given = run("import", files[0], "--validate-only", "--template", template, "--metadata", "mouse=m1")
    assert (given.exit_code, given.stdout.splitlines()[0]) == (0, f"{files[0]}: 0 errors, 1 warning")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--reader", "axonio"), "did you mean 'AxonIO'"),
        (("--reader-option", "units=mV"), "name the reader that it is for with --reader"),
        (("--timezone", "Berlin"), "Europe/Berlin"),
    ],
)
def test_what_no_file_can_be_read_with_is_wrong_use(run, empty_lab, files, wrong, said):
    for mode in ("--dry-run", "--validate-only", "--again"):
        result = run("import", files[0], *wrong, mode, "--lab", empty_lab)
        assert result.exit_code == 2, mode
        assert said in result.stderr


def test_a_dry_run_shows_what_would_be_imported_again(run, empty_lab, files):
    run("import", files[0], "--lab", empty_lab)
    assert "1 in the lab already" in run("import", files[0], "--dry-run", "--lab", empty_lab).stdout
    assert "1 to import" in run("import", files[0], "--dry-run", "--again", "--lab", empty_lab).stdout


def test_an_empty_folder_is_told(run, empty_lab, tmp_path):
    (tmp_path / "nothing").mkdir()
    result = run("import", tmp_path / "nothing", "--lab", empty_lab)
    assert result.exit_code == 1
    assert f"{tmp_path / 'nothing'}: the folder is empty" in result.stderr
