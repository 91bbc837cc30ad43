"""What a commit answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gnode_orm.core.expressions.operands import is_unicode
from gnode_orm.core.shortened import brief
from gnode_orm.errors import ValidationFailed
from gnode_orm.wire.change_sets import MAX_MESSAGE


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


def check_message(message: Any) -> None:
    """See that every store takes the message of a commit.

    Raises:
        ValidationFailed: it is no text, too long, or holds what is no text everywhere.
    """
    if message is None:
        return
    if not isinstance(message, str) or len(message) > MAX_MESSAGE or "\0" in message or not is_unicode(message):
        raise ValidationFailed(
            f"commit({brief(message)}): a message is text of at most {MAX_MESSAGE} characters, none of them NUL",
            value=message,
        )
