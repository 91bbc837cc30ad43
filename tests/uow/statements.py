"""The statements about sessions as the documentation lists them, and the tests that show them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT, table_under

LISTED = ROOT / "docs/explanation/unit-of-work.md"
GROUPS = ("Identity", "Tracking", "Order and cascades", "Commits over a network", "Life of a session")


def listed() -> list[tuple[int, str]]:
    """Give the number and the text of each statement, in the order of the page."""
    return [(int(row[0]), row[1]) for group in GROUPS for row in table_under(LISTED, group)]


def shown_by() -> dict[int, list[str]]:
    """Give the tests that carry the number of each statement."""
    found: dict[int, list[str]] = {}
    for path in _test_files():
        for name, number in _marked(path):
            found.setdefault(number, []).append(f"{path.name}::{name}")
    return found


def needed() -> set[str]:
    """Give what some test needs of a store, beyond the statements that it shows."""
    marks = (node for path in _test_files() for node in ast.walk(_tree(path)) if _is_mark(node, "needs"))
    return {ast.literal_eval(mark.args[0]) for mark in marks if isinstance(mark, ast.Call)}


def _test_files() -> list[Path]:
    return sorted((ROOT / "tests").rglob("test_*.py"))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _is_mark(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == f"pytest.mark.{name}"


def _marked(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and _is_mark(mark, "statement"):
                    yield from ((node.name, ast.literal_eval(argument)) for argument in mark.args)
