"""The command as a process of its own: exit status, the two streams, pipes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

import gnode_orm

COMMAND = [sys.executable, "-c", "from gnode_orm.cli.app import main; main()"]


@pytest.fixture
def process(tmp_path):
    def process(*args, **environment):
        return subprocess.run(
            [*COMMAND, *map(str, args)],
            capture_output=True,
            text=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "40", **environment},
        )

    return process


def test_done_failed_and_wrong_use_have_a_status_each(process, filled_lab):
    assert process("ls", "--lab", filled_lab).returncode == 0
    assert process("ls", "--lab", "nowhere").returncode == 1
    assert process("query", "segmnt", "--lab", filled_lab).returncode == 2
    assert process("ls", "--limit", "none").returncode == 2
    assert process("serve").returncode == 2


def test_an_unknown_command_is_said_to_be_unknown(process):
    assert "No such command 'server'" in process("server").stderr


def test_results_and_messages_go_to_different_streams(process, filled_lab):
    done = process("query", "segment", "--limit", "1", "--lab", filled_lab, "--json")
    assert json.loads(done.stdout)["total"] == 3
    failed = process("show", "block/2DFA548ESC", "--lab", filled_lab)
    assert failed.stdout == ""
    assert "Traceback" not in failed.stderr
    assert len(failed.stderr.splitlines()) == 1


def test_the_traceback_is_there_for_who_asks(process):
    for arguments in (["--debug", "ls", "--lab", "nowhere"], ["ls", "--lab", "nowhere", "--debug"]):
        done = process(*arguments)
        assert done.returncode == 1
        assert "Traceback" in done.stderr
        assert "NotFound" in done.stderr


def test_piped_output_has_no_control_codes_and_is_not_cut(process, filled_lab):
    done = process("query", "analogsignal", "--lab", filled_lab)
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) > 80
    assert "…" not in done.stdout


def test_colours_are_off_where_no_color_is_set(process, filled_lab):
    forced = process("doctor", "--lab", filled_lab, FORCE_COLOR="1")
    assert "\x1b[32m" in forced.stdout
    assert "\x1b[32m" not in process("doctor", "--lab", filled_lab, FORCE_COLOR="1", NO_COLOR="1").stdout


def test_a_reader_that_stops_early_is_no_error(filled_lab, tmp_path):
    command = subprocess.Popen(
        [*COMMAND, "query", "value", "--lab", str(filled_lab)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert command.stdout is not None
    assert command.stderr is not None
    command.stdout.close()
    errors = command.stderr.read().decode()
    command.stderr.close()
    command.wait(timeout=60)
    assert "Traceback" not in errors


def test_an_interrupt_ends_with_its_own_status(tmp_path, filled_lab):
    """Interrupted when it asks, so that it has surely started."""
    script = (
        "import os, signal, sys, typer\n"
        "from gnode_orm.cli.app import main\n"
        "typer.confirm = lambda *a, **k: os.kill(os.getpid(), signal.SIGINT)\n"
        "main()\n"
    )
    found = subprocess.run(
        [*COMMAND, "query", "block", "--lab", str(filled_lab), "--json"], capture_output=True, text=True, check=True
    )
    location = json.loads(found.stdout)["objects"][0]["location"]
    done = subprocess.run(
        [sys.executable, "-c", script, "delete", location, "--cascade", "--lab", str(filled_lab)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.returncode == 130
    assert done.stderr == "Interrupted; what was stored before is kept\n"


def test_help_and_version_load_nothing_heavy(process):
    script = (
        "import sys\nfrom gnode_orm.cli.app import app\n"
        "heavy = {'neo', 'odml', 'sqlalchemy', 'matplotlib', 'pandas', 'scipy', 'h5py'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert process("--version").stdout == f"gnode-orm {gnode_orm.__version__}\n"
    commands = process("--help").stdout
    for name in (
        *("demo", "init", "import", "validate", "doctor", "ls", "show", "query", "plot", "history", "export"),
        *("delete", "share", "unshare"),
    ):
        assert f"│ {name} " in commands


def test_names_beyond_ascii_are_printed_or_escaped(process, tmp_path):
    from gnode_orm import Block, Session

    with Session(tmp_path / "lab") as session:
        block = session.add(Block("Zelle µ 7"))
        session.commit()
        location = block.location
    done = process("show", location, "--lab", "lab", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert r"Zelle \xb5 7" in done.stdout


def test_what_cannot_be_served_is_refused_before_anything_else_is_said(process):
    refused = process("serve", "nolab")
    assert refused.returncode == 1
    assert refused.stderr.startswith("No lab")
    assert "Serving" not in refused.stdout + refused.stderr
