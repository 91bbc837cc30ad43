"""Folders of KlustaKwik: ``session.fet.1``, ``session.clu.1`` and so on, one number for each electrode group."""

from __future__ import annotations

import re
from pathlib import Path

from gnode_orm.errors import FormatError
from gnode_orm.files.path_text import path_text

_FEATURES = re.compile(r"(.+)\.fet\.\d+")


def session_in(folder: Path) -> str | None:
    """Name the session whose files stand in a folder, ``None`` where there is none.

    Raises:
        FormatError: there are several.
    """
    matches = (_FEATURES.fullmatch(file.name) for file in folder.iterdir())
    names = sorted({match[1] for match in matches if match is not None})
    if len(names) > 1:
        raise FormatError(
            f"{path_text(folder)}: several sessions ({', '.join(names[:3])}); give each a folder of its own"
        )
    return names[0] if names else None
