"""Where imported objects came from, kept in ``ext["import"]``: by it an import knows what is in the lab already.

file       name of the file
sha256     fingerprint of its content
number     which block of the file
of         how many blocks the file has
reader     the reader that took it
warnings   what was reported, assumed and doubted then
left_out   what had errors and was left out, where that was asked for
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnode_orm.session.session import Session

ENTRY = "import"
# Headers of damaged files can make thousands of different messages; these many say enough.
_WARNINGS = 200


def note_origin(model: Any, *, warnings: Sequence[str], left_out: Sequence[str] = (), **facts: Any) -> None:
    """Keep with a new object where it came from."""
    entry = {**facts, "warnings": list(warnings[:_WARNINGS])}
    if left_out:
        entry["left_out"] = list(left_out)
    model._set_ext({"v": 1, **(model.ext or {}), ENTRY: entry})


def found_by_content(session: Session, content: str, model: Any) -> dict[int, Any]:
    """Give the blocks or documents that were imported from this content, by their number in the file."""
    condition = model.ext[ENTRY]["sha256"] == content
    return {found.ext[ENTRY]["number"]: found for found in session.query(model).where(condition)}


def is_complete(found: dict[int, Any]) -> bool:
    """Whether every block of the file is there."""
    return bool(found) and len(found) >= next(iter(found.values())).ext[ENTRY]["of"]


def already_there(found: Any, name: str, number: int) -> str:
    """Say that a part of a file is in the lab already."""
    entry = found.ext[ENTRY]
    part = "" if entry["of"] == 1 else f"block[{number}]: "
    known_as = "" if entry["file"] == name else f" (from {entry['file']})"
    place = f"{found.location.kind}/{found.location.id}"
    return f"{part}its content is in the lab already as {place}{known_as}; again=True imports it anew"
