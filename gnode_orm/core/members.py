"""The members of a collection as the mapper keeps account of them: stored, hung in, taken out.

The stored members are read when they are asked for. Until then, members that were hung in or taken out in memory are
kept beside them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from gnode_orm.core.schema import Relation
from gnode_orm.errors import DetachedError


class Kept(NamedTuple):
    """A collection as it stood at one moment."""

    members: dict[int, Any] | None = None
    added: dict[int, Any] = {}  # noqa: RUF012
    removed: dict[int, Any] = {}  # noqa: RUF012
    stored: dict[int, Any] | None = None


class Sent(NamedTuple):
    """What was hung in and taken out of a collection when a change set was made."""

    added: dict[int, Any]
    removed: dict[int, Any]


class Members:
    """The members of one collection of one object, in insertion order."""

    __slots__ = ("_added", "_members", "_owner", "_relation", "_removed", "_stored", "_view")

    def __init__(self, owner: Any, relation: Relation) -> None:
        self._owner = owner
        self._relation = relation
        # Members by identity, in order; None while the stored ones are not loaded.
        self._members: dict[int, Any] | None = None
        # The same as a list, made when it is asked for by place.
        self._view: list[Any] | None = None
        # What was hung in and taken out since the last write, and the stored members before the first taking out.
        self._added: dict[int, Any] = {}
        self._removed: dict[int, Any] = {}
        self._stored: dict[int, Any] | None = None

    @property
    def loaded(self) -> bool:
        """Whether the stored members are in memory."""
        return self._members is not None

    def discard_silently(self, member: Any) -> None:
        """Forget a member whose foreign key went elsewhere."""
        key = id(member)
        hung_in = self._added.pop(key, None) is not None
        if self._members is None:
            # Only a stored member can be among those that are not loaded.
            if not hung_in and member._state is not None and member._state.stored:
                self._removed[key] = member
        elif key in self._members:
            if not hung_in:
                self._keep_stored()
                self._removed[key] = member
            del self._members[key]
            self._view = None

    def add_silently(self, member: Any) -> None:
        """Take note of a member whose foreign key names the owner now."""
        key = id(member)
        if self._members is not None and key in self._members:
            return
        if not self._removed or self._removed.pop(key, None) is None:
            self._added[key] = member
        if self._members is not None:
            self._members[key] = member
            self._view = None

    def fill(self, stored: Iterable[Any]) -> None:
        """Take over the stored members, with what was changed in memory on top."""
        members = {id(item): item for item in stored}
        self._stored = dict(members) if self._removed else None
        if members:
            for key in (*self._removed, *self._added):
                members.pop(key, None)
        self._members = {**members, **self._added}
        self._view = None

    def note_moves(self, hung_in: Iterable[Any], taken_out: Iterable[Any]) -> None:
        """Take note of moves made in memory while the owner itself was not."""
        for member in hung_in:
            self._added.setdefault(id(member), member)
        for member in taken_out:
            self._removed.setdefault(id(member), member)

    def _keep_stored(self) -> None:
        """Keep the stored members in their order before the first of them is taken out."""
        assert self._members is not None
        if self._stored is None:
            self._stored = {key: item for key, item in self._members.items() if key not in self._added}

    def take_in(self, member: Any) -> None:
        """Take over a member that the store hung in, where the stored members are loaded."""
        if self._members is None or id(member) in self._members or id(member) in self._removed:
            return
        self._members[id(member)] = member
        if self._stored is not None:
            self._stored[id(member)] = member
        self._view = None

    def forget(self, member: Any) -> None:
        """Drop a member that the store took out."""
        for register in (self._members, self._added, self._removed, self._stored):
            if register is not None:
                register.pop(id(member), None)
        self._view = None

    def sent(self) -> Sent:
        """Give what a change set that is made now carries of this collection."""
        return Sent(dict(self._added), dict(self._removed))

    def settle(self, sent: Sent | None = None) -> None:
        """After a write: what was hung in and taken out is stored, but for what came after it was ``sent``."""
        late_in, late_out = ({}, {}) if sent is None else self._since(sent)
        if late_out and self._members is not None and sent is not None:
            stored = self._members if self._stored is None else self._stored
            stored = {key: item for key, item in stored.items() if key not in self._added and key not in sent.removed}
            self._stored = {**stored, **sent.added}
        elif not late_out:
            self._stored = None
        self._added, self._removed = late_in, late_out

    def _since(self, sent: Sent) -> tuple[dict[int, Any], dict[int, Any]]:
        """What was hung in and taken out after ``sent``, which may take back a part of it."""
        if self._added.keys() == sent.added.keys() and self._removed.keys() == sent.removed.keys():
            return {}, {}
        late_in = {key: item for key, item in self._added.items() if key not in sent.added}
        late_in |= {key: item for key, item in sent.removed.items() if key not in self._removed}
        late_out = {key: item for key, item in self._removed.items() if key not in sent.removed}
        late_out |= {key: item for key, item in sent.added.items() if key not in self._added}
        return late_in, late_out

    def pending(self) -> tuple[list[Any], list[Any]]:
        """Members hung in and taken out since the last write."""
        return list(self._added.values()), list(self._removed.values())

    def known(self) -> list[Any]:
        """The members in memory, without loading."""
        return list(self.known_by_identity().values())

    def known_by_identity(self) -> dict[int, Any]:
        """The members in memory by identity, without loading."""
        return (self._added if self._members is None else self._members).copy()

    def restore(self) -> None:
        """Undo what was hung in or taken out since the last write."""
        if self._members is not None:
            stored = self._members if self._stored is None else self._stored
            self._members = {key: item for key, item in stored.items() if key not in self._added}
            self._view = None
        self.settle()

    def keep(self) -> Kept:
        """Give a copy of everything that changes."""
        stored = None if self._stored is None else dict(self._stored)
        members = None if self._members is None else dict(self._members)
        return Kept(members, dict(self._added), dict(self._removed), stored)

    def put_back(self, kept: Kept) -> None:
        """Come back to an earlier moment; stored members that were loaded since stay loaded."""
        self.restore()
        self._added, self._removed, self._stored = dict(kept.added), dict(kept.removed), kept.stored
        if kept.members is not None:
            self._members = dict(kept.members)
        elif self._members is not None:
            self.fill(list(self._members.values()))
        self._view = None

    def expire(self) -> None:
        """Read the stored members anew at the next use; what is pending stays on top of them."""
        self._members = self._view = self._stored = None

    def _load(self) -> list[Any]:
        members = self._loaded_members()
        if self._view is None:
            self._view = list(members.values())
        return self._view

    def _loaded_members(self) -> dict[int, Any]:
        if self._members is None:
            self.fill(self._read())
        assert self._members is not None
        return self._members

    def _read(self) -> list[Any]:
        """Read the stored members."""
        state = self._owner._state
        if state is None or not state.stored:
            return []
        if state.tracker is None:
            raise DetachedError(
                f"{self._owner!r}: {self._relation.name} was not loaded before the session was closed; load it with "
                f"with_({self._relation.name!r}) or read it inside the session"
            )
        found: list[Any] = state.tracker.load_collection(self._owner, self._relation.name)
        return found
