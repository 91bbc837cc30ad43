"""Each numbered case, rule and trap has a test that says so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gnode_orm.files.validation import ERROR, INFO, REFUSALS, RULES, WARNING
from tests.conftest import ROOT
from tests.convert import cases
from tests.files.validation.test_rules import CASES as TRIED


@pytest.mark.parametrize(("mark", "numbered"), [("case", cases.CASES), ("trap", cases.TRAPS)])
def test_everything_numbered_is_held_by_a_test(mark: str, numbered: dict[int, str]) -> None:
    held = {number for path in (ROOT / "tests").rglob("test_*.py") for number in _numbers(path, mark)}
    assert held == set(numbered)
    assert list(numbered) == list(range(1, len(numbered) + 1))


def test_there_are_ninety_cases() -> None:
    assert len(cases.CASES) == 90


@pytest.mark.parametrize("number", cases.RULES)
def test_what_a_validation_has_to_find_has_a_rule_of_that_severity(number: int) -> None:
    found = {each.code: each.severity for rules in RULES.values() for each in rules}
    found |= dict.fromkeys((*REFUSALS, "section-cycle"), ERROR)
    tried = {code for _, code, _, _ in TRIED} | {*REFUSALS, "section-cycle", "parent-not-found"}
    for code in cases.RULES[number][1].split():
        meant = ERROR if code in cases.ERRORS else INFO if code in cases.INFOS else WARNING
        assert (found[code], code in tried) == (meant, True), code


def _numbers(path: Path, mark: str) -> Iterator[int]:
    """The numbers in the marks of a module's tests."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for decorator in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if ast.unparse(decorator).startswith(f"pytest.mark.{mark}("):
                yield from ast.literal_eval(f"[{ast.unparse(decorator).partition('(')[2].removesuffix(')')}]")
