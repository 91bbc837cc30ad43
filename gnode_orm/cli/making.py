"""The command ``init``: make a lab."""

from __future__ import annotations

from typing import Annotated

import typer

from gnode_orm.cli.failures import WrongUse
from gnode_orm.cli.lab_access import open_accounts
from gnode_orm.cli.options import ArraysOption
from gnode_orm.cli.output import note, say

LabArgument = Annotated[str, typer.Argument(metavar="LAB", help="A new or empty folder, or a database address.")]


LevelOption = Annotated[
    str | None,
    typer.Option(
        "--default-level",
        metavar="LEVEL",
        help="Who reads what is made through a server: private, friendly (every account of the lab) or public.",
        show_default=False,
    ),
]

LEVELS = {"public": 1, "friendly": 2, "private": 3}


def init(lab: LabArgument, default_level: LevelOption = None, arrays: ArraysOption = None) -> None:
    """Make a lab. One that is there already stays as it is, but for the level that is given."""
    from gnode_orm.session import Session

    if default_level is not None and default_level not in LEVELS:
        raise WrongUse(f"{default_level!r} is no level; use private, friendly or public")
    existed = exists(lab, arrays)
    with Session(lab, arrays=arrays) as session:
        changed = "nothing was changed" if default_level is None else f"its level is {default_level} now"
        say(f"{session.store.target} is a lab already; {changed}" if existed else f"Made a lab at {lab}")
    if default_level is not None:
        with open_accounts(lab, arrays) as accounts:
            accounts.set_default_level(LEVELS[default_level])
    note(f"Bring in recordings: gnode-orm import FILES... --lab {lab}")


def exists(lab: str, arrays: str | None = None) -> bool:
    """Tell whether there is a lab; other errors than that there is none pass through."""
    from gnode_orm.errors import NotFound
    from gnode_orm.session import Session

    try:
        Session(lab, create=False, readonly=True, arrays=arrays).close()
    except NotFound:
        return False
    return True
