"""Names of units looked up once while a reader runs.

``quantities`` parses the text of a unit into a syntax tree and evaluates it each time it is asked, easily ten thousand
times for one recording, which is up to half of the time that neo takes to read. What a plain name stands for never
changes once it is registered, so it is remembered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import quantities as pq

_Registry: Any = type(pq.unit_registry)
_known: dict[str, Any] = {}


@contextmanager
def units_looked_up_once() -> Iterator[None]:
    """Let the registry of ``quantities`` remember plain names inside the block; it answers as it always does.

    Expressions such as ``mV/ms`` are evaluated as ever, since each evaluation gives an object of its own. Blocks may
    stand inside each other, but not overlap: readers take turns.
    """
    parse = _Registry.__getitem__

    def look_up(registry: Any, label: str) -> Any:
        unit = _known.get(label)
        if unit is None:
            unit = parse(registry, label)
            if label.isidentifier():
                _known[label] = unit
        return unit

    _Registry.__getitem__ = look_up
    try:
        yield
    finally:
        _Registry.__getitem__ = parse
