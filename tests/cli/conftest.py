"""A lab with the demo in it, made once, and a way to run commands on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gnode_orm.cli.app import app

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep settings of whoever runs the tests out, and tables from being fitted to a narrow terminal."""
    for name in ("TARGET", "USERNAME"):
        monkeypatch.delenv(f"GNODE_ORM_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-config"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def run() -> Run:
    """Run a command in this process."""

    def run(*args: object, input: str | None = None) -> Result:
        return CliRunner().invoke(app, [str(arg) for arg in args], input=input)

    return run


@pytest.fixture(scope="session")
def filled_lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab with the demo in it, for reading."""
    lab = tmp_path_factory.mktemp("cli") / "lab"
    result = CliRunner().invoke(app, ["demo", str(lab)])
    assert result.exit_code == 0, result.output
    return lab


@pytest.fixture
def lab(filled_lab: Path, tmp_path: Path) -> Path:
    """A copy of the lab, for writing."""
    return Path(shutil.copytree(filled_lab, tmp_path / "lab"))


@pytest.fixture
def listed(run: Run) -> Callable[..., list[dict[str, Any]]]:
    """Query a kind and give the objects of the JSON."""

    def listed(lab: Path, kind: str, *filters: str) -> list[dict[str, Any]]:
        result = run("query", kind, *filters, "--lab", lab, "--json")
        assert result.exit_code == 0, result.output
        found: list[dict[str, Any]] = json.loads(result.stdout)["objects"]
        return found

    return listed
