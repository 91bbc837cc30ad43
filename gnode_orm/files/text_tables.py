"""Is a text a table of numbers? Asked before a reader that takes any text for a signal."""

from __future__ import annotations

TABLE_START = 1 << 16
"""How much of a text is looked at."""


def table_problem(start: bytes) -> str | None:
    """Say why the begin of a text is no table of numbers that a signal could be made of, or ``None`` where it is one.

    One line of column names is allowed; every other line needs the same count of numbers.
    """
    if len(start) == TABLE_START:  # the last line may be cut
        start = start[: start.rfind(b"\n") + 1]
    try:
        lines = [line for line in start.decode("utf-8").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        return f"not text in UTF-8 (byte {error.start})"
    if not lines:
        return "no lines of text"
    body = lines if _numbers(lines[0]) else lines[1:]
    widths = {_numbers(line) for line in body}
    if not body or 0 in widths:
        return "a table of text, not of numbers"
    return None if len(widths) == 1 else "lines with different counts of numbers"


def _numbers(line: str) -> int:
    """Count the numbers of a line, 0 where anything else stands in it."""
    words = line.replace(",", " ").replace(";", " ").split()
    try:
        return len([float(word) for word in words])
    except ValueError:
        return 0
