"""What commands print: tables and lines on standard output, messages on standard error, JSON alone with ``--json``.

A terminal gets rich tables. A pipe or a file gets the same cells as plain, aligned text: no control codes, and nothing
cut, so that locations can be taken from it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

_GAP = 2
_LEAST_TEXT = 12


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        right: numbers stand to the right.
        whole: never cut nor broken over lines, because it is meant to be copied.
    """

    header: str
    right: bool = False
    whole: bool = False


def stdout() -> Console:
    """Give the console of results."""
    return Console(markup=False, emoji=False, highlight=False, soft_wrap=True)


def stderr() -> Console:
    """Give the console of messages."""
    return Console(stderr=True, markup=False, emoji=False, highlight=False, soft_wrap=True)


def say(text: str, style: str = "") -> None:
    """Print one line of a result."""
    stdout().print(Text(printable(text), style=style))


def note(text: str, style: str = "") -> None:
    """Print one line that is no result, so that pipes and ``--json`` stay clean."""
    stderr().print(Text(printable(text), style=style))


def printable(text: str) -> str:
    """Show control characters, which a file may have brought along, instead of obeying them."""
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text)


def write_json(value: Any) -> None:
    """Write a value as JSON, with ``null`` for NaN and text for what JSON does not know."""
    import orjson

    text = orjson.dumps(value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    typer.echo(text.decode())


def write_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headers, leaving out columns in which nothing stands."""
    used = [place for place in range(len(columns)) if any(row[place] for row in rows)]
    kept = [columns[place] for place in used]
    cells = [[printable(row[place]).replace("\n", " ") for place in used] for row in rows]
    if stdout().is_terminal:
        _draw(kept, cells)
    else:
        _align(kept, cells)


def escape_what_cannot_be_shown() -> None:
    """Let a name with letters that the terminal cannot show be printed as an escape, not end the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _draw(columns: list[Column], rows: list[list[str]]) -> None:
    console = Console(markup=False, emoji=False, highlight=False)
    shown = _fitting(columns, rows, console.width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    for place, column in enumerate(columns[:shown]):
        table.add_column(
            column.header,
            justify="right" if column.right else "left",
            header_style="dim",
            style="cyan" if column.whole else "",
            no_wrap=column.whole,
            overflow="fold",
            min_width=_least_width(column, rows, place),
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row[:shown]))
    console.print(table)
    if shown < len(columns):
        left_out = ", ".join(column.header for column in columns[shown:])
        note(f"No room for {left_out}; a wider window or --json shows them", style="dim")


def _fitting(columns: list[Column], rows: list[list[str]], width: int) -> int:
    """Count the first columns that fit into a width without one being cut."""
    taken = 0
    for place, column in enumerate(columns):
        taken += _least_width(column, rows, place) + _GAP
        if taken - _GAP > width:
            return max(1, place)
    return len(columns)


def _least_width(column: Column, rows: list[list[str]], place: int) -> int:
    """Give what a column needs: all of it for numbers and locations, some of it for text, which may be folded."""
    needed = max(cell_len(column.header), *(cell_len(row[place]) for row in rows))
    return needed if column.whole or column.right else min(needed, _LEAST_TEXT)


def _align(columns: list[Column], rows: list[list[str]]) -> None:
    lines = [[column.header for column in columns], *rows]
    widths = [max(cell_len(line[place]) for line in lines) for place in range(len(columns))]
    for line in lines:
        padded = [
            " " * (width - cell_len(cell)) + cell if column.right else cell + " " * (width - cell_len(cell))
            for column, cell, width in zip(columns, line, widths, strict=True)
        ]
        typer.echo("  ".join(padded).rstrip())
