"""The identity map: one instance for each stored object, held weakly."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any


class _Entry(weakref.ref[Any]):
    """A weak reference that knows its key, so that a late callback removes no successor."""

    __slots__ = ("key", "kind")

    kind: str
    key: int


class IdentityMap:
    """Instances by kind and id. An instance that nobody else holds leaves the map by itself."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[int, _Entry]] = {}

        def forget(entry: Any, kinds: dict[str, dict[int, Any]] = self._kinds) -> None:
            # Never raises: Python would print it and go on.
            found: Any = kinds.get(entry.kind)
            if found is not None and found.get(entry.key) is entry:
                del found[entry.key]

        self._forget: Callable[[Any], None] = forget

    def get(self, kind: str, id: int) -> Any:
        """Give the instance, or ``None``."""
        entries = self._kinds.get(kind)
        entry = None if entries is None else entries.get(id)
        return None if entry is None else entry()

    def add(self, kind: str, id: int, entity: Any) -> None:
        """Enter an instance."""
        entry = _Entry(entity, self._forget)
        entry.kind = kind
        entry.key = id
        entries = self._kinds.get(kind)
        if entries is None:
            entries = self._kinds[kind] = {}
        entries[id] = entry

    def remove(self, kind: str, id: int) -> None:
        """Take an instance out."""
        self._kinds.get(kind, {}).pop(id, None)

    def of_kind(self, kind: str) -> list[Any]:
        """Give the instances of one kind that are alive."""
        found = [entry() for entry in list(self._kinds.get(kind, {}).values())]
        return [entity for entity in found if entity is not None]

    def __iter__(self) -> Iterator[Any]:
        for kind in list(self._kinds):
            yield from self.of_kind(kind)

    def __len__(self) -> int:
        return sum(map(len, self._kinds.values()))

    def clear(self) -> None:
        """Forget every instance."""
        self._kinds.clear()
