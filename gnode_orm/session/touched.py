"""Which collections the pending changes of objects concern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from gnode_orm.core.collections import Collection, collection_named
from gnode_orm.core.entity import Entity
from gnode_orm.core.schema import SCHEMA
from gnode_orm.session.comparing import old_reference
from gnode_orm.session.plan import Plan


def touched_collections(entities: Iterable[Entity]) -> list[Collection[Any]]:
    """Every loaded collection that the pending changes of some objects concern."""
    found: dict[int, Collection[Any]] = {}
    for kind, group in groupby(entities, attrgetter("kind")):
        together = list(group)
        if SCHEMA[kind].relations:
            for entity in together:
                found.update((id(item), item) for item in (entity._collections or {}).values())
        for name, late_name, related in SCHEMA[kind].ways_up:
            if related is not None:
                named = _named(together, name, late_name)
                found.update((id(item), item) for item in _collections_of(named, related))
    return list(found.values())


def _collections_of(named: Iterable[tuple[Any, Entity]], related: str) -> Iterator[Collection[Any]]:
    """Give the collections of parents that are in memory; each parent comes with an object that names it."""
    for parent, entity in named:
        instance = _in_memory(entity, parent)
        if instance is not None:
            yield collection_named(instance, related)


def _named(entities: Iterable[Entity], name: str, late_name: str) -> Iterable[tuple[Any, Entity]]:
    """Give what objects of one kind name by a foreign key, or named at the last write; siblings share their parent."""
    named: dict[int, tuple[Any, Entity]] = {}  # by identity: a class may have an equality of its own
    for entity in entities:
        values, state = entity.__dict__, entity._state
        if state is None or state.original is None:
            parent = values.get(name)
            if parent is not None:
                named[id(parent)] = parent, entity
                continue
            if (state is None or state.fields is None or entity._expired) and late_name not in values:
                continue  # it was never set, or not since it was stored
        for parent in _now_and_before(entity, name):
            named[id(parent)] = parent, entity
    return named.values()


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
