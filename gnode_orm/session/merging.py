"""Merging: a detached object's changes become pending on the session's own instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gnode_orm.core.entity import Entity
from gnode_orm.core.state import Status
from gnode_orm.errors import ConflictError, NotFound, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.session.adding import add
from gnode_orm.session.comparing import changed_fields, link_changes

if TYPE_CHECKING:
    from gnode_orm.session.session import Session


def merge(session: Session, obj: Any) -> Any:
    """Bring an object into a session; see ``Session.merge``.

    Raises:
        ValidationFailed: it is no model, or belongs to another open session.
        NotFound: it was deleted meanwhile.
        ConflictError: it is based on an older version than the stored one.
    """
    if not isinstance(obj, Entity):
        raise ValidationFailed(f"merge({obj!r}): a model is needed", value=obj)
    state = obj._state
    if state is None or not state.stored:
        add(session, obj)
        return obj
    if state.tracker is session:
        return obj
    if state.tracker is not None:
        raise ValidationFailed(f"{obj!r} belongs to another open session; expunge it there first, or merge a copy")
    mine = session._get(obj.kind, state.id)
    if mine is None or mine._state.status is Status.DELETED:
        raise NotFound(f"{obj.location} is not there any more; copy the object and add the copy to keep it")
    changes = changed_fields(obj)
    if changes and mine._state.version != state.version:
        raise ConflictError(
            f"{obj!r} is based on an older version than the stored one; refresh it and change it again. "
            f"Changed here: {', '.join(changes)}"
        )
    for name, (_, new) in changes.items():
        setattr(mine, name, _local(session, new))
    _merge_links(session, obj, mine)
    return mine


def _merge_links(session: Session, obj: Entity, mine: Entity) -> None:
    """Hang the channels of a group, or the groups of a channel, in and out as it was done to the detached one."""
    for name, (added, removed) in link_changes(obj).items():
        members = getattr(mine, name)
        for member in removed:
            local = _instance(session, member)
            if local in members:
                members.remove(local)
        for member in added:
            members.append(_instance(session, member))


def _instance(session: Session, member: Entity) -> Entity:
    """The session's own instance of an object, which is brought in where it is new."""
    state = member._state
    if state is None or not state.stored:
        add(session, member)
        return member
    found: Entity | None = session._get(member.kind, state.id)
    if found is None:
        raise NotFound(f"{member.location} is not there any more; take it out of the collection")
    return found


def _local(session: Session, value: Any) -> Any:
    """A parent of another session stands for its location here."""
    if isinstance(value, Entity):
        location: Location | None = value.location
        return location if location is not None else session.merge(value)
    return value
