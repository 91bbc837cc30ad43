"""The command ``gc``: show what a lab keeps without any use, and remove it where that is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from gnode_orm.cli.options import ArraysOption, JsonOption, LabArgument
from gnode_orm.cli.output import say, write_json
from gnode_orm.cli.progress import progress_bar
from gnode_orm.cli.values import counted

if TYPE_CHECKING:
    from gnode_orm.stores.local.garbage import Garbage

_HoursOption = Annotated[
    float,
    typer.Option(
        "--older-than", min=1, metavar="HOURS", help="Leave alone what was sent or written in the last so many hours."
    ),
]
_RemoveOption = Annotated[bool, typer.Option("--remove", help="Remove what is shown without this option.")]
_NOUNS = {
    "arrays": "array",
    "files": "array file",
    "packs": "half-empty array file",
    "beside": "overview file",
    "uploads": "upload file",
    "temporary": "temporary file",
}


def gc(
    lab: LabArgument,
    older_than: _HoursOption = 24,
    remove: _RemoveOption = False,
    arrays: ArraysOption = None,
    json: JsonOption = False,
) -> None:
    """Show arrays that no version of any object names, and what crashed commits left; with --remove, remove them.

    History keeps all of its own. It may run beside commits and servers.
    """
    from gnode_orm.session.lab import default_arrays
    from gnode_orm.stores.local import open_local

    store = open_local(lab, create=False, readonly=not remove, arrays=arrays or default_arrays(lab))
    try:
        collector = store.collector(timedelta(hours=older_than))
        with progress_bar() as progress:
            found = collector.find(progress)
            if remove:
                found = collector.remove(found, progress)
    finally:
        store.close()
    if json:
        write_json({"lab": lab, "removed": remove, **found.counts, "bytes": found.nbytes})
    elif not found:
        say(f"Everything in {lab} is of use")
    elif remove:
        say(f"Removed {_described(found)}")
    else:
        say(f"Would remove {_described(found)}; gnode-orm gc {lab} --remove does it")


def _described(found: Garbage) -> str:
    counts = [counted(count, _NOUNS[name]) for name, count in found.counts.items() if count]
    return f"{', '.join(counts)} ({found.nbytes / 1e6:,.1f} MB)"
