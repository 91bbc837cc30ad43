"""Each numbered case has a test that says so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT
from tests.convert.cases import CASES


def test_every_case_is_held_by_a_test() -> None:
    held = {number for path in (ROOT / "tests").rglob("test_*.py") for number in _numbers(path)}
    assert held == set(CASES)


def test_cases_are_numbered_through() -> None:
    assert list(CASES) == list(range(1, 91))


def _numbers(path: Path) -> Iterator[int]:
    """The numbers in the ``case`` marks of a module's tests."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if ast.unparse(decorator).startswith("pytest.mark.case("):
                yield from ast.literal_eval(f"[{ast.unparse(decorator).partition('(')[2].removesuffix(')')}]")
