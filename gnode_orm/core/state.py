"""What an entity knows of its session: identity, version, status and what it looked like before it was changed."""

from __future__ import annotations

import weakref
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

from gnode_orm.core.arrays import ArrayReader

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity


class Status(Enum):
    """Where an entity stands. An entity without a state is *transient*: it was never added.

    The session alone moves a state on: pending -> persistent -> deleted, and any of them -> detached.
    """

    PENDING = "pending"  # added, not yet written
    PERSISTENT = "persistent"  # stored; changes are tracked
    DELETED = "deleted"  # marked for deletion by the next commit
    GONE = "gone"  # deleted by a commit
    DETACHED = "detached"  # its session is closed, or it was expunged


class Origin(ArrayReader, Protocol):
    """The part of a store that entities keep, so that they stay readable without a session."""

    def guid(self, kind: str, id: int, version: int) -> str: ...


class Tracker(Protocol):
    """The part of a session that entities call."""

    def before_change(self, entity: Any) -> None:
        """The entity is about to be changed for the first time since the last write."""
        ...

    def join(self, entity: Any) -> None:
        """An entity was hung below, or made the parent of, one that this session tracks."""
        ...

    def reload(self, entity: Any) -> None:
        """Read the record of an entity that was expired."""
        ...

    def load_reference(self, entity: Any, name: str, kind: str, id: int) -> Any:
        """Give the parent that a foreign key names."""
        ...

    def note_location(self, entity: Any) -> None:
        """A foreign key of the entity was set to a location whose object is not in memory."""
        ...

    def load_collection(self, entity: Any, relation: str) -> list[Any]:
        """Read the stored members of a collection."""
        ...

    def find_loaded(self, kind: str, id: int) -> Any:
        """Give the instance of an id if it is in the identity map."""
        ...

    def forget(self, state: State) -> None:
        """The entity of a state is no more."""
        ...


class State(weakref.ref[Any]):
    """One entity's place in one session, and the weak reference by which the session's identity map holds the entity.

    Attributes:
        tracker: the session; ``None`` when detached.
        origin: the store that the entity came from or was written to.
        kind, id: identity; the id is reserved when a commit is planned.
        version: version of the row that the entity is based on; 0 while it is not stored.
        created, owner: from the record.
        fields: the record behind its meta columns; ``None`` for an entity made here, ``()`` for one to read again.
        original: field -> what it held at the last write, for each field set since; ``None`` when untouched.
            ``NOT_LOADED`` stands for "as in the record".
    """

    __slots__ = ("created", "fields", "id", "kind", "origin", "original", "owner", "status", "tracker", "version")

    tracker: Tracker | None
    origin: Origin | None
    kind: str
    id: int
    status: Status
    version: int
    created: int
    owner: str | None
    fields: tuple[Any, ...] | None
    original: dict[str, Any] | None

    @property
    def stored(self) -> bool:
        """Whether a store holds the entity."""
        return self.version != 0


def leave(state: State) -> None:
    """Tell the session that the entity of a state is gone. Never raises: Python would print it and go on."""
    if state.tracker is not None:
        state.tracker.forget(state)


def state_of(entity: Entity) -> State:
    """Give the place of an object that is in a session."""
    assert entity._state is not None
    return entity._state
