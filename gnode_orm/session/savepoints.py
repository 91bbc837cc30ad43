"""Savepoints in memory: what a session has pending at one moment, and how to come back to it with no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gnode_orm.core.entity import Entity
from gnode_orm.core.state import State, Status
from gnode_orm.session.pending import Pending
from gnode_orm.session.rolling_back import roll_back, undo
from gnode_orm.session.touched import touched_collections

if TYPE_CHECKING:
    from gnode_orm.session.unit_of_work import UnitOfWork


@dataclass(slots=True)
class _KeptEntity:
    """One pending object as it stood: its values, its place in the session and what it was before its changes."""

    entity: Entity
    values: dict[str, Any]
    state: State
    status: Status
    original: dict[str, Any] | None


class Savepoint:
    """What was pending when it was taken. Its size is that of what is pending, not of what is loaded."""

    def __init__(self, session: UnitOfWork) -> None:
        self._session = session
        self._writes = session._writes
        pending = session._pending
        self._new, self._modified, self._deleted = dict(pending.new), dict(pending.modified), dict(pending.deleted)
        self._by_location = dict(session._by_location)
        entities = {**self._new, **self._modified, **{key: item.obj for key, item in self._deleted.items()}}
        self._entities = [_kept(entity) for entity in entities.values()]
        self._collections = {
            id(collection): (collection, collection.keep()) for collection in touched_collections(entities.values())
        }

    def restore(self) -> None:
        """Come back to it; where something was written since, to what was written."""
        session = self._session
        if session._writes != self._writes:
            roll_back(session)
            return
        pending = session._pending
        touched = touched_collections([*pending.new.values(), *pending.modified.values()])
        kept = {id(item.entity) for item in self._entities}
        undo(session, _without(pending, kept))
        for item in self._entities:
            _put_back(session, item)
        for collection in touched:
            # An object that was made since keeps what it was made with.
            if id(collection) not in self._collections and collection._owner._state is not None:
                collection.restore()
        for collection, before in self._collections.values():
            collection.put_back(before)
        pending.new, pending.modified, pending.deleted = self._new, self._modified, self._deleted
        session._by_location = self._by_location


def _kept(entity: Entity) -> _KeptEntity:
    state = entity._state
    assert state is not None
    original = None if state.original is None else dict(state.original)
    return _KeptEntity(
        entity, {name: entity._held(name) for name in entity.__spec__.by_name}, state, state.status, original
    )


def _put_back(session: UnitOfWork, item: _KeptEntity) -> None:
    object.__setattr__(item.entity, "_state", item.state)
    for name, value in item.values.items():
        item.entity._restore(name, value)
    item.state.tracker, item.state.status, item.state.original = session, item.status, item.original
    if item.state.stored:
        session._identity.add(item.state)


def _without(pending: Pending, kept: set[int]) -> Pending:
    """What became pending since."""
    since = Pending()
    since.new = {key: item for key, item in pending.new.items() if key not in kept}
    since.modified = {key: item for key, item in pending.modified.items() if key not in kept}
    since.deleted = {key: item for key, item in pending.deleted.items() if key not in kept}
    return since
