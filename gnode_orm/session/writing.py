"""From a plan to a change set, and, once a store has taken it, from its receipt back to the instances."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from gnode_orm.core.arrayhash import content_hash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, ChangeSet, Delete, Receipt, Update
from gnode_orm.core.codec import Row, writer
from gnode_orm.core.collections import Collection, collection_of
from gnode_orm.core.entity import Entity
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType
from gnode_orm.core.state import State, Status
from gnode_orm.errors import ValidationFailed
from gnode_orm.ids import IdSource
from gnode_orm.location import Location
from gnode_orm.session.plan import Plan
from gnode_orm.session.planning import channel_links, old_reference
from gnode_orm.stores.protocol import Store

if TYPE_CHECKING:
    from gnode_orm.session.sending import Sending

IDS = IdSource()
_SAME = (FieldType.TEXT, FieldType.INTEGER)


def change_set(plan: Plan, store: Store, message: str | None) -> tuple[ChangeSet, dict[tuple[int, str], ArrayRef]]:
    """Turn a plan into a change set; large arrays are stored on the way.

    Returns the set, and the stored array for each ``(id of the object, field)``.
    """
    reserve_ids(plan.creates)
    changes = ChangeSet(message=message)
    naming = ArrayNaming(store, changes)
    for kind, entities in groupby(plan.creates, attrgetter("kind")):
        changes.creates[kind] = [_row(entity, naming) for entity in entities]
    for update in plan.updates:
        state = _state(update.obj)
        values = {name: _column_value(update.obj, name, value) for name, value in update.values.items()}
        for name in update.arrays:
            columns = naming.columns(update.obj, name, vars(update.obj)[name])
            values.update(zip(update.obj.__spec__.by_name[name].write_columns, columns, strict=True))
        changes.updates.append(Update(state.kind, state.id, state.version, values))
    changes.links = channel_links(plan)
    for planned in plan.deletes:
        state = _state(planned.obj)
        changes.deletes.append(Delete(state.kind, state.id, state.version, planned.cascade))
    return changes, naming.named


def reserve_ids(entities: Iterable[Entity]) -> None:
    """Give new objects their ids, in order."""
    waiting = [_state(entity) for entity in entities if _state(entity).id == 0]
    for state, number in zip(waiting, IDS.take(len(waiting)), strict=True):
        state.id = number


class ArrayNaming:
    """Names the arrays of a change set: small ones travel in it, large ones are stored first."""

    def __init__(self, store: Store, changes: ChangeSet) -> None:
        self._store = store
        self._changes = changes
        self.named: dict[tuple[int, str], ArrayRef] = {}

    def columns(self, entity: Entity, name: str, handle: ArrayHandle | None) -> tuple[Any, ...]:
        """Give the two columns of an array field."""
        if handle is None:
            return (None, None)
        ref = self._ref(handle)
        self.named[id(entity), name] = ref
        return ref.hash, ref.type_text

    def _ref(self, handle: ArrayHandle) -> ArrayRef:
        if handle.ref is not None and handle._reader is self._store:
            return handle.ref
        if handle.nbytes > self._store.inline_limit:
            return self._store.put_array(handle, handle.unit)
        data = handle.magnitude.tobytes()
        ref = ArrayRef(content_hash(data, handle.dtype, handle.shape), handle.dtype.str, handle.shape, handle.unit)
        self._changes.arrays[ref.hash] = data
        return ref


def settle(sending: Sending, receipt: Receipt, store: Store) -> None:
    """After a write: the same instances carry location and version, and arrays are handles on what was stored."""
    plan = sending.plan
    for entity in plan.creates:
        for collection in (entity._collections or {}).values():
            if not collection.loaded:
                collection.fill([])  # nothing else can hang below an object that was just made
    sending.settle_collections()
    for entity in plan.creates:
        state = _state(entity)
        state.status = Status.PERSISTENT
        state.version = state.created = receipt.version
        state.owner = receipt.user
    for update in plan.updates:
        _state(update.obj).version = receipt.version
    _hold_stored(sending, store)


def _hold_stored(sending: Sending, store: Store) -> None:
    for entity in [*sending.plan.creates, *(item.obj for item in sending.plan.updates)]:
        for spec in entity.__spec__.arrays:
            ref = sending.refs.get((id(entity), spec.name))
            if ref is not None and spec.name not in (_state(entity).original or ()):
                vars(entity)[spec.name] = ArrayHandle.stored(store, ref)


def touched_collections(entities: Iterable[Entity]) -> list[Collection[Any]]:
    """Every loaded collection that the pending changes of some objects concern."""
    found: dict[int, Collection[Any]] = {}
    seen: set[tuple[int, str]] = set()  # siblings share their parent
    for entity in entities:
        for collection in (entity._collections or {}).values():
            found[id(collection)] = collection
        for spec in entity.__spec__.refs:
            if not spec.related:
                continue
            for named in (entity._raw(spec.name), _before(entity, spec.name)):
                if named is None or (id(named), spec.related) in seen:
                    continue
                parent = _in_memory(entity, named)
                if parent is not None:
                    collection = collection_of(parent, parent.__spec__.relation_by_name[spec.related])
                    found[id(collection)] = collection
                    seen.add((id(parent), spec.related))
    return list(found.values())


def _before(entity: Entity, name: str) -> Any:
    original = None if entity._state is None else entity._state.original
    return old_reference(entity, name) if original is not None and name in original else None


def _in_memory(entity: Entity, parent: Any) -> Entity | None:
    """Give the instance that a foreign key names, where it is in memory."""
    if isinstance(parent, Entity):
        return parent
    tracker = None if entity._state is None else entity._state.tracker
    if tracker is None or parent is None:
        return None
    found: Entity | None = tracker.find_loaded(parent.kind, parent.number)
    return found


def linked(plan: Plan) -> list[Entity]:
    """Give the channels and groups whose many-to-many collections a plan changes."""
    pairs = [(item.obj, item.new or item.old) for item in plan.items if item.op in ("link", "unlink")]
    return list({id(entity): entity for pair in pairs for entity in pair}.values())


def _row(entity: Entity, naming: ArrayNaming) -> tuple[Any, ...]:
    values = vars(entity)
    unread = entity._unread or {}
    row: list[Any] = [_state(entity).id]
    for name, nothing, write in _steps(entity.kind):
        value = values.get(name)
        if value is None:
            value = unread.get(name)
        if value is None:
            row += nothing
        elif write is None:
            row.append(value)
        else:
            row += write(naming, entity, name, value)
    return tuple(row)


@cache
def _steps(kind: str) -> list[tuple[str, Row, Callable[..., Row] | None]]:
    """How each field of a kind is written: its name, its columns for ``None``, and its encoding where it needs one."""
    return [(field.name, field.no_value, _writer(field)) for field in SCHEMA[kind].fields]


def _writer(field: FieldSpec) -> Callable[..., Row] | None:
    if field.type in _SAME:
        return None
    if field.type is FieldType.REF:
        return lambda naming, entity, name, value: (_parent_id(entity, name, value),)
    if field.type is FieldType.ARRAY:
        return ArrayNaming.columns
    write = writer(field)
    return lambda naming, entity, name, value: write(value)


def _column_value(entity: Entity, column: str, value: Any) -> Any:
    return _parent_id(entity, column.removesuffix("_id"), value) if isinstance(value, Entity | Location) else value


def _parent_id(entity: Entity, name: str, parent: Entity | Location) -> int:
    if isinstance(parent, Location):
        return parent.number
    if parent._state is None or parent._state.id == 0:
        raise ValidationFailed(
            f"{entity!r}.{name} refers to {parent!r}, which was not added; add it", entity=entity.kind, field=name
        )
    return parent._state.id


def _state(entity: Entity) -> State:
    assert entity._state is not None
    return entity._state
