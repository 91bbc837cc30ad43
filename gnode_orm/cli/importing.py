"""The command ``import``: recordings and odML files into a lab, one commit a block or document."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gnode_orm.cli.failures import FAILED, WrongUse, fail
from gnode_orm.cli.lab_access import open_session
from gnode_orm.cli.listing import block_contents, in_words
from gnode_orm.cli.options import JsonOption, LabOption, UserOption
from gnode_orm.cli.output import note, say, write_json
from gnode_orm.cli.progress import progress_bar
from gnode_orm.cli.values import counted, name_of, short
from gnode_orm.cli.wording import in_options
from gnode_orm.errors import FormatError, NotFound, ValidationFailed
from gnode_orm.files.path_text import path_text

if TYPE_CHECKING:
    from gnode_orm.session import Session
    from gnode_orm.session.importing.planned_file import PlannedFile

FilesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES", help="Recordings or odML files, folders that are one recording, or folders of them."
    ),
]
ReaderOption = Annotated[
    str | None,
    typer.Option("--reader", metavar="NAME", help="Use this reader of neo, such as AxonIO.", show_default=False),
]
ZoneOption = Annotated[
    str | None,
    typer.Option(
        "--timezone", metavar="ZONE", help="Where it was recorded, such as Europe/Berlin.", show_default=False
    ),
]
PersonalOption = Annotated[
    bool, typer.Option("--keep-personal", help="Keep name, birth date and the like of a person.")
]
TemplateOption = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="FILE",
        help="An odML file that becomes a document beside each block, or a TOML file that says what must be there.",
        show_default=False,
    ),
]
MetadataOption = Annotated[
    list[str],
    typer.Option(
        "--metadata",
        metavar="NAME=VALUE",
        help="A value for the template, or for an annotation of each block; may be repeated.",
    ),
]
ReaderOptionsOption = Annotated[
    list[str],
    typer.Option(
        "--reader-option",
        metavar="NAME=VALUE",
        help="An argument for the reader, such as gap_tolerance_ms=0.5 or sampling_rate='20 kHz'; may be repeated.",
    ),
]
PathsOption = Annotated[bool, typer.Option("--keep-paths", help="Keep the folders of files, not their names alone.")]
RawOption = Annotated[bool, typer.Option("--raw", help="Store the integers of the file with gain and offset.")]
ForceOption = Annotated[bool, typer.Option("--force", help="Leave out objects that have errors, and list them.")]
AgainOption = Annotated[bool, typer.Option("--again", help="Import what is in the lab already once more.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be made, and store nothing.")]
ValidateOption = Annotated[bool, typer.Option("--validate-only", help="Check the files, and store nothing.")]


def import_files(
    files: FilesArgument,
    lab: LabOption = None,
    user: UserOption = None,
    reader: ReaderOption = None,
    reader_option: ReaderOptionsOption = [],  # noqa: B006  # Typer makes a new list for each call
    timezone: ZoneOption = None,
    template: TemplateOption = None,
    metadata: MetadataOption = [],  # noqa: B006  # Typer makes a new list for each call
    raw: RawOption = False,
    keep_personal: PersonalOption = False,
    keep_paths: PathsOption = False,
    force: ForceOption = False,
    again: AgainOption = False,
    dry_run: DryRunOption = False,
    validate_only: ValidateOption = False,
    json: JsonOption = False,
) -> None:
    """Import recordings and odML files; each block or document is one commit, all of it or nothing.

    What is in the lab already, by its content, is skipped.
    """
    options: dict[str, Any] = {
        "reader": reader,
        "timezone": timezone,
        "template": template,
        "metadata": _pairs(metadata, "--metadata", "mouse=m001"),
        "reader_options": {
            name: _value(text) for name, text in _pairs(reader_option, "--reader-option", "units=mV").items()
        },
        "raw": raw,
        "keep_personal": keep_personal,
        "keep_paths": keep_paths,
    }
    _check_names(reader, timezone, options["reader_options"])
    if validate_only:
        return _judge(files, options, json=json)
    with open_session(lab, user) as session:
        if dry_run:
            return _show_plan(session, files, {**options, "again": again}, json=json)
        _import_all(session, files, {**options, "force": force, "again": again}, json=json)


def _check_names(reader: str | None, timezone: str | None, reader_options: dict[str, Any]) -> None:
    """Refuse what no file can be read with, before the first one is opened."""
    from gnode_orm.files.assumptions import zone_named
    from gnode_orm.files.recordings import check_reader

    if reader_options and reader is None:
        raise WrongUse(f"--reader-option {', '.join(reader_options)}: name the reader that it is for with --reader")
    try:
        zone_named(timezone)
        if reader is not None:
            check_reader(reader)
    except ValidationFailed as error:
        raise WrongUse(str(error)) from None


def _judge(files: list[str], options: dict[str, Any], *, json: bool) -> None:
    from gnode_orm.cli.validating import report_on
    from gnode_orm.files.templates import read_template
    from gnode_orm.session.importing.judging import judge
    from gnode_orm.session.importing.options import ImportOptions

    given: dict[str, Any] = {**options, "template": options["template"] and read_template(options["template"])}
    report_on(files, lambda path: judge(path, ImportOptions(**given)), json=json)


def _import_all(session: Session, files: list[str], options: dict[str, Any], *, json: bool) -> None:
    from gnode_orm.files.discovery import discover

    found = []
    for item in discover(files):
        if item.reason is not None:
            note(f"{path_text(item.path)}: not imported: {item.reason}", style="dim")
        else:
            found.append(_import(session, item.path, options, quiet=json))
    if json:
        write_json(found)
    failed = sum(bool(item["failed"]) for item in found)
    if len(found) > 1 and not json:
        stored = sum(len(item["blocks"]) + len(item["documents"]) for item in found)
        skipped = sum(bool(item["skipped"]) for item in found)
        also = f", {skipped:,} skipped" if skipped else ""
        note(f"{counted(len(found), 'file')}: {stored:,} blocks and documents stored{also}, {failed:,} with errors")
    if failed:
        raise typer.Exit(FAILED)


def _show_plan(session: Session, files: list[str], options: dict[str, Any], *, json: bool) -> None:
    plan = session.plan_import(files, **options)
    if json:
        write_json([_planned(file) for file in plan])
    else:
        say(in_options(str(plan)))
    if any(file.problem or file.missing for file in plan):
        raise typer.Exit(FAILED)


def _planned(file: PlannedFile) -> dict[str, Any]:
    return {
        "file": path_text(file.path),
        "reader": file.reader_name,
        "blocks": [asdict(block) for block in file.blocks],
        "present": file.present,
        "missing": file.missing,
        "problem": file.problem,
        "warnings": file.warnings,
    }


def _pairs(given: list[str], option: str, example: str) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, found, value = text.partition("=")
        if not found or not name:
            raise WrongUse(f"{option} {text}: write NAME=VALUE, such as {example}")
        pairs[name] = value
    return pairs


def _value(text: str) -> Any:
    """Read a value as JSON (a number, true, a list), as a quantity with its unit, or else as the text that it is."""
    import json

    from gnode_orm.core.quantity import quantity

    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return quantity(text, None)
    except ValidationFailed:
        return text


def stored_line(session: Session, obj: Any) -> str:
    """Say in one line what an import stored."""
    if obj.kind == "block":
        what = in_words(block_contents(session, [obj])[obj.location])
    else:
        what = counted(len(obj.sections), "section")
    return "  ".join(part for part in (short(obj.location), name_of(obj), what) if part)


def _import(session: Session, path: Path, options: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Import one file; what cannot be read is told, and does not keep the others from being imported."""
    file = path_text(path)
    try:
        with progress_bar() as progress:
            result = session.import_file(path, **options, progress=progress)
    except (FormatError, NotFound, ValidationFailed) as error:
        fail(str(error))
        return {"file": file, "blocks": [], "documents": [], "skipped": [], "failed": [str(error)], "warnings": []}
    stored = [*result.blocks, *result.documents]
    if not quiet:
        for obj in stored:
            say(f"{file}  {stored_line(session, obj)}")
    for message in result.skipped:
        note(f"{file}: skipped: {in_options(message)}", style="yellow")
    for message in result.warnings:
        note(f"{file}: warning: {in_options(message).removeprefix('warning ')}", style="yellow")
    for message in result.failed:
        fail(f"{file}: {message}")
    return {
        "file": file,
        "blocks": [block.location for block in result.blocks],
        "documents": [document.location for document in result.documents],
        "skipped": result.skipped,
        "failed": result.failed,
        "warnings": result.warnings,
    }
