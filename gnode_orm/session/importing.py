"""Importing one file: a recording through neo, metadata through odML, one atomic commit a block or document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnode_orm.core.progress import Progress, silent
from gnode_orm.errors import FormatError, ValidationFailed
from gnode_orm.files.path_text import path_text
from gnode_orm.session.import_result import ImportResult
from gnode_orm.session.imported import already_there, found_by_content, is_complete, note_origin

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity
    from gnode_orm.files.recordings import Recording
    from gnode_orm.files.templates import Template
    from gnode_orm.files.validation import Report
    from gnode_orm.models import Block
    from gnode_orm.session.session import Session

"""Called with what is done, what there is to do, and what is being done."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How one file is imported; ``Session.import_file`` says what each means.

    ``names`` has names for blocks by their number, instead of those that the file gives or lacks.
    """

    template: Template | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    timezone: str | dt.tzinfo | None = None
    reader: str | None = None
    reader_options: Mapping[str, Any] | None = None
    keep_personal: bool = False
    keep_paths: bool = False
    raw: bool = False
    force: bool = False
    again: bool = False
    names: Mapping[int, str] = field(default_factory=dict)


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
    if options.reader is None and is_metadata(path):
        return _import_metadata(session, path, content, options, report).close_file(path)
    return _import_recording(session, path, content, options, report).close_file(path)


def is_metadata(path: Path) -> bool:
    """Whether a path is an odML file."""
    from gnode_orm.files.odml import is_odml

    return path.is_file() and is_odml(path)


def name_of_block(recording: Recording, number: int) -> str:
    """The name for a block whose file gives it none."""
    name = path_text(recording.path.name if recording.path.is_dir() else recording.path.stem)
    return f"{name} block {number + 1}" if recording.block_count > 1 else name


# ---- recordings


def _import_recording(
    session: Session, path: Path, content: str, options: ImportOptions, report: Progress
) -> ImportResult:
    from gnode_orm.files.recordings import open_recording
    from gnode_orm.models import Block

    there = {} if options.again else found_by_content(session, content, Block)
    result = ImportResult()
    if is_complete(there):
        for number, block in sorted(there.items()):
            _skip(result, block, path, number)
        return result
    report(0, 1, f"reading {path_text(path.name)}")
    with open_recording(
        path,
        reader=options.reader,
        timezone=options.timezone,
        reader_options=options.reader_options,
        keep_personal=options.keep_personal,
        keep_paths=options.keep_paths,
        raw=options.raw,
    ) as recording:
        _import_blocks(session, recording, _Origin(content, there), options, report, result)
    if not (result.blocks or result.found):
        raise FormatError(f"{path_text(path)}: nothing was imported: {'; '.join(result.failed) or 'it holds no block'}")
    return result


@dataclass(frozen=True, slots=True)
class _Origin:
    content: str
    there: dict[int, Any]


def _import_blocks(
    session: Session,
    recording: Recording,
    origin: _Origin,
    options: ImportOptions,
    report: Progress,
    result: ImportResult,
) -> None:
    from gnode_orm.files.recordings import Failure

    name, doubts = path_text(recording.path.name), []
    for number, native in recording.blocks():
        report(number, recording.block_count, f"storing {name}")
        if number in origin.there:
            _skip(result, origin.there[number], recording.path, number)
            continue
        try:
            if isinstance(native, Failure):
                raise FormatError(native.reason)
            made = _block_of(native, recording, number, options)
            doubts += made.report.summary()
            note_origin(
                made.block,
                file=name,
                sha256=origin.content,
                number=number,
                of=recording.block_count,
                reader=recording.reader_name,
                warnings=[*recording.warnings, *made.report.summary()],
                left_out=made.left_out,
            )
            stored = _store(session, made.block, f"import {name}")
            result.blocks.append(stored)
            result.skipped += made.left_out
            if made.document is not None:
                result.documents.append(stored.metadata.document)
        except (FormatError, ValidationFailed) as error:
            result.failed.append(f"block[{number}]: {error}")
    result.warnings = recording.warnings + doubts
    report(recording.block_count, recording.block_count, f"imported {name}")


@dataclass
class _Made:
    block: Block
    document: Any
    report: Report
    left_out: list[str]


def _block_of(native: Any, recording: Recording, number: int, options: ImportOptions) -> _Made:
    """Make and judge the block; with ``force``, leave out what has errors.

    Raises:
        ValidationFailed: it has errors.
    """
    from gnode_orm.convert.neo import convert
    from gnode_orm.files.leaving_out import conversion_without_refused, culprits_of, leave_out
    from gnode_orm.files.validation import validate
    from gnode_orm.files.validation.walk import walk

    left_out: list[str] = []
    while True:
        if options.force:
            conversion, refused = conversion_without_refused(native)
            left_out += refused
        else:
            conversion = convert(native)
        block: Any = conversion.model
        document = _complete(block, recording, number, options)
        report = validate(block, template=options.template)
        if report.ok:
            return _Made(block, document, report, left_out)
        places = dict(walk(block, block.kind))
        culprits = culprits_of(report.errors, places, conversion.pairs) if options.force else []
        if not culprits:
            raise _refusal(report)
        left_out += _left_out(report)
        leave_out(native, culprits)


def judge(path: Path, options: ImportOptions) -> Report:
    """Judge a file as an import with these options would; nothing is stored."""
    from gnode_orm.files.validation import validate_as_imported

    reading = {
        name: getattr(options, name)
        for name in ("reader", "reader_options", "timezone", "keep_personal", "keep_paths", "raw")
    }
    return validate_as_imported(
        path, template=options.template, reading=reading, complete=partial(_complete, options=options)
    )


def _complete(block: Any, recording: Recording, number: int, options: ImportOptions) -> Any:
    """Give a block names and metadata; the document that was made from the template, if there is one."""
    _fill_names(block, name_of_block(recording, number))
    if number in options.names:
        block.name = options.names[number]
    template = options.template
    beside = template is not None and template.is_document
    for key in template.unmatched(options.metadata) if template and beside else options.metadata:
        block.annotations[key] = options.metadata[key]
    if template is None or not beside:
        return None
    document, block.metadata = template.document(block.name, options.metadata)
    return document


def _fill_names(block: Block, name: str) -> None:
    from gnode_orm.convert.filled_names import fill_name

    fill_name(block, name)
    width = len(str(len(block.segments)))
    for number, segment in enumerate(block.segments, start=1):
        fill_name(segment, f"{name} sweep {number:0{width}}")


# ---- metadata


def _import_metadata(
    session: Session, path: Path, content: str, options: ImportOptions, report: Progress
) -> ImportResult:
    from gnode_orm.files.leaving_out import take_out_of_document
    from gnode_orm.files.odml import read_odml
    from gnode_orm.files.validation import validate
    from gnode_orm.files.validation.walk import walk
    from gnode_orm.models import Document

    result = ImportResult()
    there = {} if options.again else found_by_content(session, content, Document)
    if there:
        _skip(result, there[0], path, 0)
        return result
    report(0, 1, f"reading {path_text(path.name)}")
    file = read_odml(path)
    checked = validate(file.document)
    while not checked.ok:
        places = dict(walk(file.document, file.document.kind))
        if not (options.force and take_out_of_document(checked.errors, places)):
            raise FormatError(f"{path_text(path)}: nothing was imported: {_refusal(checked)}")
        result.skipped += _left_out(checked)
        checked = validate(file.document)
    result.warnings = [*file.warnings, *checked.summary()]
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
    result.documents = [_store(session, file.document, f"import {path_text(path.name)}")]
    report(1, 1, f"imported {path_text(path.name)}")
    return result


# ---- both


def _skip(result: ImportResult, found: Any, path: Path, number: int) -> None:
    result.found.append(found)
    result.skipped.append(already_there(found, path_text(path.name), number))


def _left_out(report: Report) -> list[str]:
    return [f"left out: {line}" for line in type(report)(report.subject, report.errors).summary()]


def _refusal(report: Report) -> ValidationFailed:
    errors = type(report)(report.subject, report.errors)
    return ValidationFailed("; ".join(errors.summary()))


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
