"""Judging what would be imported."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gnode_orm.session.importing.block import complete
from gnode_orm.session.importing.options import ImportOptions

if TYPE_CHECKING:
    from gnode_orm.files.validation import Report


def judge(path: Path, options: ImportOptions) -> Report:
    """Judge a file as an import with these options would; nothing is stored."""
    from gnode_orm.files.validation import validate_as_imported

    return validate_as_imported(
        path, template=options.template, reading=options.reading, complete=partial(complete, options=options)
    )
