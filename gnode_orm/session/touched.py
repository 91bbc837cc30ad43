"""Which collections the pending changes of objects concern."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gnode_orm.core.collections import Collection, collection_named
from gnode_orm.core.entity import Entity
from gnode_orm.session.comparing import old_reference
from gnode_orm.session.plan import Plan


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
            if unchanged and parent is None and (made_here or entity._expired) and late_name not in values:
                continue  # it was never set, or not since it was stored
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
