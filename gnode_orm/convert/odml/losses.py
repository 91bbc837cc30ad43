"""What odML cannot hold: refused where an exact object is asked for, listed where a file is written."""

from __future__ import annotations

from typing import Any

from gnode_orm.convert.odml.paths import Path
from gnode_orm.errors import ValidationFailed


class Losses:
    """Collects what is lost, one line for each sort of loss; a *strict* one raises instead.

    Attributes:
        strict: whether a loss is refused.
        as_said: whether ids, types and texts stay as the models say them, also where odml would fill in its own.
    """

    def __init__(self, *, strict: bool, as_said: bool = False) -> None:
        self.strict = strict
        self.as_said = as_said
        self._found: dict[str, list[str]] = {}

    def refuse(self, path: Path, entity: str, field: str, value: Any, why: str, done: str) -> None:
        """Raise what would be false in odML, or note what is done about it.

        Raises:
            ValidationFailed: only when strict.
        """
        if self.strict:
            raise ValidationFailed(f"{path}: {entity}.{field}: {why}", entity=entity, field=field, value=value)
        self.mention(path, f"{entity}.{field}: {done}")

    def mention(self, path: Path, sentence: str) -> None:
        """Note something that odML has no place for; models keep it, so it is never an error."""
        self._found.setdefault(sentence, []).append(str(path))

    def lines(self) -> list[str]:
        """Give one line for each sort of loss, with the place where it occurs first and how often it does."""
        return [located(sentence, paths) for sentence, paths in self._found.items()]


def located(sentence: str, paths: list[str]) -> str:
    """Say where something occurs first, and how often it does."""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{sentence} (at {paths[0]}{more})"
