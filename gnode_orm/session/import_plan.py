"""A plan of what an import would make, to look at, to edit, and to carry out."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from gnode_orm.core.progress import Progress
from gnode_orm.errors import FormatError, GnodeError, NotFound, ValidationFailed
from gnode_orm.files.path_text import path_text
from gnode_orm.session.import_result import ImportResult
from gnode_orm.session.imported import found_by_content, is_complete
from gnode_orm.session.importing import ImportOptions, import_one, is_metadata, name_of_block

if TYPE_CHECKING:
    from gnode_orm.files.recordings import Recording
    from gnode_orm.files.templates import Template
    from gnode_orm.session.session import Session

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]
Metadata = Mapping[str, Any] | Callable[[Path], Mapping[str, Any]] | None

_REFUSALS = (FormatError, NotFound, ValidationFailed)
# Where to change what a planned block only shows.
_WHERE = {"units": "the unit of the signals after the import", "recorded": "the timezone of the planned file"}


@dataclass(slots=True)
class PlannedBlock:
    """A block or document that an import would make.

    Attributes:
        number: which block of its file it is.
        name: what it will be called; may be changed.
        contents: what it holds, in words.
        units: units of its signals.
        recorded: when it was recorded, as far as the file says, with the time zone that was given.

    All but the name is what the file says, and cannot be set here.
    """

    number: int
    name: str
    contents: str
    units: tuple[str, ...] = ()
    recorded: dt.datetime | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name != "name" and hasattr(self, name):
            raise ValidationFailed(
                f"{name} of a planned block is what its file says; set {_WHERE.get(name, 'the name')} instead",
                field=name,
                value=value,
            )
        object.__setattr__(self, name, value)

    def __str__(self) -> str:
        units = f" ({', '.join(self.units)})" if self.units else ""
        recorded = "" if self.recorded is None else f", recorded {self.recorded}"
        return f"{self.name!r}: {self.contents}{units}{recorded}"


@dataclass(slots=True)
class PlannedFile:
    """One file of a plan.

    Attributes:
        path: the file, or the folder that is one recording.
        wanted: whether it will be imported; set it to leave the file out.
        reader, reader_options, timezone, keep_personal, keep_paths, raw, again, metadata: how it will be imported;
            may be changed.
        reader_name: the reader that took it.
        blocks: what would be made.
        warnings: what the reader reported and what was assumed.
        missing: properties that the template demands and the metadata does not give.
        problem: why it cannot be imported, or ``None``.
        present: where its content is in the lab already.
    """

    path: Path
    template: Template | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    timezone: str | dt.tzinfo | None = None
    reader: str | None = None
    reader_options: dict[str, Any] = field(default_factory=dict)
    keep_personal: bool = False
    keep_paths: bool = False
    raw: bool = False
    again: bool = False
    wanted: bool = True
    reader_name: str | None = None
    blocks: list[PlannedBlock] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    problem: str | None = None
    present: list[str] = field(default_factory=list)
    _names: list[str] = field(default_factory=list, repr=False)

    @property
    def missing(self) -> list[str]:
        """Properties that the template demands and the metadata does not give."""
        return [] if self.template is None or self.reader_name == "odml" else self.template.missing(self.metadata)

    def options(self, *, force: bool, again: bool) -> ImportOptions:
        """How it is imported."""
        pairs = zip(self.blocks, self._names, strict=True)
        names = {block.number: block.name for block, before in pairs if block.name != before}
        return ImportOptions(
            template=self.template,
            metadata=self.metadata,
            timezone=self.timezone,
            # Options are for one reader, so for the one that the plan shows.
            reader=self.reader or (self.reader_name if self.reader_options else None),
            reader_options=self.reader_options,
            keep_personal=self.keep_personal,
            keep_paths=self.keep_paths,
            raw=self.raw,
            force=force,
            again=again or self.again,
            names=names,
        )

    def remember_names(self) -> None:
        """Keep the names as they were planned, to know those that are edited."""
        self._names = [block.name for block in self.blocks]

    def lines(self) -> Iterator[str]:
        """Say what would happen, sign first: ``+`` import, ``=`` in the lab already, ``-`` left out, ``!`` fails."""
        if not self.wanted:
            yield f"- {path_text(self.path)}: left out"
        elif self.problem is not None:
            yield f"! {path_text(self.path)}: {self.problem}"
        elif self.present:
            yield f"= {path_text(self.path)}: in the lab already as {', '.join(self.present)}"
        else:
            yield f"{'!' if self.missing else '+'} {path_text(self.path)} ({self.reader_name})"
            yield from (f"    {block}" for block in self.blocks)
            yield from (f"    {key} = {value!r}" for key, value in self.metadata.items())
            yield from (f"    missing: {path}" for path in self.missing)
            yield from (f"    warning: {text}" for text in self.warnings)


class ImportPlan:
    """What an import would make of some files. Print it, edit its ``files``, then ``apply()`` it.

    Attributes:
        files: the files, in order.
        ignored: files in folders that no reader knows, with the reason.
    """

    def __init__(self, session: Session, files: list[PlannedFile], ignored: list[str]) -> None:
        self.files = files
        self.ignored = ignored
        self._session = session

    def apply(
        self,
        on_error: Literal["stop", "skip"] = "stop",
        *,
        force: bool = False,
        again: bool = False,
        progress: Progress | None = None,
    ) -> ImportResult:
        """Import the files that are wanted, one commit a block; the memory that it takes does not grow with them.

        A file whose content is in the lab by now is skipped, so that a plan that was interrupted can be made and
        applied again.

        Args:
            on_error: ``"stop"`` raises at the first file that fails, before anything is written where the plan knows
                of it; ``"skip"`` notes it in the result and goes on.
            force: leave out objects that have errors, instead of refusing the block.
            again: import what is in the lab already once more.
            progress: called with files done, files in all, and what is being done.

        Raises:
            FormatError, NotFound, ValidationFailed: a file failed, with ``on_error="stop"``.
        """
        if on_error not in ("stop", "skip"):
            raise ValidationFailed(f"on_error is 'stop' or 'skip', not {on_error!r}", field="on_error", value=on_error)
        self._session._check_writable()
        wanted = [file for file in self.files if file.wanted]
        if on_error == "stop":
            _refuse_known_problems(wanted)
        result = ImportResult()
        for number, file in enumerate(wanted):
            if progress is not None:
                progress(number, len(wanted), f"importing {path_text(file.path.name)}")
            try:
                result.take(file.path, self._import(file, force, again))
            except _REFUSALS as error:
                if on_error == "stop":
                    raise _with_progress(error, number) from error
                result.fail(file.path, str(error))
        if progress is not None:
            progress(len(wanted), len(wanted), "imported")
        return result

    def _import(self, file: PlannedFile, force: bool, again: bool) -> ImportResult:
        if file.missing:
            raise ValidationFailed(_missing(file))
        return import_one(self._session, file.path, file.options(force=force, again=again))

    def summary(self) -> str:
        """Count the files by what would happen to them."""
        counts = Counter(_fate(file) for file in self.files)
        told = ", ".join(f"{counts[fate]} {fate}" for fate in _FATES if counts[fate])
        return f"Import of {len(self.files)} file{'s' * (len(self.files) != 1)}: {told or 'nothing'}"

    def __iter__(self) -> Iterator[PlannedFile]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def __str__(self) -> str:
        lines = [self.summary()]
        for file in self.files:
            lines += file.lines()
        lines += [f"- {text}" for text in self.ignored]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{self.summary()}>"


def plan_import(
    session: Session,
    paths: Paths,
    *,
    template: str | PathLike[str] | None,
    metadata: Metadata,
    timezone: str | dt.tzinfo | None,
    reader: str | None,
    reader_options: Mapping[str, Any] | None,
    keep_personal: bool,
    keep_paths: bool,
    raw: bool,
    again: bool,
) -> ImportPlan:
    """Look at files, and give what an import of them would make."""
    from gnode_orm.files.discovery import discover
    from gnode_orm.files.templates import read_template

    read = None if template is None else read_template(template)
    files, ignored = [], []
    for found in discover(paths):
        if found.reason is not None:
            ignored.append(f"{path_text(found.path)}: {found.reason}")
            continue
        file = PlannedFile(
            found.path,
            read,
            _metadata_for(metadata, found.path),
            timezone,
            reader,
            dict(reader_options or {}),
            keep_personal,
            keep_paths,
            raw,
            again,
        )
        _look(session, file)
        files.append(file)
    return ImportPlan(session, files, ignored)


def import_file(
    session: Session,
    path: str | PathLike[str],
    *,
    template: str | PathLike[str] | None,
    metadata: Metadata,
    progress: Progress | None,
    **options: Any,
) -> ImportResult:
    """Import one file at once."""
    from gnode_orm.files.templates import read_template

    place = Path(path)
    read = None if template is None else read_template(template)
    return import_one(
        session, place, ImportOptions(template=read, metadata=_metadata_for(metadata, place), **options), progress
    )


def _metadata_for(metadata: Metadata, path: Path) -> dict[str, Any]:
    """Give the metadata of one file."""
    given = metadata(path) if callable(metadata) else metadata
    if given is None:
        return {}
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise ValidationFailed(f"metadata for {path} is {given!r}; give a dict of names and values", field="metadata")
    return dict(given)


# ---- looking at a file


def _look(session: Session, file: PlannedFile) -> None:
    from gnode_orm.files.fingerprint import fingerprint
    from gnode_orm.files.recognition import check_readable
    from gnode_orm.files.recordings import open_recording
    from gnode_orm.models import Block, Document

    try:
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
        with open_recording(
            file.path,
            reader=file.reader,
            reader_options=file.reader_options,
            timezone=file.timezone,
            keep_personal=file.keep_personal,
            keep_paths=file.keep_paths,
            raw=True,  # samples can wait
        ) as recording:
            _look_at_recording(file, recording)
    except _REFUSALS as error:
        file.problem = str(error).removeprefix(f"{path_text(file.path)}: ")


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


_WORDS = {
    "analogsignals": "signal",
    "irregularlysampledsignals": "irregular signal",
    "imagesequences": "image sequence",
    "spiketrains": "spike train",
    "events": "event",
    "epochs": "epoch",
}
_FATES = ("to import", "in the lab already", "left out", "with problems")


def _fate(file: PlannedFile) -> str:
    if not file.wanted:
        return "left out"
    if file.problem is not None or (file.missing and not file.present):
        return "with problems"
    return "in the lab already" if file.present else "to import"


# ---- errors


def _refuse_known_problems(files: list[PlannedFile]) -> None:
    bad = [file for file in files if _fate(file) == "with problems"]
    if not bad:
        return
    first = bad[0]
    why = f"{path_text(first.path)}: {first.problem}" if first.problem else _missing(first)
    more = f", and {len(bad) - 1} more files with problems" if len(bad) > 1 else ""
    raise FormatError(f"{why}{more}; nothing was imported. Set wanted=False on them, or apply with on_error='skip'")


def _missing(file: PlannedFile) -> str:
    assert file.template is not None
    demanded = ", ".join(file.missing)
    return f"{path_text(file.path)}: the template {file.template.path.name} demands {demanded}; give it with metadata="


def _with_progress(error: GnodeError, done: int) -> FormatError:
    return FormatError(f"{error}; {done} files before it were done, those after it were not tried")
