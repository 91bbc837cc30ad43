"""The command ``gc``: remove what a lab keeps without any use. Shows, asks, and can only show."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from gnode_orm.cli.failures import FAILED
from gnode_orm.cli.options import ArraysOption, DryRunOption, JsonOption, LabArgument, YesOption
from gnode_orm.cli.output import note, say, write_json
from gnode_orm.cli.values import counted

if TYPE_CHECKING:
    from gnode_orm.stores.local.garbage import Garbage

_HoursOption = Annotated[
    float,
    typer.Option(
        "--older-than", min=1, metavar="HOURS", help="Leave alone what was sent or written in the last so many hours."
    ),
]
_NOUNS = {
    "arrays": "array",
    "files": "array file",
    "beside": "overview file",
    "uploads": "upload file",
    "temporary": "temporary file",
}


def gc(
    lab: LabArgument,
    older_than: _HoursOption = 24,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    arrays: ArraysOption = None,
    json: JsonOption = False,
) -> None:
    """Remove arrays that no version of any object names, and what crashed commits left. History keeps all of its own.

    It may run beside commits and servers.
    """
    from gnode_orm.session.lab import default_arrays
    from gnode_orm.stores.local import open_local

    store = open_local(lab, create=False, readonly=dry_run, arrays=arrays or default_arrays(lab))
    try:
        collector = store.collector(timedelta(hours=older_than))
        found = collector.find()
        agreed = bool(found) and not dry_run and (yes or _agreed(lab, found))
        if agreed:
            found = collector.remove(found)
    finally:
        store.close()
    if json:
        write_json({"lab": lab, "removed": agreed, **found.counts, "bytes": found.nbytes})
    elif not found and not agreed:
        say(f"Everything in {lab} is of use")
    elif agreed or dry_run:
        say(f"{'Removed' if agreed else 'Would remove'} {_described(found)}")
    else:
        note("Nothing was removed")
    if found and not agreed and not dry_run:
        raise typer.Exit(FAILED)


def _agreed(lab: str, found: Garbage) -> bool:
    """Ask; no answer, and an interrupt, mean no."""
    try:
        return typer.confirm(f"Remove {_described(found)} from {lab}?", err=True)
    except typer.Abort:
        note("")
        return False


def _described(found: Garbage) -> str:
    counts = [counted(count, _NOUNS[name]) for name, count in found.counts.items() if count]
    return f"{', '.join(counts) or 'nothing'} ({found.nbytes / 1e6:,.1f} MB)"
