"""Tracking objects: new ones with everything that hangs together with them, detached ones again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gnode_orm.core.collections import collection_named, take_up_links
from gnode_orm.core.entity import Entity
from gnode_orm.core.state import State, Status
from gnode_orm.core.tracked import enter_new
from gnode_orm.errors import SessionError, ValidationFailed
from gnode_orm.session import deleting
from gnode_orm.session.loading import collector_paused
from gnode_orm.session.reaching import Reached

if TYPE_CHECKING:
    from gnode_orm.session.unit_of_work import UnitOfWork

_MANY = 1000
_ROOTS = ("block", "document")
_LINKED = ("recordingchannel", "recordingchannelgroup")


def add(session: UnitOfWork, obj: Entity) -> None:
    """Track an object, with everything that can be reached from it.

    Raises:
        ValidationFailed: it belongs to another session, or another instance stands for the same stored object.
        SessionError: it was deleted.
    """
    state = obj._state
    if state is None:
        reached = Reached(obj)
        met = reached.met.values()
        strangers = [other for other in met if other._state and other._state.tracker not in (session, None)]
        if strangers:
            raise ValidationFailed(f"{strangers[0]!r} belongs to another session; expunge it there first")
        session._pending.new.update(reached.entities)
        with collector_paused(len(reached.entities) > _MANY):
            _track_new(session, reached)
    elif state.tracker is None:
        _take_back(session, obj, state)
    elif state.tracker is not session:
        raise ValidationFailed(f"{obj!r} belongs to another session; expunge it there first, or use merge")
    elif state.status is Status.DELETED:
        deleting.unmark(session, obj)


def _track_new(session: UnitOfWork, reached: Reached) -> None:
    for group, _ in reached.groups:
        enter_new(group, session, session.store)
    for entity, name, related in reached.located:
        _find_named(session, entity, name, related)
    for entity, parent, related in reached.unsure:
        collection_named(parent, related).add_silently(entity)
    for group, _ in reached.groups:
        if group[0].kind in _ROOTS:
            _protect(group, session.store.default_level)
        elif group[0].kind in _LINKED:
            for entity in group:
                take_up_links(entity)


def _protect(group: list[Entity], level: int) -> None:
    """Give roots the safety level of the lab, where none was given."""
    for entity in group:
        if "safety_level" not in entity.__pydantic_fields_set__:
            vars(entity)["safety_level"] = level


def _find_named(session: UnitOfWork, entity: Entity, name: str, related: str | None) -> None:
    """Resolve what a new object names by location, where that is in memory."""
    location = entity._raw(name)
    parent = session._identity.get(location.kind, location.number)
    if parent is None:
        session.note_location(entity)
        return
    entity._put_reference(name, parent)
    if related:
        collection_named(parent, related).add_silently(entity)


def _hang_in_again(session: UnitOfWork, obj: Entity, moved: dict[str, Any]) -> None:
    """Tell collections what was moved to their owners while it had no session."""
    values = obj.__dict__
    for name, late_name, related in obj.__spec__.ways_up:
        parent = values.get(name)
        if name not in moved:
            continue
        if late_name in values:
            _find_named(session, obj, name, related)
        elif related and parent is not None and parent._state and parent._state.tracker is session:
            collection_named(parent, related).add_silently(obj)


def _take_back(session: UnitOfWork, obj: Entity, state: State) -> None:
    if state.status is Status.GONE or not state.stored:
        raise SessionError(f"{obj!r} was deleted; copy it to create it anew")
    other = session._identity.get(obj.kind, state.id)
    if other is not None and other is not obj:
        raise ValidationFailed(f"{obj!r} and {other!r} stand for the same stored object; use merge")
    state.tracker, state.origin, state.status = session, session.store, Status.PERSISTENT
    session._identity.add(state)
    if state.original:
        session._pending.modified[id(obj)] = obj
        _hang_in_again(session, obj, state.original)
