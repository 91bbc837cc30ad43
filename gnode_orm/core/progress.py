"""How far a long task is, told to whoever wants to show it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""Called with what is done, what there is to do in all, and what is being done."""


def silent(done: int, total: int, text: str) -> None:
    """Show nothing."""
