"""The command ``validate``: judge files without storing anything."""

from __future__ import annotations

import json as json_text
from typing import TYPE_CHECKING, Annotated

import typer

from gnode_orm.cli.failures import FAILED
from gnode_orm.cli.options import JsonOption
from gnode_orm.cli.output import say, write_json
from gnode_orm.cli.values import counted

if TYPE_CHECKING:
    from gnode_orm.files.validation import Report

FilesArgument = Annotated[
    list[str], typer.Argument(metavar="FILES", help="Recordings or odML files, or folders that are one recording.")
]
_STYLES = {"error": "red", "warning": "yellow"}


def validate(files: FilesArgument, json: JsonOption = False) -> None:
    """Check recordings and odML files for what an import would refuse or doubt; nothing is stored."""
    from gnode_orm.files.validation import validate as judge

    reports = [judge(file) for file in files]
    if json:
        write_json([json_text.loads(report.to_json()) for report in reports])
    else:
        for report in reports:
            _print(report)
    if not all(report.ok for report in reports):
        raise typer.Exit(FAILED)


def _print(report: Report) -> None:
    if not report.issues:
        say(f"{report.subject}: no errors, no warnings", style="green")
        return
    say(f"{report.subject}: {counted(len(report.errors), 'error')}, {counted(len(report.warnings), 'warning')}")
    for line in report.summary():
        say(f"  {line}", style=_STYLES[line.split(" ", 1)[0]])
