"""Change sets as messages: one JSON, and the bytes of the small arrays behind it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gnode_orm.core.changes import ChangeSet, Delete, Link, Update
from gnode_orm.core.schema import SCHEMA, known_kind
from gnode_orm.wire import frames
from gnode_orm.wire.accepting import Acceptance
from gnode_orm.wire.malformed import Malformed, content_hash, member, object_id, optional, typed, whole
from gnode_orm.wire.records import INFINITE, preview_message, read_preview, read_rows, rows_message

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_MESSAGE = 64 * 1024

Seen = dict[bytes, tuple[str, int]]
"""Objects at which the sender has seen arrays, by hash: where to look whether he may name them."""


@dataclass(frozen=True)
class Received:
    """A change set that came from outside, with its values judged."""

    changes: ChangeSet
    seen: Seen


def pack(changes: ChangeSet, seen: Seen) -> bytes:
    """Write a change set."""
    message = {
        "id": changes.id,
        "attempt": changes.attempt,
        "message": changes.message,
        "creates": {kind: _creates_message(kind, rows) for kind, rows in changes.creates.items()},
        "updates": [[item.kind, item.id, item.base, _update_message(item)] for item in changes.updates],
        "deletes": [[item.kind, item.id, item.base, _cascade_message(item)] for item in changes.deletes],
        "links": [[item.channel, item.group, item.added] for item in changes.links],
        "arrays": [[hash_.hex(), len(data)] for hash_, data in changes.arrays.items()],
        "seen": {hash_.hex(): place for hash_, place in seen.items()},
    }
    return frames.pack(message, changes.arrays.values())


def unpack(body: bytes | bytearray | memoryview) -> Received:
    """Read a change set and judge every value in it.

    Raises:
        Malformed: a message that does not follow the protocol.
        ValidationFailed: a value that a field does not take.
    """
    message, data = frames.unpack(body)
    judge = Acceptance()
    changes = ChangeSet(
        _name(message, "id"),
        _text(message),
        attempt=_name(message, "attempt") if "attempt" in message else "",
        creates={kind: _read_creates(judge, kind, rows) for kind, rows in member(message, "creates", dict).items()},
        updates=[_read_update(judge, item) for item in member(message, "updates", list)],
        deletes=[_read_delete(item) for item in member(message, "deletes", list)],
        links=[_read_link(item) for item in member(message, "links", list)],
        arrays=_read_arrays(member(message, "arrays", list), data),
    )
    return Received(changes, read_seen(optional(message, "seen", dict) or {}))


def named_arrays(changes: ChangeSet) -> Iterator[tuple[bytes, str]]:
    """Every array that the rows of a change set name: hash and type."""
    for kind, rows in changes.creates.items():
        spec = SCHEMA.get(kind)
        for field in spec.arrays if spec is not None else ():
            place = 1 + spec.write_columns.index(f"{field.name}_hash")  # type: ignore[union-attr]
            yield from ((row[place], row[place + 1]) for row in rows if len(row) > place + 1 and row[place])
    for update in changes.updates:
        spec = SCHEMA.get(update.kind)
        for field in spec.arrays if spec is not None else ():
            hash_ = update.values.get(f"{field.name}_hash")
            if hash_:
                yield hash_, update.values.get(f"{field.name}_type", "")


def read_seen(message: dict[str, Any]) -> Seen:
    """Read at which objects arrays were seen.

    Raises:
        Malformed: it does not say that.
    """
    seen: Seen = {}
    for text, place in message.items():
        kind, id_ = _items(place, 2, "A place of an array")
        seen[content_hash(text)] = known_kind(kind).kind, object_id(id_)
    return seen


def _name(message: Any, key: str) -> str:
    text = member(message, key, str)
    if not _ID.fullmatch(text):
        raise Malformed(f"{text[:80]!r} is not the {key} of a change set: 1 to 64 letters and digits", value=text)
    return text


def _text(message: Any) -> str | None:
    text = optional(message, "message", str)
    if text is not None and (len(text) > MAX_MESSAGE or "\0" in text):
        raise Malformed(f"The message of a commit has at most {MAX_MESSAGE} characters, none of them NUL")
    return text


def _items(value: Any, count: int, what: str) -> list[Any]:
    if type(value) is not list or len(value) != count:
        raise Malformed(f"{what} is a list of {count}", value=value)
    return value


def _creates_message(kind: str, rows: Any) -> list[Any]:
    return rows_message(kind, rows, "write") if kind in SCHEMA else list(rows)


def _read_creates(judge: Acceptance, kind: str, rows: Any) -> list[tuple[Any, ...]]:
    return [judge.row(kind, row) for row in read_rows(known_kind(kind).kind, rows, "write")]


def _update_message(update: Update) -> dict[str, Any]:
    # Infinite numbers are written as words, as in rows.
    return {
        name: repr(value) if isinstance(value, float) and math.isinf(value) else value
        for name, value in update.values.items()
    }


def _read_update(judge: Acceptance, message: Any) -> Update:
    kind, id_, base, values = _items(message, 4, "An update")
    typed(values, dict, "What an update changes")
    for field in known_kind(kind).fields:
        for column in field.write_columns if field.type.value in ("array", "quantity") else ():
            given = values.get(column)
            if field.type.value == "array" and column.endswith("_hash") and given is not None:
                values[column] = content_hash(given)
            elif field.type.value == "quantity" and not column.endswith("_unit") and isinstance(given, str):
                values[column] = INFINITE.get(given, given)
    return Update(kind, object_id(id_), whole(base, "A base"), judge.update(kind, values))


def _cascade_message(delete: Delete) -> Any:
    return None if delete.cascade is None else preview_message(delete.cascade)


def _read_delete(message: Any) -> Delete:
    kind, id_, base, cascade = _items(message, 4, "A delete")
    preview = None if cascade is None else read_preview(cascade)
    return Delete(known_kind(kind).kind, object_id(id_), whole(base, "A base"), preview)


def _read_link(message: Any) -> Link:
    channel, group, added = _items(message, 3, "A membership")
    return Link(object_id(channel), object_id(group), typed(added, bool, "Whether a channel joins"))


def _read_arrays(message: list[Any], data: memoryview) -> dict[bytes, bytes]:
    pairs = [_items(item, 2, "An array") for item in message]
    blobs = frames.split(data, [size for _, size in pairs])
    return {content_hash(text): blob for (text, _), blob in zip(pairs, blobs, strict=True)}
