"""Merging: a detached object's changes become pending on the session's own instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gnode_orm.core.entity import Entity
from gnode_orm.core.state import Status
from gnode_orm.errors import ConflictError, NotFound, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.session.adding import add
from gnode_orm.session.comparing import changed_fields

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
    return mine


def _local(session: Session, value: Any) -> Any:
    """A parent of another session stands for its location here."""
    if isinstance(value, Entity):
        location: Location | None = value.location
        return location if location is not None else session.merge(value)
    return value
