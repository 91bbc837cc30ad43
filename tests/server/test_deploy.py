"""The unit of systemd: what it starts exists, and it is taken by systemd where there is one."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer.main

from gnode_orm.cli.app import app

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "gnode-orm.service"


def service() -> dict[str, str]:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(UNIT.read_text())
    return dict(unit["Service"])


def test_what_the_unit_starts_is_a_command_with_such_options():
    words = shlex.split(service()["ExecStart"])
    command = typer.main.get_command(app).commands[words[1]]  # type: ignore[attr-defined]
    options = {name for parameter in command.params for name in parameter.opts}
    (example,) = [line for line in UNIT.read_text().splitlines() if line.startswith("# GNODE_ORM_SERVE_OPTIONS=")]
    assert {word for word in example.split() if word.startswith("--")} <= options
    assert words[2].startswith("/var/lib/" + service()["StateDirectory"])


def test_systemd_takes_the_unit(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    # The program is not installed where tests run; everything else is as it stands.
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace("/opt/gnode-orm/bin/gnode-orm", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
