"""What stays on this machine: folders of files, and who was recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gnode_orm.files.neo_objects import every_object
from gnode_orm.files.path_text import path_text

_SEPARATOR = re.compile(r"[\\/]")
# Header fields of EDF+ and BDF+, Micromed and BCI2000, in lower case, and our own name for the comments of WFDB headers
# (age, sex, diagnosis, drugs).
PERSONAL = frozenset(
    {
        "admincode",
        "birthdate",
        "firstname",
        "gender",
        "patient_additional",
        "patientcode",
        "patientname",
        "sex",
        "subjectname",
        "surname",
        "technician",
        "wfdb_comments",
    }
)


def write_origins(block: Any, *, folders: bool) -> None:
    """Make every ``file_origin`` text; without ``folders``, reduce it to the name of the file."""
    for item in every_object(block):
        origin = getattr(item, "file_origin", None)
        if isinstance(origin, str):
            item.file_origin = path_text(origin if folders else _SEPARATOR.split(origin.rstrip("\\/"))[-1])


def leave_out_persons(block: Any) -> list[str]:
    """Remove annotations that describe a person, at any depth, and say which; empty ones say nothing and stay."""
    removed: dict[str, None] = {}
    for item in every_object(block):
        removed |= dict.fromkeys(_taken_out(item.annotations))
    if not removed:
        return []
    return [f"personal fields were left out ({', '.join(sorted(removed))}); keep_personal=True keeps them"]


def _taken_out(said: dict[str, Any]) -> Iterator[str]:
    for key, value in list(said.items()):
        if str(key).lower() in PERSONAL and not _is_empty(value):
            del said[key]
            yield str(key)
        elif isinstance(value, dict):
            yield from _taken_out(value)


def _is_empty(value: Any) -> bool:
    return value is None or (hasattr(value, "__len__") and len(value) == 0)
