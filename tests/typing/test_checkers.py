"""Both type checkers read the models right, without a plugin."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MARK = "# error"


def mypy_errors(path: Path) -> dict[int, str]:
    command = [sys.executable, "-m", "mypy", "--strict", "--output=json", "--no-error-summary", str(path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    found = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    return {
        item["line"]: item["message"]
        for item in found
        if item["severity"] == "error" and Path(ROOT, item["file"]) == path
    }


def pyright_errors(path: Path) -> dict[int, str]:
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, str(path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    found = json.loads(run.stdout)["generalDiagnostics"]
    return {item["range"]["start"]["line"] + 1: item["message"] for item in found if item["severity"] == "error"}


CHECKERS = pytest.mark.parametrize("errors", [mypy_errors, pyright_errors], ids=["mypy", "pyright"])


def marked(path: Path) -> set[int]:
    return {number for number, line in enumerate(path.read_text().splitlines(), 1) if line.endswith(MARK)}


@CHECKERS
def test_what_is_right_type_checks(errors: object) -> None:
    assert errors(HERE / "pass.py") == {}  # type: ignore[operator]


@CHECKERS
def test_each_marked_line_is_an_error_and_no_other(errors: object) -> None:
    path = HERE / "fail.py"
    found: dict[int, str] = errors(path)  # type: ignore[operator]
    lines = path.read_text().splitlines()
    assert {lines[number - 1] for number in marked(path) - found.keys()} == set(), "should be errors"
    assert {lines[number - 1]: found[number] for number in found.keys() - marked(path)} == {}
