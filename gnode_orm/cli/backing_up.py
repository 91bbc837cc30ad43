"""The command ``backup``: write a lab that may be in use into one file."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from gnode_orm.cli.options import ArraysOption, JsonOption, LabArgument
from gnode_orm.cli.output import say, write_json
from gnode_orm.cli.progress import progress_bar
from gnode_orm.cli.values import counted

_FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="A new file, such as lab.tar.", show_default=False)]


def backup(lab: LabArgument, file: _FileArgument, arrays: ArraysOption = None, json: JsonOption = False) -> None:
    """Write a lab into one file, as it is at one commit. It may be in use; others write on meanwhile."""
    from gnode_orm.session.lab import default_arrays
    from gnode_orm.stores.local import backup as backups

    with progress_bar() as progress:
        made = backups.backup(lab, file, arrays=arrays or default_arrays(lab), progress=progress)
    if json:
        write_json({"lab": lab, "file": file, **asdict(made)})
    else:
        say(f"Wrote {lab} to {file}: {counted(made.arrays, 'array file')}, {made.nbytes / 1e6:,.1f} MB")
