"""The command ``upgrade``: bring an older lab to the format of this version."""

from __future__ import annotations

from dataclasses import asdict

from gnode_orm.cli.options import ArraysOption, JsonOption, LabArgument
from gnode_orm.cli.output import note, say, write_json


def upgrade(lab: LabArgument, arrays: ArraysOption = None, json: JsonOption = False) -> None:
    """Bring an older lab to the format of this version. Its database is copied first. Stop what uses it."""
    from gnode_orm.session.lab import default_arrays
    from gnode_orm.stores.local import upgrading

    done = upgrading.upgrade(lab, arrays=arrays or default_arrays(lab))
    if json:
        write_json(asdict(done))
    elif done.copy is None:
        say(f"{lab} has format {done.after} already; nothing was changed")
    else:
        say(f"Brought {lab} from format {done.before} to format {done.after}")
        note(f"The database as it was is kept in {done.copy}; remove it when the lab is found in order")
