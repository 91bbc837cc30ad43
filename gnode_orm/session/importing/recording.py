"""Importing a recording: one commit for each of its blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnode_orm.core.progress import Progress
from gnode_orm.errors import FormatError, ValidationFailed
from gnode_orm.files.path_text import path_text
from gnode_orm.session.importing.block import block_of
from gnode_orm.session.importing.options import ImportOptions
from gnode_orm.session.importing.origin import found_by_content, is_complete, note_origin
from gnode_orm.session.importing.result import ImportResult
from gnode_orm.session.importing.storing import store, written_ahead

if TYPE_CHECKING:
    from gnode_orm.files.recordings import Recording
    from gnode_orm.session.session import Session


def import_recording(
    session: Session, path: Path, content: str, options: ImportOptions, report: Progress
) -> ImportResult:
    """Import the blocks of a recording that are not in the lab already, by this content.

    Raises:
        FormatError: nothing of it could be read or kept; the lab is unchanged.
    """
    from gnode_orm.files.recordings import open_recording
    from gnode_orm.models import Block

    there = {} if options.again else found_by_content(session, content, Block)
    result = ImportResult()
    if is_complete(there):
        for number, block in sorted(there.items()):
            result.skip(block, path, number)
        return result
    report(0, 1, f"reading {path_text(path.name)}")
    with open_recording(path, **options.reading) as recording:
        _BlockImport(session, recording, content, options, result).import_all(there, report)
    if not (result.blocks or result.found):
        raise FormatError(f"{path_text(path)}: nothing was imported: {'; '.join(result.failed) or 'it holds no block'}")
    return result


@dataclass
class _BlockImport:
    """The blocks of one open recording, on their way into the lab."""

    session: Session
    recording: Recording
    content: str
    options: ImportOptions
    result: ImportResult
    doubts: list[str] = field(default_factory=list)

    def import_all(self, there: dict[int, Any], report: Progress) -> None:
        """Import every block but those that are there; one that cannot be kept does not stop the others."""
        recording, result = self.recording, self.result
        name, total = path_text(recording.path.name), recording.block_count
        for number, native in recording.blocks():
            report(number, total, f"storing {name}")
            if number in there:
                result.skip(there[number], recording.path, number)
                continue
            try:
                self._import(native, number)
            except (FormatError, ValidationFailed) as error:
                result.failed.append(f"block[{number}]: {error}")
        result.warnings = recording.warnings + self.doubts
        report(total, total, f"imported {name}")

    def _import(self, native: Any, number: int) -> None:
        from gnode_orm.files.recordings import Failure

        if isinstance(native, Failure):
            raise FormatError(native.reason)
        with written_ahead(self.session, native):
            self._import_block(native, number)

    def _import_block(self, native: Any, number: int) -> None:
        recording, result = self.recording, self.result
        made = block_of(native, recording, number, self.options)
        name, doubts = path_text(recording.path.name), made.report.summary()
        self.doubts += doubts
        note_origin(
            made.block,
            file=name,
            sha256=self.content,
            number=number,
            of=recording.block_count,
            reader=recording.reader_name,
            warnings=[*recording.warnings, *doubts],
            left_out=made.left_out,
        )
        stored = store(self.session, made.block, f"import {name}")
        result.blocks.append(stored)
        result.skipped += made.left_out
        if made.document is not None:
            result.documents.append(stored.metadata.document)
