"""The command ``export``: an object and everything below it as a file of neo or odML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gnode_orm.cli.lab_access import find, open_session
from gnode_orm.cli.options import JsonOption, LabOption, LocationArgument, UserOption
from gnode_orm.cli.output import say, write_json
from gnode_orm.cli.progress import progress_bar
from gnode_orm.cli.values import name_of, short

FileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="The suffix decides: .nix, .nwb, .mat, .pkl or .csv; .odml, .xml, .json or .yaml."
    ),
]
ReplaceOption = Annotated[bool, typer.Option("--replace", help="Replace the file where there is one.")]


def export(
    location: LocationArgument,
    file: FileArgument,
    lab: LabOption = None,
    user: UserOption = None,
    replace: ReplaceOption = False,
    json: JsonOption = False,
) -> None:
    """Write an object and everything below it to a file, and say what the file cannot hold."""
    with open_session(lab, user, readonly=True) as session:
        obj = find(session, location)
        with progress_bar() as progress:
            losses = session.export(obj, file, replace=replace, progress=progress)
        if json:
            write_json({"file": str(file), "location": obj.location, "losses": losses})
            return
        say(f"Wrote {short(obj.location)} {name_of(obj)} to {file}")
        if losses:
            say("Read back, it differs from the lab:")
        else:
            say("Read back, it is the same as in the lab", style="green")
        for loss in losses:
            say(f"  {loss}", style="yellow")
