"""At which object each array was seen: where a server looks first whether its reader may have it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any

from gnode_orm.core.schema import SCHEMA

_KEEP = 100_000


class Sightings:
    """The latest arrays that passed by, with one object each; a forgotten one costs the server time alone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: dict[bytes, tuple[str, int]] = {}

    def note(self, kind: str, rows: Sequence[tuple[Any, ...]], columns: str = "read") -> None:
        """Remember the arrays of some records or rows to create."""
        spec = SCHEMA.get(kind)
        if spec is None or not spec.arrays:
            return
        names = spec.record_columns if columns == "read" else ("id", *spec.write_columns)
        places = [names.index(f"{field.name}_hash") for field in spec.arrays]
        found = {row[place]: (kind, row[0]) for row in rows for place in places if row[place] is not None}
        with self._lock:
            self._places.update(found)
            for hash_ in list(self._places)[: max(0, len(self._places) - _KEEP)]:
                del self._places[hash_]

    def message(self, hashes: Iterable[bytes]) -> dict[str, tuple[str, int]]:
        """Say where some arrays were seen."""
        return {hash_.hex(): place for hash_, place in self.of(hashes).items()}

    def of(self, hashes: Iterable[bytes]) -> dict[bytes, tuple[str, int]]:
        """Give where some arrays were seen."""
        with self._lock:
            return {hash_: self._places[hash_] for hash_ in hashes if hash_ in self._places}
