"""The commands ``share`` and ``unshare``: access lists of blocks and documents."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gnode_orm.cli.failures import WrongUse
from gnode_orm.cli.lab_access import find, location_of, open_session
from gnode_orm.cli.options import JsonOption, LabOption, LocationArgument, UserOption
from gnode_orm.cli.output import say, write_json
from gnode_orm.cli.values import name_of, short

WithArgument = Annotated[str, typer.Argument(metavar="USER", help="Name of the other user.")]
LevelArgument = Annotated[str, typer.Argument(metavar="LEVEL", help="read or write.")]

_LEVELS = ("read", "write")
_ROOTS = ("block", "document")


def share(
    location: LocationArgument,
    other: WithArgument,
    level: LevelArgument = "read",
    lab: LabOption = None,
    user: UserOption = None,
    json: JsonOption = False,
) -> None:
    """Give a user access to a block or document and everything below it, at once."""
    if level not in _LEVELS:
        raise WrongUse(f"{level!r} is no level; use read or write")
    _check_root(location)
    with open_session(lab, user) as session:
        obj = find(session, location)
        session.share(obj, other, level)
        _print(obj, session.access(obj), as_json=json)


def unshare(
    location: LocationArgument,
    other: WithArgument,
    lab: LabOption = None,
    user: UserOption = None,
    json: JsonOption = False,
) -> None:
    """Take the access of a user back, at once."""
    _check_root(location)
    with open_session(lab, user) as session:
        obj = find(session, location)
        session.unshare(obj, other)
        _print(obj, session.access(obj), as_json=json)


def _check_root(text: str) -> None:
    location = location_of(text)
    if location.kind not in _ROOTS:
        raise WrongUse(f"{short(location)} cannot be shared by itself; share its block or document")


def _print(obj: Any, access: dict[str, str], *, as_json: bool) -> None:
    if as_json:
        write_json({"location": obj.location, "access": access})
        return
    listed = ", ".join(f"{name} ({level})" for name, level in access.items()) or "nobody"
    say(f"{short(obj.location)} {name_of(obj)} is shared with {listed}")
