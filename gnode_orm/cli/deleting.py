"""The command ``delete``: asks with counts, refuses what would orphan children, can only show."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gnode_orm.cli.failures import FAILED
from gnode_orm.cli.lab_access import find, open_session
from gnode_orm.cli.options import DryRunOption, JsonOption, LabOption, LocationArgument, UserOption, YesOption
from gnode_orm.cli.output import note, say, write_json
from gnode_orm.cli.values import counted, name_of, short

CascadeOption = Annotated[bool, typer.Option("--cascade", help="Delete what hangs below it as well.")]


def delete(
    location: LocationArgument,
    cascade: CascadeOption = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    lab: LabOption = None,
    user: UserOption = None,
    json: JsonOption = False,
) -> None:
    """Delete an object; with --cascade everything below it too. Earlier versions stay in the history."""
    with open_session(lab, user) as session:
        obj = find(session, location)
        preview = session.preview_delete(obj)
        what = _described(obj, preview)
        session.delete(obj, cascade=cascade)
        done = not dry_run and (yes or _agreed(what))
        if done:
            session.commit(f"delete {short(obj.location)}")
        else:
            session.rollback()
        if json:
            write_json(
                {"location": location, "deleted": done, "children": preview.children, "unlinked": preview.unlinked}
            )
        elif done:
            say(f"Deleted {what}")
        elif dry_run:
            say(f"Would delete {what}")
        else:
            note("Nothing was deleted")
    if not done and not dry_run:
        raise typer.Exit(FAILED)


def _agreed(what: str) -> bool:
    """Ask; no answer, and an interrupt, mean no."""
    try:
        return typer.confirm(f"Delete {what}?", err=True)
    except typer.Abort:
        note("")
        return False


def _described(obj: Any, preview: Any) -> str:
    from gnode_orm.core.schema import SCHEMA

    def listed(counts: dict[str, int]) -> str:
        return ", ".join(f"{number:,} {SCHEMA[kind].class_name}" for kind, number in counts.items())

    text = f"{short(obj.location)} {name_of(obj)}".rstrip()
    if preview.children:
        text += f" with {listed(preview.children)} below it"
    if preview.unlinked:
        text += f" (links of {listed(preview.unlinked)} to it become empty)"
    others = {name: count for name, count in preview.owners.items() if name != obj.owner}
    if others:
        text += ", of these " + ", ".join(
            f"{counted(count, 'object')} made by {name}" for name, count in others.items()
        )
    return text
