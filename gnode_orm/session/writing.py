"""From a plan to a change set: ids, rows, and names for arrays, of which large ones are stored on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, ChangeSet, Delete, NamedArrays, Update
from gnode_orm.core.entity import Entity
from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.state import state_of
from gnode_orm.ids import IdSource
from gnode_orm.location import Location
from gnode_orm.session.plan import Plan
from gnode_orm.session.planning import channel_links
from gnode_orm.session.rows import parent_id, rows_of
from gnode_orm.stores.protocol import Store

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
        state = state_of(update.obj)
        values = {name: _column_value(update.obj, name, value) for name, value in update.values.items()}
        for name in update.arrays:
            columns = naming.columns(update.obj, name, vars(update.obj)[name])
            values.update(zip(update.obj.__spec__.by_name[name].write_columns, columns, strict=True))
        changes.updates.append(Update(state.kind, state.id, state.version, values))
    changes.links = channel_links(plan)
    for planned in plan.deletes:
        state = state_of(planned.obj)
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


def _column_value(entity: Entity, column: str, value: Any) -> Any:
    return parent_id(entity, column.removesuffix("_id"), value) if isinstance(value, Entity | Location) else value
