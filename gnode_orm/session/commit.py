"""What a commit answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit wrote.

    Attributes:
        id: the change set's id; empty when there was nothing to write.
        time: when, by the store's clock.
        user: by whom.
        message: as given.
        counts: objects by operation and class, such as ``{"create Segment": 3}``.
    """

    id: str
    time: datetime | None
    user: str
    message: str | None = None
    counts: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.counts:
            return "Nothing to commit"
        return f"Commit {self.id[:8]} by {self.user}: " + ", ".join(f"{verb} {n}" for verb, n in self.counts.items())
