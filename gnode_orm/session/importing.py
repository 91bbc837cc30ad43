"""Importing files: recordings through neo, metadata through odml, one atomic commit a block or document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnode_orm.errors import FormatError, ValidationFailed

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity
    from gnode_orm.files.recordings import Recording
    from gnode_orm.files.validation import Report
    from gnode_orm.models import Block, Document
    from gnode_orm.session.session import Session

Progress = Callable[[int, int, str], None]
"""Called with what is done, what there is to do, and what is being done."""


@dataclass
class ImportResult:
    """What an import made.

    Attributes:
        blocks, documents: what is now in the lab, as instances of the calling session.
        skipped: parts that were not imported on purpose.
        failed: parts that could not be imported, with the reason; nothing of them is in the lab.
        warnings: what the readers reported, what was assumed, and what the validation found doubtful.
    """

    blocks: list[Block] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def import_file(
    session: Session,
    path: str | Path,
    *,
    timezone: str | dt.tzinfo | None = None,
    reader: str | None = None,
    keep_personal: bool = False,
    progress: Progress | None = None,
) -> ImportResult:
    """Read a recording or an odML file into the lab of a session.

    Each block, or the document, is one commit of its own through a session of its own, so that pending work of
    ``session`` stays pending. Blocks and segments without a name are called after the file.

    Args:
        session: the session that the results belong to.
        path: a file, or a folder where the recording is one.
        timezone: where the recording was made, for times that come without a zone.
        reader: name of one reader of neo to use, instead of those that fit the content.
        keep_personal: keep name, birth date and the like of a person, where the file holds them.
        progress: called as the import goes on.

    Raises:
        NotFound: there is nothing at the path.
        FormatError: nothing of it could be read or kept; the lab is unchanged.
        SessionError: the session is read-only.
    """
    session._check_writable()
    path = Path(path)
    report: Progress = progress or _silent
    if reader is None and _is_metadata(path):
        return _import_metadata(session, path, report)
    from gnode_orm.files.recordings import open_recording

    report(0, 1, f"reading {path.name}")
    with open_recording(path, reader=reader, timezone=timezone, keep_personal=keep_personal) as recording:
        return _import_blocks(session, recording, report)


def _is_metadata(path: Path) -> bool:
    from gnode_orm.files.odml import is_odml

    return path.is_file() and is_odml(path)


def _import_blocks(session: Session, recording: Recording, report: Progress) -> ImportResult:
    from gnode_orm.files.recordings import Failure

    result, name = ImportResult(), recording.path.name
    for number, native in recording.blocks():
        report(number, recording.block_count, f"storing {name}")
        try:
            if isinstance(native, Failure):
                raise FormatError(native.reason)
            block, checked = _block_of(native, recording, number)
            result.blocks.append(_store(session, block, f"import {name}"))
            result.warnings += checked.summary()
        except (FormatError, ValidationFailed) as error:
            result.failed.append(f"block[{number}]: {error}")
    result.warnings = recording.warnings + result.warnings
    report(recording.block_count, recording.block_count, f"imported {name}")
    if not result.blocks:
        raise FormatError(f"{recording.path}: nothing was imported: {'; '.join(result.failed) or 'it holds no block'}")
    return result


def _block_of(native: Any, recording: Recording, number: int) -> tuple[Block, Report]:
    from gnode_orm.models import Block

    block = Block.from_neo(native)
    name = recording.path.name if recording.path.is_dir() else recording.path.stem
    _fill_names(block, f"{name} block {number + 1}" if recording.block_count > 1 else name)
    return block, _checked(block)


def _fill_names(block: Block, name: str) -> None:
    from gnode_orm.convert.filled_names import fill_name

    fill_name(block, name)
    width = len(str(len(block.segments)))
    for number, segment in enumerate(block.segments, start=1):
        fill_name(segment, f"{name} sweep {number:0{width}}")


def _import_metadata(session: Session, path: Path, report: Progress) -> ImportResult:
    from gnode_orm.files.odml import read_odml

    report(0, 1, f"reading {path.name}")
    file = read_odml(path)
    try:
        checked = _checked(file.document)
    except ValidationFailed as error:
        raise FormatError(f"{path}: nothing was imported: {error}") from error
    stored = _store(session, file.document, f"import {path.name}")
    report(1, 1, f"imported {path.name}")
    return ImportResult(documents=[stored], warnings=[*file.warnings, *checked.summary()])


def _checked(model: Entity) -> Report:
    """Validate a model; its warnings are for the user.

    Raises:
        ValidationFailed: it has errors.
    """
    from gnode_orm.files.validation import validate

    report = validate(model)
    if not report.ok:
        errors = type(report)(report.subject, report.errors)
        raise ValidationFailed("; ".join(errors.summary()), entity=type(model).__name__)
    return report


def _store(session: Session, model: Entity, message: str) -> Any:
    """Commit a model with everything below it, and give the calling session's instance of it."""
    with _session_of_its_own(session) as own:
        own.add(model)
        own.commit(message)
        location = str(model.location)
    return session.get(location)


@contextmanager
def _session_of_its_own(session: Session) -> Iterator[Session]:
    own = session.lab.session()
    try:
        yield own
    except BaseException:
        own.rollback()
        raise
    finally:
        own.close()


def _silent(done: int, total: int, text: str) -> None:
    """Show nothing."""
