"""The command ``validate``: judge files without storing anything."""

from __future__ import annotations

import json as json_text
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gnode_orm.cli.failures import FAILED
from gnode_orm.cli.options import JsonOption
from gnode_orm.cli.output import Column, note, say, write_json, write_table
from gnode_orm.cli.values import counted
from gnode_orm.cli.wording import in_options
from gnode_orm.files.path_text import path_text

if TYPE_CHECKING:
    from gnode_orm.files.validation import Issue, Report

FilesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILES", help="Recordings or odML files, folders that are one recording, or folders of them."
    ),
]
TemplateOption = Annotated[
    str | None,
    typer.Option(
        "--template", metavar="FILE", help="An odML or TOML file that says what must be there.", show_default=False
    ),
]
_COLUMNS = (
    Column("severity", whole=True),
    Column("code", whole=True),
    Column("count", right=True),
    Column("first at"),
    Column("value"),
    Column("message"),
    Column("remedy"),
)


def validate(files: FilesArgument, template: TemplateOption = None, json: JsonOption = False) -> None:
    """Check recordings and odML files for what an import would refuse or doubt; nothing is stored."""
    from gnode_orm.files.templates import read_template
    from gnode_orm.files.validation import validate as judge

    rules = None if template is None else read_template(template)
    report_on(files, lambda path: judge(path, template=rules), json=json)


def report_on(files: list[str], judge: Callable[[Path], Report], *, json: bool) -> None:
    """Print what is wrong with files, and end with status 1 where there are errors."""
    from gnode_orm.files.discovery import discover

    reports = []
    for found in discover(files):
        if found.reason is not None:
            note(f"{path_text(found.path)}: not checked: {found.reason}", style="dim")
            continue
        reports.append(judge(found.path))
        if not json:
            _print(reports[-1])
    if json:
        write_json([json_text.loads(report.to_json()) for report in reports])
    if not all(report.ok for report in reports):
        raise typer.Exit(FAILED)


def _print(report: Report) -> None:
    if not report.issues:
        say(f"{report.subject}: no errors, no warnings", style="green")
        return
    found = f"{counted(len(report.errors), 'error')}, {counted(len(report.warnings), 'warning')}"
    say(f"{report.subject}: {found}", style="yellow" if report.ok else "red")
    write_table(_COLUMNS, [_row(group) for group in report.groups()])


def _row(group: list[Issue]) -> tuple[str, ...]:
    first = group[0]
    count = "" if len(group) == 1 else f"{len(group):,}"
    remedy = in_options(first.remedy)
    return first.severity, first.code, count, first.path, first.value or "", in_options(first.message), remedy
