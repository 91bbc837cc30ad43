"""The command ``import``: recordings and odML files into a lab, one commit a block or document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gnode_orm.cli.failures import FAILED, fail
from gnode_orm.cli.lab_access import open_session
from gnode_orm.cli.listing import block_contents, in_words
from gnode_orm.cli.options import JsonOption, LabOption, UserOption
from gnode_orm.cli.output import note, say, stderr, write_json
from gnode_orm.cli.values import counted, name_of, short
from gnode_orm.cli.wording import in_options
from gnode_orm.errors import FormatError, NotFound, ValidationFailed

if TYPE_CHECKING:
    from gnode_orm.session import Session

Progress = Callable[[int, int, str], None]


FilesArgument = Annotated[
    list[str],
    typer.Argument(metavar="FILES", help="Recordings or odML files, or folders that are one recording each."),
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


def import_files(
    files: FilesArgument,
    lab: LabOption = None,
    user: UserOption = None,
    reader: ReaderOption = None,
    timezone: ZoneOption = None,
    keep_personal: PersonalOption = False,
    json: JsonOption = False,
) -> None:
    """Import recordings and odML files; each block or document is one commit, all of it or nothing."""
    options = {"reader": reader, "timezone": timezone, "keep_personal": keep_personal}
    with open_session(lab, user) as session:
        found = [_import(session, file, options, quiet=json) for file in files]
    if json:
        write_json(found)
    failed = sum(bool(item["failed"]) for item in found)
    if len(files) > 1 and not json:
        stored = sum(len(item["blocks"]) + len(item["documents"]) for item in found)
        note(f"{counted(len(files), 'file')}: {stored:,} blocks and documents stored, {failed:,} with errors")
    if failed:
        raise typer.Exit(FAILED)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show on a terminal how far the import of a file is; elsewhere the lines of results say it."""
    console = stderr()
    if not console.is_terminal:
        yield _silent
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, total: int, text: str) -> None:
            bar.update(task, completed=done, total=total, description=text)

        yield show


def stored_line(session: Session, obj: Any) -> str:
    """Say in one line what an import stored."""
    from gnode_orm.cli.listing import document_contents

    if obj.kind == "block":
        what = in_words(block_contents(session, obj))
    else:
        what = counted(document_contents(session, obj)["sections"], "section")
    return "  ".join(part for part in (short(obj.location), name_of(obj), what) if part)


def _import(session: Session, file: str, options: dict[str, Any], *, quiet: bool) -> dict[str, Any]:
    """Import one file; what cannot be read is told, and does not keep the others from being imported."""
    try:
        with progress_bar() as progress:
            result = session.import_file(Path(file), **options, progress=progress)
    except (FormatError, NotFound, ValidationFailed) as error:
        fail(str(error))
        return {"file": file, "blocks": [], "documents": [], "skipped": [], "failed": [str(error)], "warnings": []}
    stored = [*result.blocks, *result.documents]
    if not quiet:
        for obj in stored:
            say(f"{file}  {stored_line(session, obj)}")
    for message in result.skipped:
        note(f"{file}: skipped: {message}", style="yellow")
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


def _silent(done: int, total: int, text: str) -> None:
    """Show nothing."""
