"""The pages of the documentation and the fenced blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Fence:
    """One fenced block.

    Attributes:
        language: the first word after the fence, such as ``python``.
        line: the line of the page on which the body begins, counted from 1.
    """

    page: Path
    language: str
    body: str
    line: int

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def name_of(page: Path) -> str:
    """The path of a page from the root of the project."""
    return page.relative_to(ROOT).as_posix()


def fences(page: Path, *languages: str) -> list[Fence]:
    """Give the blocks of a page in some languages, in their order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language = match["info"].split(" ")[0].strip()
        if language in languages:
            body = re.sub(rf"^{match['indent']}", "", match["body"], flags=re.MULTILINE)
            found.append(Fence(page, language, body, text.count("\n", 0, match.start("body")) + 1))
    return found


def table_under(page: Path, heading: str) -> list[list[str]]:
    """Give the rows of the first table under a heading, without the head."""
    lines = page.read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.lstrip("#").strip() == heading)
    rows: list[list[str]] = []
    for line in lines[start + 1 :]:
        if line.startswith("|"):
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            rows.append([cell.strip().replace("\\|", "|") for cell in cells])
        elif rows or line.startswith("#"):
            break
    return rows[2:]
