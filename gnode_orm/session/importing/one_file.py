"""Importing one file, whatever it is."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnode_orm.core.arguments import PATHS, check
from gnode_orm.core.progress import Progress, silent
from gnode_orm.session.importing.metadata import import_metadata
from gnode_orm.session.importing.options import ImportOptions, Metadata, metadata_for
from gnode_orm.session.importing.recording import import_recording
from gnode_orm.session.importing.result import ImportResult

if TYPE_CHECKING:
    from gnode_orm.session.session import Session


def import_file(
    session: Session,
    path: str | PathLike[str],
    *,
    template: str | PathLike[str] | None,
    metadata: Metadata,
    progress: Progress | None,
    **options: Any,
) -> ImportResult:
    """Import one file as ``Session.import_file`` is asked to."""
    from gnode_orm.files.templates import read_template

    check("import_file(path)", path, PATHS, "the path of a file, or of a folder where the recording is one")
    place = Path(path)
    read = None if template is None else read_template(template)
    return import_one(
        session, place, ImportOptions(template=read, metadata=metadata_for(metadata, place), **options), progress
    )


def import_one(session: Session, path: Path, options: ImportOptions, progress: Progress | None = None) -> ImportResult:
    """Read a recording or an odML file into the lab of a session.

    Each block, or the document, is one commit of its own through a session of its own, so that pending work of
    ``session`` stays pending.

    Raises:
        NotFound: there is nothing at the path.
        FormatError: nothing of it could be read or kept; the lab is unchanged.
        SessionError: the session is read-only.
    """
    from gnode_orm.files.fingerprint import fingerprint
    from gnode_orm.files.recognition import check_readable

    session._check_writable()
    report: Progress = progress or silent
    check_readable(path)
    content = fingerprint(path)
    read = import_metadata if options.reader is None and is_metadata(path) else import_recording
    return read(session, path, content, options, report).close_file(path)


def is_metadata(path: Path) -> bool:
    """Whether a path is an odML file."""
    from gnode_orm.files.odml import is_odml

    return path.is_file() and is_odml(path)
