"""History: every version of an object, and sessions that see the past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gnode_orm.core.changes import VersionRow
from gnode_orm.core.codec import from_columns
from gnode_orm.core.instants import from_microseconds, microseconds
from gnode_orm.core.schema import META_COLUMNS, SCHEMA, FieldSpec, FieldType
from gnode_orm.errors import NotFound, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.stores.protocol import Store


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object.

    Attributes:
        commit: id of the commit that wrote it.
        time: when, aware UTC.
        user: by whom.
        message: the commit's message.
        changes: ``field -> (old, new)``; for the first version every field that was set.
        deleted: whether the commit deleted the object.
    """

    commit: str
    time: datetime
    user: str
    message: str | None
    changes: dict[str, tuple[Any, Any]]
    deleted: bool

    def __str__(self) -> str:
        what = "deleted" if self.deleted else ", ".join(self.changes) or "no field"
        note = f" ({self.message})" if self.message else ""
        return f"{self.time:%Y-%m-%d %H:%M:%S} {self.user}: {what}{note}"


def versions(store: Store, location: Location, user: str) -> list[Version]:
    """Give every version of an object, oldest first.

    Raises:
        NotFound: there never was such an object, or the user may not see it.
    """
    rows = store.history(location.kind, location.number, user)
    if not rows:
        raise NotFound(f"{location} does not exist, or is not shared with {user}")
    found: list[Version] = []
    before: VersionRow | None = None
    for row in rows:
        changes = {} if row.row is None else _differences(location.kind, before, row, store)
        time = from_microseconds(row.version)
        found.append(Version(row.commit, time, row.user, row.message, changes, row.row is None))
        before = row
    return found


def version_of(store: Store, at: Any) -> int | None:
    """Turn ``at=`` into a version: an aware datetime, a ``Commit`` or a commit's id; ``None`` means now.

    Raises:
        ValidationFailed: the datetime has no time zone.
        NotFound: the lab has no such commit.
    """
    if at is None:
        return None
    if isinstance(at, datetime):
        if at.tzinfo is None:
            raise ValidationFailed(
                f"at={at!r} has no time zone; write for instance datetime(..., tzinfo=UTC)", value=at
            )
        return microseconds(at)
    commit = at if isinstance(at, str) else getattr(at, "id", None) or getattr(at, "commit", None)
    version = store.version_at(commit) if isinstance(commit, str) else None
    if version is None:
        raise NotFound(f"at={at!r} is neither an aware datetime nor a commit of this lab")
    return version


def _differences(kind: str, before: VersionRow | None, now: VersionRow, store: Store) -> dict[str, tuple[Any, Any]]:
    changes: dict[str, tuple[Any, Any]] = {}
    start = len(META_COLUMNS)
    for spec in SCHEMA[kind].fields:
        part = slice(start, start + len(spec.read_columns))
        start = part.stop
        old = (None,) * len(spec.read_columns) if before is None or before.row is None else before.row[part]
        new = now.row[part] if now.row is not None else old
        if old != new:
            changes[spec.name] = (_value(spec, old, store), _value(spec, new, store))
    return changes


def _value(spec: FieldSpec, columns: tuple[Any, ...], store: Store) -> Any:
    if spec.type is not FieldType.REF:
        return from_columns(spec, columns, store)
    assert spec.target is not None
    return None if columns[0] is None else Location.of_number(spec.target, columns[0])
