from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gnode_orm.cli import doctor_installation
from gnode_orm.stores.local.formats import FORMAT


def checks(result):
    return {item["name"]: item for item in json.loads(result.stdout)}


def test_a_sound_lab_passes(run, filled_lab):
    result = run("doctor", "--lab", filled_lab, "--json")
    assert result.exit_code == 0
    found = checks(result)
    assert {found[name]["state"] for name in ("Python", "neo", "lab", "format", "database", "arrays")} == {"ok"}
    assert f"version {FORMAT}" in found["format"]["finding"]
    assert "wal" in found["journal"]["finding"].lower()


def test_without_a_lab_the_next_step_is_named(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("doctor")
    assert result.exit_code == 0
    assert "Make a lab: gnode-orm init lab" in result.stdout


def test_a_lab_that_is_not_there_is_a_problem(run, tmp_path):
    result = run("doctor", "--lab", tmp_path / "none")
    assert result.exit_code == 1
    assert "gnode-orm init" in result.stdout


def test_a_missing_reader_is_a_note_with_the_way_to_install_it(run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    found = doctor_installation._version
    monkeypatch.setattr(doctor_installation, "_version", lambda name: None if name == "nixio" else found(name))
    result = run("doctor")
    assert result.exit_code == 0
    assert "pip install 'gnode-orm[files]'" in result.stdout


def test_missing_arrays_are_a_problem(run, lab):
    (lab / "arrays").rename(lab.parent / "arrays")
    result = run("doctor", "--lab", lab, "--json")
    assert result.exit_code == 1
    assert checks(result)["arrays"]["state"] == "problem"


def test_an_array_file_that_is_missing_is_a_problem(run, lab):
    named = next((lab / "arrays").glob("??/*.npy"))
    named.unlink()
    result = run("doctor", "--lab", lab, "--json")
    assert result.exit_code == 1
    assert named.name in checks(result)["arrays"]["finding"]


def test_files_that_are_removed_as_of_no_use_meanwhile_are_no_problem(run, lab, monkeypatch):
    named = next((lab / "arrays").glob("??/*.npy"))
    listed = Path.rglob

    def removing(folder: Path, pattern: str) -> Iterator[Path]:
        found = list(listed(folder, pattern))
        with closing(sqlite3.connect(lab / "lab.sqlite")) as connection, connection:
            connection.execute("DELETE FROM array_part WHERE file = ?", (f"{named.parent.name}/{named.name}",))
        named.unlink()
        return iter([*found, folder / "tmp-0123456789abcdef"])

    monkeypatch.setattr(Path, "rglob", removing)
    result = run("doctor", "--lab", lab, "--json")
    assert not named.exists()
    assert checks(result)["arrays"]["state"] == "ok"


def test_a_lab_of_a_newer_format_is_a_problem(run, lab):
    with sqlite3.connect(lab / "lab.sqlite") as connection:
        connection.execute("UPDATE lab SET format = 99")
    connection.close()
    result = run("doctor", "--lab", lab, "--json")
    assert result.exit_code == 1
    assert "format 99" in checks(result)["lab"]["finding"]


def test_a_damaged_database_is_a_problem(run, lab):
    connection = sqlite3.connect(lab / "lab.sqlite")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (page,) = connection.execute("PRAGMA page_size").fetchone()
    (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'segment'").fetchone()
    connection.close()
    with (lab / "lab.sqlite").open("r+b") as file:
        file.seek((root - 1) * page)
        file.write(b"\xff" * page)
    result = run("doctor", "--lab", lab, "--json")
    assert result.exit_code == 1
    assert checks(result)["database"]["state"] == "problem"


@pytest.mark.parametrize("name", ["note", "lab"])
def test_every_finding_fits_on_one_line(run, filled_lab, name):
    lines = run("doctor", "--lab", filled_lab).stdout.splitlines()
    assert any(line.split()[0] in ("ok", name) for line in lines if line)
    assert lines[-1] == "Everything that is needed is in order." or lines[-1].startswith("  ")
