"""Two sentinels: an argument that was not given, and a value that was not loaded. ``None`` means none."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Sentinel(Enum):
    """Values that are compared by identity and print as themselves."""

    NOT_GIVEN = "<not given>"
    NOT_LOADED = "<not loaded>"

    def __repr__(self) -> str:
        return self.value

    def __bool__(self) -> bool:
        return False


NOT_GIVEN: Final = Sentinel.NOT_GIVEN
NOT_LOADED: Final = Sentinel.NOT_LOADED
