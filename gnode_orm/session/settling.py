"""From the receipt of a store back to the instances that it wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import Receipt, Written
from gnode_orm.core.entity import Entity
from gnode_orm.core.state import Status, state_of
from gnode_orm.session.touched import linked
from gnode_orm.stores.protocol import Store

if TYPE_CHECKING:
    from gnode_orm.session.sending import Sending


def settle(sending: Sending, receipt: Receipt, store: Store) -> None:
    """After a write: the same instances carry location and version, and arrays are handles on what was stored."""
    plan = sending.plan
    for collections in filter(None, map(attrgetter("_collections"), plan.creates)):
        for collection in collections.values():
            if not collection.loaded:
                collection.fill([])  # nothing else can hang below an object that was just made
    sending.settle_collections()
    stored, version, user = Status.PERSISTENT, receipt.version, receipt.user
    for state in map(attrgetter("_state"), plan.creates):
        state.status = stored
        state.version = state.created = version
        state.owner = user
    for update in plan.updates:
        state_of(update.obj).version = receipt.version
    if receipt.written:
        _take_names(sending, receipt.written)
    _hold_stored(sending, store)


def _keyed(sending: Sending) -> Iterator[tuple[tuple[str, int], Entity]]:
    """The objects that a plan concerns, by kind and id as they were sent."""
    plan = sending.plan
    for entity in [*plan.creates, *(item.obj for item in plan.updates), *linked(plan)]:
        yield (entity.kind, state_of(entity).id), entity


def _take_names(sending: Sending, written: Mapping[tuple[str, int], Written]) -> None:
    """Take over ids, versions and names of arrays, where the store gives its own."""
    for key, entity in dict(_keyed(sending)).items():
        if key not in written:
            continue
        state, given = state_of(entity), written[key]
        state.id, state.version, state.created = given.id, given.version, given.created
        sending.named += [(entity, name, ref) for name, ref in given.arrays.items()]


def _hold_stored(sending: Sending, store: Store) -> None:
    for entity, name, ref in sending.named:
        if name not in (state_of(entity).original or ()):
            vars(entity)[name] = ArrayHandle.stored(store, ref)
