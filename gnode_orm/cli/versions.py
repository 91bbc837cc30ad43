"""The command ``history``: every version of an object."""

from __future__ import annotations

import json as json_text
from typing import Any

from gnode_orm.cli.lab_access import location_of, open_session
from gnode_orm.cli.options import JsonOption, LabOption, LocationArgument, UserOption
from gnode_orm.cli.output import Column, write_json, write_table
from gnode_orm.cli.values import moment, text_of
from gnode_orm.core.typed_json import encode

_CHANGES_SHOWN = 4


def history(
    location: LocationArgument, lab: LabOption = None, user: UserOption = None, json: JsonOption = False
) -> None:
    """List every version of an object, oldest first: when, by whom, and what changed."""
    address = location_of(location)
    with open_session(lab, user, readonly=True) as session:
        versions = session.history(address)
        if json:
            write_json([_as_json(version) for version in versions])
            return
        rows = [
            [moment(version.time), version.user, version.commit[:8], _changes(version, first=number == 0),
             version.message or ""]
            for number, version in enumerate(versions)
        ]  # fmt: skip
        write_table([Column(name) for name in ("time", "user", "commit", "changes", "message")], rows)


def _changes(version: Any, *, first: bool) -> str:
    if version.deleted:
        return "deleted"
    if first:
        return "created"
    changes = [
        f"{name}: {text_of(old) or 'nothing'} → {text_of(new) or 'nothing'}"
        for name, (old, new) in version.changes.items()
    ]
    more = len(changes) - _CHANGES_SHOWN
    return "; ".join(changes[:_CHANGES_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _as_json(version: Any) -> dict[str, Any]:
    return {
        "commit": version.commit,
        "time": version.time,
        "user": version.user,
        "message": version.message,
        "deleted": version.deleted,
        "changes": {name: {"old": _plain(old), "new": _plain(new)} for name, (old, new) in version.changes.items()},
    }


def _plain(value: Any) -> Any:
    """Give a value as JSON can hold it."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict | list | tuple):
        return json_text.loads(encode(value))
    return str(value) if isinstance(value, str) else text_of(value, length=10_000)
