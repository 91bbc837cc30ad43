"""Rolling back: values, foreign keys, both sides of collections and the registers, all from memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gnode_orm.core.collections import collection_of
from gnode_orm.core.entity import Entity
from gnode_orm.core.schema import Relation
from gnode_orm.core.state import Status
from gnode_orm.session import recovering
from gnode_orm.session.ownership import owners
from gnode_orm.session.touched import touched_collections

if TYPE_CHECKING:
    from gnode_orm.session.pending import Pending
    from gnode_orm.session.unit_of_work import UnitOfWork


def roll_back(session: UnitOfWork) -> None:
    """Undo everything pending of a session.

    A change set whose fate is unknown is left to the store and never sent again: what the store took of it is seen
    when it is next read.
    """
    session._check_not_sending("Rolling back")
    if session._unsettled is not None:
        recovering.unknown_again(session, session._unsettled)
    session._unsettled = None
    session._doubted.clear()
    session._writes += 1
    undo(session, session._pending)
    session._pending.clear()
    session._by_location.clear()


def undo(session: UnitOfWork, pending: Pending) -> None:
    """Put what became pending back to what was last written; new objects are transient again."""
    for planned in pending.deleted.values():
        state = planned.obj._state
        if state is not None and state.status is Status.DELETED:
            state.status = Status.PERSISTENT
    new = list(pending.new.values())
    restore(session, pending.touched(), new)
    for entity in new:
        object.__setattr__(entity, "_state", None)
    session._natives.forget(new)


def restore(session: UnitOfWork, entities: Iterable[Entity], new: Iterable[Entity] = ()) -> None:
    """Put objects back to what was last written; ``new`` leave the collections of stored parents."""
    changed = list(entities)
    touched = touched_collections([*changed, *new])
    for entity in changed:
        _leave_new_parents(entity)
        state = entity._state
        assert state is not None
        original, state.original = state.original or {}, None
        for name, value in original.items():
            entity._restore(name, value)
        session._pending.modified.pop(id(entity), None)
        session._by_location.pop(id(entity), None)
    for collection in touched:
        owner = collection._owner._state
        if owner is not None and owner.stored:
            collection.restore()


def new_below(session: UnitOfWork, obj: Entity) -> list[Entity]:
    """New objects that an object owns, deepest last."""
    found: dict[int, Entity] = {}
    queue = [obj]
    for entity in queue:
        for relation in entity.__spec__.relations:
            if relation.many_to_many or relation.fk not in owners(relation.kind):
                continue
            for member in _hanging_in(session, entity, relation):
                if id(member) in session._pending.new and id(member) not in found and member is not obj:
                    found[id(member)] = member
                    queue.append(member)
    return list(found.values())


def _hanging_in(session: UnitOfWork, entity: Entity, relation: Relation) -> list[Entity]:
    """Members of a collection in memory, those that name its owner by location among them."""
    collection = (entity._collections or {}).get(relation.name)
    named = session._pointing(entity, relation) if entity.location is not None else []
    return named if collection is None else [*collection.known(), *named]


def _leave_new_parents(entity: Entity) -> None:
    for spec in entity.__spec__.refs:
        parent = vars(entity).get(spec.name)
        if spec.related and isinstance(parent, Entity) and parent._state is not None and not parent._state.stored:
            collection_of(parent, parent.__spec__.relation_by_name[spec.related]).discard_silently(entity)
