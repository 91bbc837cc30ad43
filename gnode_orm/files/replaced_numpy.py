"""Readers of neo that call NumPy in a way that is mended here: they get one that differs in a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


class _OtherNumPy:
    """NumPy, but for some functions."""

    def __init__(self, functions: dict[str, Callable[..., Any]]) -> None:
        vars(self).update(functions)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


@contextmanager
def numpy_replaced(module: Any, **functions: Callable[..., Any]) -> Iterator[None]:
    """Let a module call these functions in place of those of NumPy; readers take turns."""
    module.np = _OtherNumPy(functions)
    try:
        yield
    finally:
        module.np = np
