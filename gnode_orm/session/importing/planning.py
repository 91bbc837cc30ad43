"""Looking at files, to plan what an import would make of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from os import PathLike
from types import NoneType
from typing import TYPE_CHECKING, Any

from gnode_orm.core.arguments import check
from gnode_orm.files.path_text import path_text
from gnode_orm.session.importing.block import name_of_block
from gnode_orm.session.importing.one_file import is_metadata
from gnode_orm.session.importing.options import Metadata, metadata_for
from gnode_orm.session.importing.origin import found_by_content, is_complete
from gnode_orm.session.importing.plan import REFUSALS, ImportPlan
from gnode_orm.session.importing.planned_file import PlannedBlock, PlannedFile

if TYPE_CHECKING:
    from gnode_orm.files.recordings import Recording
    from gnode_orm.session.session import Session

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]
_WORDS = {
    "analogsignals": "signal",
    "irregularlysampledsignals": "irregular signal",
    "imagesequences": "image sequence",
    "spiketrains": "spike train",
    "events": "event",
    "epochs": "epoch",
}


def plan_import(
    session: Session,
    paths: Paths,
    *,
    template: str | PathLike[str] | None,
    metadata: Metadata,
    reader_options: Mapping[str, Any] | None,
    **options: Any,
) -> ImportPlan:
    """Look at files, and give what an import of them would make, as ``Session.plan_import`` is asked to."""
    from gnode_orm.files.discovery import discover
    from gnode_orm.files.templates import read_template

    check("plan_import(reader_options)", reader_options, (Mapping, NoneType), "a dict of names and values")
    read = None if template is None else read_template(template)
    files, ignored = [], []
    for found in discover(paths):
        if found.reason is not None:
            ignored.append(f"{path_text(found.path)}: {found.reason}")
            continue
        file = PlannedFile(
            found.path,
            template=read,
            metadata=metadata_for(metadata, found.path),
            reader_options=dict(reader_options or {}),
            **options,
        )
        try:
            _look(session, file)
        except REFUSALS as error:
            file.problem = str(error).removeprefix(f"{path_text(file.path)}: ")
        files.append(file)
    return ImportPlan(session, files, ignored)


def _look(session: Session, file: PlannedFile) -> None:
    from gnode_orm.files.fingerprint import fingerprint
    from gnode_orm.files.recognition import check_readable
    from gnode_orm.files.recordings import open_recording
    from gnode_orm.models import Block, Document

    check_readable(file.path)
    metadata = file.reader is None and is_metadata(file.path)
    content = fingerprint(file.path)
    model: Any = Document if metadata else Block
    there = {} if file.again else found_by_content(session, content, model)
    if metadata or is_complete(there):
        file.present = [f"{found.location.kind}/{found.location.id}" for _, found in sorted(there.items())]
    if file.present:
        return
    if metadata:
        _look_at_metadata(file)
        return
    _check_metadata(file)
    reading: dict[str, Any] = {**file.options(force=False).reading, "raw": True}  # samples can wait
    with open_recording(file.path, **reading) as recording:
        _look_at_recording(file, recording)


def _check_metadata(file: PlannedFile) -> None:
    template = file.template
    if template is None or not template.is_document:
        return
    for key in template.unmatched(file.metadata):
        file.warnings.append(f"{key} is not in the template {template.path.name}: kept as an annotation of the block")


def _look_at_recording(file: PlannedFile, recording: Recording) -> None:
    from gnode_orm.files.recordings import Failure

    file.reader_name = recording.reader_name
    failures = []
    for number, native in recording.blocks():
        if isinstance(native, Failure):
            failures.append(str(native))
            continue
        file.blocks.append(_planned(native, number, name_of_block(recording, number)))
    file.warnings += recording.warnings + failures
    file.remember_names()


def _look_at_metadata(file: PlannedFile) -> None:
    from gnode_orm.files.odml import read_odml

    read = read_odml(file.path)
    file.reader_name = "odml"
    sections = len(read.document.sections)
    file.blocks = [
        PlannedBlock(0, path_text(file.path.stem), f"a document of {sections} section{'s' * (sections != 1)}")
    ]
    file.warnings += read.warnings
    file.remember_names()


def _planned(native: Any, number: int, name: str) -> PlannedBlock:
    from gnode_orm.files.neo_objects import unit_text

    counts = Counter({"segment": len(native.segments)})
    units: dict[str, None] = {}
    for segment in native.segments:
        for container, word in _WORDS.items():
            counts[word] += len(getattr(segment, container))
        for signal in (*segment.analogsignals, *segment.irregularlysampledsignals):
            units[unit_text(signal)] = None
    given = str(native.name or "").strip()
    words = [f"{count} {word}{'s' * (count != 1)}" for word, count in counts.items() if count]
    return PlannedBlock(number, given or name, ", ".join(words) or "nothing", tuple(units), native.rec_datetime)
