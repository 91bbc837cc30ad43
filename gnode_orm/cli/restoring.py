"""The command ``restore``: make a lab from a backup."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from gnode_orm.cli.options import ArraysOption, JsonOption
from gnode_orm.cli.output import say, write_json
from gnode_orm.cli.progress import progress_bar
from gnode_orm.cli.values import counted

_FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="What gnode-orm backup wrote.", show_default=False)]
_NewLabArgument = Annotated[
    str, typer.Argument(metavar="LAB", help="A new folder, or the address of an empty database.", show_default=False)
]


def restore(file: _FileArgument, lab: _NewLabArgument, arrays: ArraysOption = None, json: JsonOption = False) -> None:
    """Make a lab from a backup, every file checked against its hash. What is there already is never overwritten."""
    from gnode_orm.session.lab import default_arrays
    from gnode_orm.stores.local import restoring

    with progress_bar() as progress:
        made = restoring.restore(file, lab, arrays=arrays or default_arrays(lab), progress=progress)
    if json:
        write_json({"lab": lab, "file": file, **asdict(made)})
    else:
        size = f"{counted(made.arrays, 'array file')}, {made.nbytes / 1e6:,.1f} MB"
        say(f"Restored {lab} as it was at {made.taken}: {size}")
