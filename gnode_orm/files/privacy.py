"""What stays on this machine: folders of files, and who was recorded."""

from __future__ import annotations

import re
from typing import Any

from gnode_orm.files.neo_objects import every_object

_SEPARATOR = re.compile(r"[\\/]")
# Header fields of EDF+ and BDF+, and our own name for the comments of WFDB headers (age, sex, diagnosis, drugs).
PERSONAL = frozenset(
    {
        "admincode",
        "birthdate",
        "gender",
        "patient_additional",
        "patientcode",
        "patientname",
        "sex",
        "technician",
        "wfdb_comments",
    }
)


def leave_out_paths(block: Any) -> None:
    """Reduce every ``file_origin`` to the name of the file."""
    for item in every_object(block):
        origin = getattr(item, "file_origin", None)
        if isinstance(origin, str):
            item.file_origin = _SEPARATOR.split(origin.rstrip("\\/"))[-1]


def leave_out_persons(block: Any) -> list[str]:
    """Remove annotations that describe a person, and say which; empty ones say nothing and stay."""
    removed: dict[str, None] = {}
    for item in every_object(block):
        for key in PERSONAL & item.annotations.keys():
            if item.annotations[key]:
                del item.annotations[key]
                removed[key] = None
    if not removed:
        return []
    return [f"personal fields were left out ({', '.join(sorted(removed))}); keep_personal=True keeps them"]
