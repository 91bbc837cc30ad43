"""Importing an odML file: one commit for its document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gnode_orm.core.progress import Progress
from gnode_orm.errors import FormatError
from gnode_orm.files.path_text import path_text
from gnode_orm.session.importing.options import ImportOptions
from gnode_orm.session.importing.origin import found_by_content, note_origin
from gnode_orm.session.importing.refusing import left_out, refusal
from gnode_orm.session.importing.result import ImportResult
from gnode_orm.session.importing.storing import store

if TYPE_CHECKING:
    from gnode_orm.files.odml.reading import OdmlFile
    from gnode_orm.session.session import Session


def import_metadata(
    session: Session, path: Path, content: str, options: ImportOptions, report: Progress
) -> ImportResult:
    """Import the document of an odML file, unless this content is in the lab already.

    Raises:
        FormatError: the file is broken, or what it holds has errors; the lab is unchanged.
    """
    from gnode_orm.files.odml import read_odml
    from gnode_orm.models import Document

    result = ImportResult()
    there = {} if options.again else found_by_content(session, content, Document)
    if there:
        result.skip(there[0], path, 0)
        return result
    report(0, 1, f"reading {path_text(path.name)}")
    file = read_odml(path)
    doubts = _judged(file, path, options, result)
    result.warnings = [*file.warnings, *doubts]
    note_origin(
        file.document,
        file=path_text(path.name),
        sha256=content,
        number=0,
        of=1,
        reader="odml",
        warnings=result.warnings,
        left_out=result.skipped,
    )
    result.documents = [store(session, file.document, f"import {path_text(path.name)}")]
    report(1, 1, f"imported {path_text(path.name)}")
    return result


def _judged(file: OdmlFile, path: Path, options: ImportOptions, result: ImportResult) -> list[str]:
    """Give what is doubtful in a document; with ``force``, leave out what has errors."""
    from gnode_orm.files.leaving_out import take_out_of_document
    from gnode_orm.files.validation import validate
    from gnode_orm.files.validation.walk import walk

    checked = validate(file.document)
    while not checked.ok:
        places = dict(walk(file.document, file.document.kind))
        if not (options.force and take_out_of_document(checked.errors, places)):
            raise FormatError(f"{path_text(path)}: nothing was imported: {refusal(checked)}")
        result.skipped += left_out(checked)
        checked = validate(file.document)
    return checked.summary()
