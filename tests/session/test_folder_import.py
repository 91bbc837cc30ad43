"""A folder of many files: killed in the middle and begun again, with nothing twice and nothing missing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gnode_orm import AnalogSignal, Block, Segment, Session
from gnode_orm.cli.nex import Continuous, Markers, write_nex
from gnode_orm.files.discovery import discover
from gnode_orm.session.importing.result import IMPORTED, SKIPPED

FILES = 8
# Above the limit for arrays inside the database, so that there is a file to lose.
SAMPLES = 40_000
_IMPORTER = """
import os, signal, sys
from gnode_orm import Session
from gnode_orm.stores.local.store import LocalStore

place, when, number = sys.argv[2], sys.argv[3], int(sys.argv[4])
calls = 0
original = getattr(LocalStore, place)

def dying(*args):
    global calls
    calls += 1
    if when == "before" and calls == number:
        os.kill(os.getpid(), signal.SIGKILL)
    done = original(*args)
    if when == "after" and calls == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

setattr(LocalStore, place, dying)
with Session("lab") as session:
    session.plan_import(sys.argv[1]).apply(on_error="skip")
"""


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for number in range(FILES):
        trace = Continuous("Vm", 20 * np.sin(np.arange(SAMPLES) / 10 + number), 0.01)
        marks = Markers("stimulus", np.array([number]), ["on"])
        write_nex(folder / f"cell {number:02}.nex", 1000.0, SAMPLES, [trace, marks], "")
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be killed by a signal there")
@pytest.mark.parametrize(("place", "when"), [("put_arrays", "after"), ("apply", "before"), ("apply", "after")])
def test_an_import_that_was_killed_goes_on_where_it_was(
    recordings: Path, tmp_path: Path, place: str, when: str
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", _IMPORTER, str(recordings), place, when, "6"], cwd=tmp_path, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL
    done = 6 if (place, when) == ("apply", "after") else 5
    with Session(tmp_path / "lab") as session:
        assert session.query(Block).count() == session.query(AnalogSignal).count() == done
        result = session.plan_import(recordings).apply(on_error="skip")
        assert [file.status for file in result.files] == [SKIPPED] * done + [IMPORTED] * (FILES - done)
        assert [block.name for block in session.query(Block).order_by(Block.name)] == [
            path.stem for path in sorted(recordings.iterdir())
        ]
        assert session.query(Segment).count() == session.query(AnalogSignal).count() == FILES
        for signal_ in session.query(AnalogSignal):
            assert signal_.signal.load().shape == (SAMPLES,)


def test_each_file_of_a_folder_has_a_result_of_its_own(recordings: Path, tmp_path: Path) -> None:
    (recordings / "cell 03.nex").write_bytes(b"no recording")
    (recordings / "notes.txt").write_text("nothing to import")
    with Session(tmp_path / "lab") as session:
        plan = session.plan_import(recordings)
        result = plan.apply(on_error="skip")
        assert [str(file).partition(": ")[2].split(":")[0] for file in result.files] == [
            "failed" if number == 3 else "imported" for number in range(FILES)
        ]
        assert [file.path.name for file in result.files] == [f"cell {number:02}.nex" for number in range(FILES)]
        assert "notes.txt" in plan.ignored[0]
        assert session.query(Block).count() == FILES - 1


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_folders_that_links_lead_to_again_are_looked_into_once(recordings: Path, tmp_path: Path) -> None:
    (recordings / "more").mkdir()
    for name in ("up", "again", "and again"):
        (recordings / name).symlink_to(recordings)
        (recordings / "more" / name).symlink_to(recordings)
    with Session(tmp_path / "lab") as session:
        assert len(session.plan_import(recordings)) == FILES


def test_files_that_a_header_names_are_part_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "day"
    folder.mkdir()
    (folder / "renamed.vhdr").write_text("[Common Infos]\nDataFile=test.eeg\nMarkerFile = test.vmrk\n")
    (folder / "100.hea").write_text("100 2 360 10\nsignals.dat 212\nsignals.dat 212\n# a comment\n")
    for name in ("test.eeg", "test.vmrk", "signals.dat", "other.eeg"):
        (folder / name).write_bytes(b"\0\1" * 20)
    reasons = {item.path.name: item.reason for item in discover(folder)}
    assert reasons["test.eeg"] == reasons["test.vmrk"] == "part of renamed.vhdr"
    assert reasons["signals.dat"] == "part of 100.hea"
    assert reasons["renamed.vhdr"] is reasons["100.hea"] is None
    assert "part of" not in str(reasons["other.eeg"])
