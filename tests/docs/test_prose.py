"""Prose is as narrow as the code, so that it reads and merges well."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, name_of

WIDTH = 120


def prose(page: Path) -> list[str]:
    """The lines of a page outside of code and tables, whose lines cannot be broken."""
    kept, in_code = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = line.lstrip().startswith("```")
        in_code ^= fence
        if not (fence or in_code or line.startswith("|")):
            kept.append(line)
    return kept


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"], ids=name_of)
def test_lines_of_prose_are_not_too_long(page: Path) -> None:
    assert [line for line in prose(page) if len(line) > WIDTH] == []
