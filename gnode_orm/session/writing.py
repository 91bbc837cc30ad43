"""From a plan to a change set, and, once a store has taken it, from its receipt back to the instances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, ChangeSet, Delete, NamedArrays, Receipt, Update, Written
from gnode_orm.core.collections import Collection, collection_named
from gnode_orm.core.entity import Entity
from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.state import State, Status
from gnode_orm.ids import IdSource
from gnode_orm.location import Location
from gnode_orm.session.comparing import old_reference
from gnode_orm.session.plan import Plan
from gnode_orm.session.planning import channel_links
from gnode_orm.session.rows import parent_id, rows_of
from gnode_orm.stores.protocol import Store

if TYPE_CHECKING:
    from gnode_orm.session.sending import Sending

IDS = IdSource()


def change_set(plan: Plan, store: Store, message: str | None) -> tuple[ChangeSet, list[tuple[Entity, str, ArrayRef]]]:
    """Turn a plan into a change set; large arrays are stored on the way.

    Returns the set, and the arrays that it names, each with its object and field.
    """
    reserve_ids(plan.creates)
    changes = ChangeSet(message=message)
    naming = ArrayNaming(store, changes)
    creates = [(kind, list(entities)) for kind, entities in groupby(plan.creates, attrgetter("kind"))]
    naming.store_large(_new_arrays(creates, plan))
    for kind, entities in creates:
        changes.creates[kind] = rows_of(kind, entities, naming.columns)
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


def _new_arrays(creates: list[tuple[str, list[Entity]]], plan: Plan) -> Iterator[ArrayHandle | None]:
    for kind, entities in creates:
        for name in [field.name for field in SCHEMA[kind].arrays]:
            yield from (vars(entity).get(name) for entity in entities)
    for update in plan.updates:
        yield from (vars(update.obj)[name] for name in update.arrays)


def reserve_ids(entities: Iterable[Entity]) -> None:
    """Give new objects their ids, in order."""
    waiting = [state for state in map(attrgetter("_state"), entities) if state.id == 0]
    for state, number in zip(waiting, IDS.take(len(waiting)), strict=True):
        state.id = number


class ArrayNaming:
    """Names the arrays of a change set: small ones travel in it, large ones are stored first."""

    def __init__(self, store: Store, changes: ChangeSet) -> None:
        self._store = store
        self._inline = changes.arrays = NamedArrays()
        self._large: dict[int, ArrayRef] = {}
        self.named: list[tuple[Entity, str, ArrayRef]] = []

    def store_large(self, handles: Iterable[ArrayHandle | None]) -> None:
        """Store the large ones among some arrays, all in one step."""
        limit = self._store.inline_limit
        large = {
            id(handle): handle
            for handle in handles
            if handle is not None and handle.nbytes > limit and not self._is_stored(handle)
        }
        if large:
            refs = self._store.put_arrays([(handle, handle.unit) for handle in large.values()])
            self._large = dict(zip(large, refs, strict=True))

    def columns(self, entity: Entity, name: str, handle: ArrayHandle | None) -> tuple[Any, ...]:
        """Give the two columns of an array field."""
        if handle is None:
            return (None, None)
        ref = self._ref(handle)
        self.named.append((entity, name, ref))
        return ref.hash, ref.type_text

    def _ref(self, handle: ArrayHandle) -> ArrayRef:
        if handle.ref is not None and self._is_stored(handle):
            return handle.ref
        return self._large.get(id(handle)) or self._inline.name(
            handle._bytes(), handle.dtype, handle.shape, handle.unit
        )

    def _is_stored(self, handle: ArrayHandle) -> bool:
        return handle.ref is not None and handle._reader is self._store


def settle(sending: Sending, receipt: Receipt, store: Store) -> None:
    """After a write: the same instances carry location and version, and arrays are handles on what was stored."""
    plan = sending.plan
    for entity in plan.creates:
        for collection in entity._collections.values() if entity._collections else ():
            if not collection.loaded:
                collection.fill([])  # nothing else can hang below an object that was just made
    sending.settle_collections()
    stored, version, user = Status.PERSISTENT, receipt.version, receipt.user
    for state in map(attrgetter("_state"), plan.creates):
        state.status = stored
        state.version = state.created = version
        state.owner = user
    for update in plan.updates:
        _state(update.obj).version = receipt.version
    if receipt.written:
        _take_names(sending, receipt.written)
    _hold_stored(sending, store)


def _keyed(sending: Sending) -> Iterator[tuple[tuple[str, int], Entity]]:
    """The objects that a plan concerns, by kind and id as they were sent."""
    plan = sending.plan
    for entity in [*plan.creates, *(item.obj for item in plan.updates), *linked(plan)]:
        yield (entity.kind, _state(entity).id), entity


def _take_names(sending: Sending, written: Mapping[tuple[str, int], Written]) -> None:
    """Take over ids, versions and names of arrays, where the store gives its own."""
    for key, entity in dict(_keyed(sending)).items():
        if key not in written:
            continue
        state, given = _state(entity), written[key]
        state.id, state.version, state.created = given.id, given.version, given.created
        sending.named += [(entity, name, ref) for name, ref in given.arrays.items()]


def _hold_stored(sending: Sending, store: Store) -> None:
    for entity, name, ref in sending.named:
        if name not in (_state(entity).original or ()):
            vars(entity)[name] = ArrayHandle.stored(store, ref)


def touched_collections(entities: Iterable[Entity]) -> list[Collection[Any]]:
    """Every loaded collection that the pending changes of some objects concern."""
    found: dict[int, Collection[Any]] = {}
    seen: set[tuple[int, str]] = set()  # siblings share their parent
    for entity in entities:
        for collection in entity._collections.values() if entity._collections else ():
            found[id(collection)] = collection
        values, state = entity.__dict__, entity._state
        unchanged = state is None or state.original is None
        made_here = state is None or state.fields is None
        for name, late_name, related in entity.__spec__.ways_up:
            parent = values.get(name)
            if unchanged and parent is None and made_here and late_name not in values:
                continue  # it was never set
            if related is None or (unchanged and (id(parent), related) in seen):
                continue
            for named in _now_and_before(entity, name):
                if named is None or (id(named), related) in seen:
                    continue
                parent = _in_memory(entity, named)
                if parent is not None:
                    collection = collection_named(parent, related)
                    found[id(collection)] = collection
                    seen.add((id(parent), related))
    return list(found.values())


def _now_and_before(entity: Entity, name: str) -> tuple[Any, ...]:
    """Give what a foreign key names, and, where it was set since the last write, what it named then."""
    now = entity._raw(name)
    original = None if entity._state is None else entity._state.original
    return (now, old_reference(entity, name)) if original is not None and name in original else (now,)


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
    pairs = [(item.obj, item.new or item.old) for item in plan.changes if item.op in ("link", "unlink")]
    return list({id(entity): entity for pair in pairs for entity in pair}.values())


def _column_value(entity: Entity, column: str, value: Any) -> Any:
    return parent_id(entity, column.removesuffix("_id"), value) if isinstance(value, Entity | Location) else value


def _state(entity: Entity) -> State:
    assert entity._state is not None
    return entity._state
