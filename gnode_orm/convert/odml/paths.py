"""Where an object stands below the one that is converted, for messages: ``document.sections[2].properties[0]``."""

from __future__ import annotations

_LONGEST = 400


class Path:
    """One step of a path; text is made when a message needs it, since trees can be very deep."""

    __slots__ = ("_above", "_step")

    def __init__(self, step: str, above: Path | None = None) -> None:
        self._step = step
        self._above = above

    def to(self, collection: str, number: int) -> Path:
        """Give the path of a member of a collection."""
        return Path(f".{collection}[{number}]", self)

    def __str__(self) -> str:
        steps: list[str] = []
        place: Path | None = self
        while place is not None:
            steps.append(place._step)
            place = place._above
        text = "".join(reversed(steps))
        return text if len(text) <= _LONGEST else f"{text[:200]} ... {text[-180:]}"
