"""JSON objects as change sets: ids for new objects, parents looked up, the version that a change is based on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gnode_orm.core.changes import ChangeSet, IdTaken, Link, Receipt, StaleRows, Update
from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.shortened import brief
from gnode_orm.ids import IdSource, decode_id
from gnode_orm.wire.delta import bare_id
from gnode_orm.wire.kinds import wire_kind
from gnode_orm.wire.parsing import BadRequest, Parsed, parse

_IDS = IdSource()
_ATTEMPTS = 20


class Writer:
    """Collects the changes of one request into one change set."""

    def __init__(self, store: Any, actor: str) -> None:
        self.store = store
        self.actor = actor
        self.changes = ChangeSet()
        self._known: set[tuple[str, int]] = set()
        self._default_level: int | None = None

    def create(self, kind: str, body: Any, *, resolve: Any = None, arrays: Mapping[str, Any] | None = None) -> int:
        """Add a new object; gives its id."""
        parsed = parse(kind, body, None, resolve or self.resolve)
        id_ = _IDS.take(1)[0]
        columns = {**parsed.columns, **(arrays or {})}
        self._set_defaults(kind, columns)
        spec = SCHEMA[kind]
        self.changes.creates.setdefault(kind, []).append((id_, *(columns.get(name) for name in spec.write_columns)))
        self._known.add((kind, id_))
        self._join(id_, parsed.groups or [])
        return id_

    def update(
        self, kind: str, before: Mapping[str, Any], body: Any, *,
        resolve: Any = None, arrays: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Add a change of a stored object whose columns are ``before``."""
        parsed = parse(kind, body, before, resolve or self.resolve)
        self.set_columns(kind, before, {**parsed.columns, **(arrays or {})})
        self._replace_groups(before, parsed)

    def set_columns(self, kind: str, before: Mapping[str, Any], columns: dict[str, Any]) -> None:
        """Add new columns of a stored object."""
        self.changes.updates.append(Update(kind, before["id"], before["rev"], columns))

    def apply(self) -> Receipt:
        """Write everything, or nothing."""
        receipt: Receipt = self.store.apply(self.changes, self.actor)
        return receipt

    def resolve(self, kind: str, sent: Any, field: str) -> int:
        """Give the id of a parent that the actor can read.

        Raises:
            BadRequest: there is none.
        """
        text = bare_id(kind, sent)
        try:
            id_ = decode_id(text) if text is not None else 0
        except ValueError:
            id_ = 0
        if not id_ or not self._is_readable(kind, id_):
            shown = f"{wire_kind(kind).path}{text}/" if text and "/" not in text else sent
            raise BadRequest(
                f"Could not find the provided object via resource URI {brief(shown, 120)}.",
                field=field,
                value=sent,
            )
        return id_

    def _is_readable(self, kind: str, id_: int) -> bool:
        if (kind, id_) not in self._known and self.store.get(kind, [id_], self.actor):
            self._known.add((kind, id_))
        return (kind, id_) in self._known

    def _set_defaults(self, kind: str, columns: dict[str, Any]) -> None:
        if wire_kind(kind).is_root and columns.get("safety_level") is None:
            if self._default_level is None:
                self._default_level = self.store.accounts.default_level()
            columns["safety_level"] = self._default_level
        if kind == "section":
            columns.setdefault("tree_position", 0)
            columns.setdefault("is_template", 0)

    def _join(self, channel: int, groups: list[int]) -> None:
        self.changes.links += [Link(channel, group, True) for group in groups]

    def _replace_groups(self, before: Mapping[str, Any], parsed: Parsed) -> None:
        if parsed.groups is None:
            return
        channel = before["id"]
        now = [group for _, group in self.store.links([channel], [], self.actor)]
        self.changes.links += [Link(channel, group, False) for group in now if group not in parsed.groups]
        self._join(channel, [group for group in parsed.groups if group not in now])


def retrying(write: Callable[[], Any], *, stale_too: bool = True) -> Any:
    """Run a write again with new ids where one was taken, and on the new state where somebody was faster."""
    for _ in range(_ATTEMPTS):
        try:
            return write()
        except IdTaken:
            _IDS.restart()
        except StaleRows as error:
            if not stale_too or any(item.row is None for item in error.stale):
                raise
    return write()
