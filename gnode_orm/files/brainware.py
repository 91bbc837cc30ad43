"""Spike trains of BrainWare (``.src``), which neo's reader hands over as tuples and neo's segments take for none."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def rows_as_lists() -> Iterator[None]:
    """Let the reader zip to lists, which a segment keeps; readers take turns."""
    from neo.io import brainwaresrcio

    module: Any = brainwaresrcio
    module.zip = _zipped
    try:
        yield
    finally:
        del module.zip


def _zipped(*columns: Any) -> Iterator[list[Any]]:
    return map(list, builtins.zip(*columns))  # noqa: B905 - as the reader does
