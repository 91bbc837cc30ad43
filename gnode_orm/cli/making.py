"""The command ``init``: make a lab."""

from __future__ import annotations

from typing import Annotated

import typer

from gnode_orm.cli.output import note, say

LabArgument = Annotated[str, typer.Argument(metavar="LAB", help="A new or empty folder, or a database address.")]


def init(lab: LabArgument) -> None:
    """Make a lab. One that is there already stays as it is."""
    from gnode_orm.session import Session

    existed = exists(lab)
    with Session(lab) as session:
        say(f"{session.store.target} is a lab already; nothing was changed" if existed else f"Made a lab at {lab}")
    note(f"Bring in recordings: gnode-orm import FILES... --lab {lab}")


def exists(lab: str) -> bool:
    """Tell whether there is a lab; other errors than that there is none pass through."""
    from gnode_orm.errors import NotFound
    from gnode_orm.session import Session

    try:
        Session(lab, create=False, readonly=True).close()
    except NotFound:
        return False
    return True
