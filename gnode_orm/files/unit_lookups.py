"""Names of units looked up once while a reader runs.

``quantities`` parses the text of a unit into a syntax tree and evaluates it each time it is asked, easily ten thousand
times for one recording, which is up to half of the time that neo takes to read. What a plain name stands for never
changes once it is registered, so it is remembered.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import quantities.dimensionality
import quantities.quantity

# The registry is put in their place, and not given another method: changing a class more than a thousand times makes
# CPython 3.13 call methods that it no longer has.
_ASKING: tuple[Any, ...] = (quantities.quantity, quantities.dimensionality)


class _Remembering:
    """Answers as the registry does; the objects of plain names are remembered."""

    def __init__(self, registry: Any) -> None:
        self._registry = registry
        self._known: dict[str, Any] = {}

    def __getitem__(self, label: str) -> Any:
        unit = self._known.get(label)
        if unit is None:
            unit = self._registry[label]
            if label.isidentifier():
                self._known[label] = unit
        return unit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._registry, name)


_remembering = _Remembering(quantities.unit_registry)


@contextmanager
def units_looked_up_once() -> Iterator[None]:
    """Let quantities that are made inside the block ask a registry that remembers plain names.

    Expressions such as ``mV/ms`` are evaluated as ever, since each evaluation gives an object of its own. Blocks may
    stand inside each other, but not overlap: readers take turns.
    """
    before = [module.unit_registry for module in _ASKING]
    for module in _ASKING:
        module.unit_registry = _remembering
    try:
        yield
    finally:
        for module, registry in zip(_ASKING, before, strict=True):
            module.unit_registry = registry
