"""The statements about sessions as the documentation lists them, and the table of those that are not kept."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.docs.pages import ROOT, table_under

LISTED = ROOT / "docs/explanation/unit-of-work.md"
GROUPS = ("Identity", "Tracking", "Order and cascades", "Commits over a network", "Life of a session")
NOT_KEPT = ROOT / "docs/explanation/how-it-works.md"
HEADING = "Statements that are not kept"

STORES = ("sqlite", "postgresql", "rest", "v1")
"""The stores that a row of the table may name, beside ``all``."""

STORE_OF = {"folder": "sqlite", "memory": "sqlite", "postgres": "postgresql", "rest": "rest", "v1": "v1"}
"""The store that each kind of lab of the tests stands for."""


class NotKept(NamedTuple):
    """One row of the table, for one store."""

    number: int
    store: str
    instead: str
    because: str


def listed() -> list[tuple[int, str]]:
    """Give the number and the text of each statement, in the order of the page."""
    return [(int(row[0]), row[1]) for group in GROUPS for row in table_under(LISTED, group)]


@cache
def not_kept() -> tuple[NotKept, ...]:
    """Give the rows of the table, one for each store that a row names."""
    rows = table_under(NOT_KEPT, HEADING)
    return tuple(
        NotKept(int(number), store.strip(), instead, because)
        for number, stores, instead, because in rows
        for store in stores.split(",")
    )


def reason_not_kept(numbers: tuple[int, ...], lab: str) -> str | None:
    """Say why a store does not keep one of some statements; ``None`` where it keeps them all.

    What is decided otherwise for all stores is no reason: its tests show what happens instead.
    """
    for row in not_kept():
        if row.number in numbers and row.store == STORE_OF[lab]:
            return f"statement {row.number} is not kept here: {row.instead}, because {row.because}"
    return None


def shown_by() -> dict[int, list[str]]:
    """Give the tests that carry the number of each statement."""
    found: dict[int, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for name, number in _marked(path):
            found.setdefault(number, []).append(f"{path.name}::{name}")
    return found


def _marked(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.statement":
                    yield from ((node.name, ast.literal_eval(argument)) for argument in mark.args)
