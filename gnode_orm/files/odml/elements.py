"""What XML, JSON and YAML have in common: a tree of named elements, with the place of each for messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gnode_orm.errors import FormatError
from gnode_orm.files.path_text import path_text

STRUCTURE = frozenset({"odml", "section", "property", "value"})
"""Elements that hold others; all the rest hold text."""


@dataclass(slots=True)
class Element:
    """One element.

    Attributes:
        tag: its name as odML 1.1 XML spells it (``section``, ``dependencyvalue``), in lower case.
        place: where it stands, for messages: ``line 12``, or ``Document.sections[0]``.
        content: text, or in JSON and YAML also a number, a boolean or a list; ``None`` for nothing.
        members: the elements inside.
        attributes: XML attributes.
    """

    tag: str
    place: str
    content: Any = None
    members: list[Element] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)


def unreadable(path: Path, reason: str) -> FormatError:
    """Make the error for a file that cannot be read as odML."""
    line = " ".join(reason.split())
    return FormatError(f"{path_text(path)}: cannot be read as odML: {line}")
