"""Deleting: marking, the preview, and what becomes of instances when a delete was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gnode_orm.core.changes import DeletePreview, Stale
from gnode_orm.core.collections import Collection, leave_links
from gnode_orm.core.entity import Entity
from gnode_orm.core.kind_counts import counts_in_words
from gnode_orm.core.schema import SCHEMA, FieldSpec
from gnode_orm.core.select import Attr, Comparison, Select
from gnode_orm.core.state import Status, state_of
from gnode_orm.errors import IntegrityError, NotFound, SessionError
from gnode_orm.location import Location
from gnode_orm.session import recovering
from gnode_orm.session.comparing import old_reference
from gnode_orm.session.ownership import owned, owners
from gnode_orm.session.plan import PlannedDelete
from gnode_orm.session.rolling_back import new_below

if TYPE_CHECKING:
    from gnode_orm.session.unit_of_work import UnitOfWork


def mark(session: UnitOfWork, obj: Entity, cascade: bool) -> None:
    """Mark an object for deletion; a new one is forgotten, with the new ones below it.

    Raises:
        IntegrityError: it has children and ``cascade`` is not given; ``counts`` names them.
    """
    session._check_not_sending("Deleting")
    recovering.reconcile(session)
    state = obj._state if isinstance(obj, Entity) else None
    if state is not None and state.tracker is session and state.status is Status.PENDING:
        new = [*new_below(session, obj), obj]
        _refuse_moved_in(session, new)
        for entity in new:
            _forget_new(session, entity)
        return
    session._own(obj)
    if state is None or state.status is not Status.PERSISTENT:
        return
    below = new_below(session, obj)
    try:
        planned = preview(session, obj)
    except NotFound:
        forget_gone(session, obj, None)  # somebody else deleted it: what was asked for is so
        return
    if planned.children and not cascade:
        left = _left_below(session, obj, planned)
        if left:
            raise IntegrityError(
                f"{obj!r} still has {counts_in_words(left)}; delete them first, or delete it with cascade=True",
                counts=left,
            )
    if below and not cascade:
        raise IntegrityError(f"{obj!r} has new objects below it, such as {below[0]!r}; delete with cascade=True")
    _refuse_moved_in(session, [*below, obj])
    for entity in below:
        _forget_new(session, entity)
    state.status = Status.DELETED
    session._pending.deleted[id(obj)] = PlannedDelete(obj, planned if cascade and planned.children else None)


def unmark(session: UnitOfWork, obj: Entity) -> None:
    """Take a mark for deletion back."""
    assert obj._state is not None
    obj._state.status = Status.PERSISTENT
    session._pending.deleted.pop(id(obj), None)


def preview(session: UnitOfWork, obj: Entity) -> DeletePreview:
    """Ask the store what deleting an object would touch."""
    state = obj._state if isinstance(obj, Entity) else None
    if state is None or not state.stored:
        raise SessionError(f"{obj!r} is not stored, so deleting it touches nothing")
    return session.store.preview_delete(obj.kind, state.id, session.user)


def forget(session: UnitOfWork, planned: PlannedDelete, version: int | None) -> None:
    """After a delete was written: let go of the object, of what went with it, and of references to it."""
    below = [] if planned.cascade is None else _loaded_below(session, planned.obj)
    for entity in below:
        assert entity._state is not None
        session._identity.remove(entity.kind, entity._state.id)  # what refers to them is gone itself
    for entity in [planned.obj, *below]:
        forget_gone(session, entity, version)


def drop_gone(session: UnitOfWork, stale: list[Stale]) -> list[Stale]:
    """Let go of objects to delete that somebody else deleted meanwhile; gives what else is stale."""
    left = []
    for item in stale:
        entity = session._identity.get(item.kind, item.id)
        if item.row is None and entity is not None and entity._state.status is Status.DELETED:
            forget_gone(session, entity, None)
        else:
            left.append(item)
    return left


def forget_gone(session: UnitOfWork, entity: Entity, version: int | None) -> None:
    """Let go of an object that is not stored any more; ``version``: the commit of this session that deleted it."""
    state = entity._state
    assert state is not None
    for collection in [*_memberships(session, entity), *_linked_to(session, entity)]:
        collection.forget(entity)
    session._identity.remove(entity.kind, state.id)
    session._pending.modified.pop(id(entity), None)
    session._pending.deleted.pop(id(entity), None)
    state.status = Status.GONE
    state.tracker = None
    _cut_references(session, entity, version)


def _cut_references(session: UnitOfWork, entity: Entity, version: int | None) -> None:
    """Optional links to a deleted object became null in the store; say so to the instances in memory.

    Where somebody else deleted it, their version is not known here, so clean instances are read again at next use.
    """
    for kind, spec in SCHEMA.items():
        names = [item.name for item in spec.refs if item.target == entity.kind]
        for other in session._identity.of_kind(kind) if names else ():
            for name in names:
                if vars(other).get(name) is entity or _points_to(other, name, entity):
                    if version is not None:
                        other._put_reference(name, None)
                        other._state.version = version
                    elif other._state.original is None:
                        other._expire()


def _points_to(other: Entity, name: str, entity: Entity) -> bool:
    # What expired is read as it is by then, or is gone itself.
    if name in vars(other) or other._expired:
        return False
    assert entity._state is not None
    held = other._raw(name)
    return held is not None and held.number == entity._state.id


def _memberships(session: UnitOfWork, entity: Entity) -> list[Collection[Any]]:
    """Collections in memory that an object hangs in, or hung in at the last write."""
    found = []
    for spec in entity.__spec__.refs:
        if not spec.related:
            continue
        for parent in _parents(session, entity, spec):
            collection = (parent._collections or {}).get(spec.related)
            if collection is not None:
                found.append(collection)
    return found


def _parents(session: UnitOfWork, entity: Entity, spec: FieldSpec) -> list[Entity]:
    """The parents in memory that a foreign key names or named; all of the kind where it cannot be read any more."""
    if entity._expired:
        return list(session._identity.of_kind(spec.target or ""))
    found = []
    for named in (entity._raw(spec.name), old_reference(entity, spec.name)):
        parent = session.find_loaded(named.kind, named.number) if isinstance(named, Location) else named
        if parent is not None:
            found.append(parent)
    return found


def _linked_to(session: UnitOfWork, entity: Entity) -> list[Collection[Any]]:
    """Many-to-many collections in memory that may hold an object."""
    found = []
    for relation in entity.__spec__.relations:
        for other in session._identity.of_kind(relation.kind) if relation.many_to_many else ():
            collection = (other._collections or {}).get(relation.fk)
            if collection is not None:
                found.append(collection)
    return found


def _loaded_below(session: UnitOfWork, obj: Entity) -> list[Entity]:
    """Instances in memory below an object, by the references that own them."""
    found: dict[int, Entity] = {id(obj): obj}
    grown = True
    while grown:
        grown = False
        for entity in list(session._identity):
            if id(entity) not in found and _hangs_below(entity, found):
                found[id(entity)] = entity
                grown = True
    del found[id(obj)]
    return list(found.values())


def _hangs_below(entity: Entity, found: dict[int, Entity]) -> bool:
    for name in owners(entity.kind):
        if entity._expired and name not in vars(entity):
            continue  # whoever asks for it is told that it is gone
        held = entity._raw(name)
        if held is None:
            continue
        if id(held) in found:
            return True
        if any(held == other.location for other in found.values() if other.kind == getattr(held, "kind", None)):
            return True
    return False


def _left_below(session: UnitOfWork, obj: Entity, planned: DeletePreview) -> dict[str, int]:
    """What stands below an object for good: nothing where each direct child is to be deleted or moved away."""
    pending = session._pending
    leaving = [*pending.gone(), *_changed(session)]
    if not leaving:
        return planned.children
    left: dict[str, int] = {}
    for kind, name in owned(obj.kind):
        mine = [item for item in leaving if item.kind == kind and _may_stand_below(item, name, obj)]
        ids = [state_of(item).id for item in mine if id(item) in pending.deleted or item.ref(name) != obj.location]
        count = session.store.count(Select(kind, Comparison(Attr((name,)), "eq", obj.location)), session.user)
        count -= _standing_below(session, kind, name, obj, ids)
        if count > 0:
            left[kind] = count
    return left


def _may_stand_below(item: Entity, name: str, obj: Entity) -> bool:
    """Whether an object hung below another when it was read; of one that expired nobody knows."""
    return item._expired or _old_location(item, name) == obj.location


def _standing_below(session: UnitOfWork, kind: str, name: str, obj: Entity, ids: list[int]) -> int:
    """How many of some objects stand below another by now, whatever they were like when they were read."""
    place = SCHEMA[kind].record_columns.index(f"{name}_id")
    rows = session.store.get(kind, ids, session.user, None) if ids else []
    return sum(row[place] == state_of(obj).id for row in rows)


def _refuse_moved_in(session: UnitOfWork, parents: list[Entity]) -> None:
    """Refuse to delete what stored objects hang below in memory alone."""
    known: dict[Any, Entity] = {obj.location: obj for obj in parents if obj.location is not None}
    known |= {id(obj): obj for obj in parents}
    for item in _changed(session):
        for name in owners(item.kind):
            now = item._raw(name)
            obj = known.get(now if isinstance(now, Location) else id(now))
            if obj is not None and (obj.location is None or _old_location(item, name) != obj.location):
                raise IntegrityError(
                    f"{item!r} was moved below {obj!r} and is not written yet; move it elsewhere first"
                )


def _changed(session: UnitOfWork) -> list[Entity]:
    """Stored objects that something was set on, but for those to delete."""
    return [item for item in session._pending.touched() if id(item) not in session._pending.deleted]


def _old_location(entity: Entity, name: str) -> Any:
    old = old_reference(entity, name)
    return old.location if isinstance(old, Entity) else old


def _forget_new(session: UnitOfWork, entity: Entity) -> None:
    for collection in _memberships(session, entity):
        collection.discard_silently(entity)
    leave_links(entity)
    session._pending.new.pop(id(entity), None)
    object.__setattr__(entity, "_state", None)
