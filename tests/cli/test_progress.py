"""Long tasks show a bar on a terminal, and plain lines alone elsewhere."""

from __future__ import annotations

import io
import shutil
from datetime import timedelta

import numpy as np
import pytest
from rich.console import Console

from gnode_orm import AnalogSignal, Session
from gnode_orm.cli import progress
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.backup import backup
from gnode_orm.stores.local.restoring import restore


@pytest.fixture
def screen(monkeypatch):
    """What a terminal is given in place of the standard error of this process."""
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=200)
    monkeypatch.setattr(progress, "stderr", lambda: console)
    return shown


def commands(lab, folder, block):
    return {
        "backup": ("backup", lab, folder / "lab.tar"),
        "restore": ("restore", folder / "lab.tar", folder / "restored"),
        "gc": ("gc", lab),
        "export": ("export", block, folder / "block.pkl", "--lab", lab),
    }


SHOWN = {
    "backup": "MB of the backup",
    "restore": "MB of the backup",
    "gc": "looking at uploads",
    "export": "comparing block.pkl with the lab",
}


@pytest.mark.parametrize("command", SHOWN)
def test_a_terminal_shows_how_far_a_command_is_and_a_pipe_the_result_alone(
    run, lab, listed, tmp_path, screen, monkeypatch, command
):
    backup(str(lab), tmp_path / "lab.tar")
    block = listed(lab, "block")[0]["location"]
    if command == "backup":
        (tmp_path / "lab.tar").unlink()
    words = commands(lab, tmp_path, block)[command]
    result = run(*words)
    assert result.exit_code == 0, result.output
    assert SHOWN[command] in screen.getvalue()
    assert SHOWN[command] not in result.output
    monkeypatch.undo()
    if command == "restore":
        shutil.rmtree(tmp_path / "restored")
    elif command != "gc":
        words[2].unlink()
    plain = run(*words)
    assert (plain.stderr, plain.stdout) == ("", result.stdout)


def test_backup_and_restore_tell_how_many_megabytes_are_done(tmp_path):
    with Session(tmp_path / "lab") as session:
        for number in range(3):
            session.add(AnalogSignal(signal=(np.full(1 << 18, number, "f8"), "mV"), sampling_rate="1 kHz"))
        session.commit()
    told = []
    backup(str(tmp_path / "lab"), tmp_path / "lab.tar", progress=lambda *step: told.append(step))
    restored = []
    restore(tmp_path / "lab.tar", str(tmp_path / "restored"), progress=lambda *step: restored.append(step))
    copied = [done for done, _, text in told if text == "MB of the backup"]
    back = [done for done, _, text in restored]
    assert copied == sorted(copied)
    assert back == sorted(back)
    assert {total for _, total, text in [*told, *restored] if text == "MB of the backup"} == {6}
    assert min(copied[-1], back[-1]) >= 4  # two of the three arrays, before the last one


def test_gc_tells_how_many_files_are_gone(tmp_path):
    store = open_local(tmp_path / "lab")
    stray = tmp_path / "lab" / "arrays" / "ab" / f"ab{'0' * 62}.npy"
    stray.parent.mkdir(parents=True)
    stray.touch()
    told = []

    collector = store.collector(timedelta(seconds=-1))
    assert collector.remove(collector.find(), lambda *step: told.append(step)).counts["files"] == 1
    store.close()
    assert told == [(0, 1, "removing array files")]
