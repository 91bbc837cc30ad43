"""From records to instances: the identity map first, trusted construction otherwise."""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from gnode_orm.core.collections import collection_of
from gnode_orm.core.entity import Entity
from gnode_orm.core.schema import META, SCHEMA, FieldType, Relation
from gnode_orm.core.select import Attr, Comparison, EagerRows, Select, Selected
from gnode_orm.core.state import Origin, Status, Tracker
from gnode_orm.errors import QueryError, did_you_mean
from gnode_orm.location import Location
from gnode_orm.models import MODELS
from gnode_orm.session.comparing import changed_fields, link_changes
from gnode_orm.session.identity_map import IdentityMap

_PERSISTENT = Status.PERSISTENT  # enum members are slow to look up, once for each instance


class Loader:
    """Makes instances of records, for one session."""

    def __init__(
        self,
        tracker: Tracker,
        origin: Origin,
        identity: IdentityMap,
        pointing: Callable[[Entity, Relation], list[Entity]],
        told: Callable[[list[Entity]], None],
    ) -> None:
        self._tracker = tracker
        self._origin = origin
        self._identity = identity
        self._pointing = pointing
        self._told = told

    def instances(self, kind: str, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Give the instance for each record, from the map where it is there."""
        made: list[Entity] = []
        found = self._instances(kind, rows, made)
        self._told(made)
        return found

    def selected(self, answer: Selected) -> list[Any]:
        """Give the instances of an answer, with what was read along its eager paths hung in."""
        made: list[Entity] = []
        found = self._instances(answer.kind, answer.rows, made)
        reached = [self._instances(eager.kind, eager.rows, made) for eager in answer.eager]
        self._told(made)
        levels: dict[str, list[Any]] = {"": found}
        for eager, children in zip(answer.eager, reached, strict=True):
            prefix, _, name = eager.path.rpartition(".")
            self._hang_in(levels[prefix], name, eager, children)
            levels[eager.path] = children
        return found

    def _instances(self, kind: str, rows: Sequence[tuple[Any, ...]], made: list[Entity]) -> list[Any]:
        model = MODELS[kind]
        known = self._identity.of(kind)
        shared: dict[Any, Any] = {}
        found = []
        for row in rows:
            state = known.get(row[0])
            entity = None if state is None else state()
            if state is None or entity is None:
                entity = self._make(model, row, shared.setdefault)
                made.append(entity)
            elif state.version != row[1] or entity._expired:
                self._refresh_clean(entity, row)
            found.append(entity)
        return found

    def _make(self, model: type[Entity], row: tuple[Any, ...], share: Callable[[Any, Any], Any]) -> Entity:
        """Make an instance. Many share their versions and owners, which a store gives each record anew."""
        id, version, created, owner = row[:META]
        entity = model._blank()
        state = entity._enter(
            self._tracker, self._origin, _PERSISTENT,
            id, share(version, version), share(created, created), share(owner, owner), row[META:],
        )  # fmt: skip
        self._identity.add(state)
        return entity

    def _refresh_clean(self, entity: Entity, row: tuple[Any, ...]) -> None:
        if is_clean(entity):
            take_record(self._tracker, entity, row)

    def _hang_in(self, parents: list[Any], name: str, eager: EagerRows, children: list[Any]) -> None:
        if not parents:
            return
        spec = parents[0].__spec__
        field = spec.by_name.get(name)
        if field is not None:
            by_id = {child._state.id: child for child in children}
            for parent in parents:
                location = parent._raw(name)
                if isinstance(location, Location) and location.number in by_id:
                    vars(parent)[name] = by_id[location.number]
            return
        relation = spec.relation_by_name[name]
        if eager.links is not None:
            groups = self._linked(children, eager.links)
        else:
            groups = _by_parent(children, eager.rows, relation)
        for parent in parents:
            collection = collection_of(parent, relation)
            if not collection.loaded:
                collection.fill(self.members(relation, parent, groups.get(parent._state.id, [])))

    @staticmethod
    def _linked(children: list[Any], links: list[tuple[int, int]]) -> dict[int, list[Any]]:
        by_id = {child._state.id: child for child in children}
        groups: dict[int, list[Any]] = {}
        for parent, child in links:
            if child in by_id:
                groups.setdefault(parent, []).append(by_id[child])
        return groups

    def members(self, relation: Relation, owner: Any, stored: list[Any]) -> list[Any]:
        """Give the stored members of a collection, and tell it which moved in and out in memory."""
        if not relation.many_to_many:
            # What was not touched in memory hangs where the store says.
            away = [
                child for child in stored
                if child._state.original is not None and not _is_child(child, relation.fk, owner)
            ]  # fmt: skip
            collection_of(owner, relation).note_moves(self._pointing(owner, relation), away)
        return stored


def is_clean(entity: Entity) -> bool:
    """Whether a record can be taken over: nothing is pending, or what was set was set back, which is forgotten here."""
    state = entity._state
    if state is None or state.status is not Status.PERSISTENT:
        return False
    if state.original is not None and not changed_fields(entity) and not link_changes(entity):
        state.original = None
    return state.original is None


def take_record(tracker: Tracker, entity: Entity, row: tuple[Any, ...]) -> None:
    """Let a clean object take over a newer record; loaded collections of its parents follow."""
    state = entity._state
    assert state is not None
    refs = [spec for spec in entity.__spec__.refs if spec.related]
    before = {} if entity._expired else {spec.name: entity.ref(spec.name) for spec in refs}
    state.version, state.created, state.owner = row[1], row[2], row[3]
    entity._reload(row[META:])
    for spec in refs:
        now, old = entity.ref(spec.name), before.get(spec.name)
        if now == old:
            continue
        for location, taken_in in ((old, False), (now, True)):
            parent = None if location is None else tracker.find_loaded(location.kind, location.number)
            if parent is not None:
                collection = collection_of(parent, parent.__spec__.relation_by_name[spec.related])
                (collection.take_in if taken_in else collection.forget)(entity)


def children_select(owner: Any, relation: Relation, at: int | None) -> Select:
    """Build the query that reads a collection."""
    return Select(relation.kind, Comparison(Attr((relation.fk,)), "eq", owner.location), at=at)


def _by_parent(children: list[Any], rows: Sequence[tuple[Any, ...]], relation: Relation) -> dict[int, list[Any]]:
    """Group children by the parents that the store named: in memory they may have moved on."""
    groups: dict[int, list[Any]] = defaultdict(list)
    offset = META + MODELS[relation.kind].__offsets__[relation.fk]
    for child, row in zip(children, rows, strict=True):
        groups[row[offset]].append(child)
    return groups


def _is_child(child: Any, fk: str, owner: Any) -> bool:
    """Whether a child that a store gave still hangs below the owner."""
    return fk not in child._state.original or bool(child.ref(fk) == owner.location)


@contextmanager
def collector_paused(large: bool) -> Iterator[None]:
    """Keep the cyclic collector from scanning again and again what is just being made in large numbers and lives on."""
    if not large or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def eager_paths(kind: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Check dotted paths and add their prefixes, parents first."""
    found: dict[str, None] = {}
    for path in paths:
        spec = SCHEMA[kind]
        steps: list[str] = []
        for step in path.split("."):
            spec = SCHEMA[_target(spec, step)]
            steps.append(step)
            found[".".join(steps)] = None
    return tuple(found)


def _target(spec: Any, step: str) -> str:
    field = spec.by_name.get(step)
    if field is not None and field.type is FieldType.REF:
        return str(field.target)
    if step in spec.relation_by_name:
        return str(spec.relation_by_name[step].kind)
    known = [*spec.relation_by_name, *(item.name for item in spec.refs)]
    raise QueryError(
        f"{spec.class_name} has no collection or foreign key {step!r}{did_you_mean(step, known)}",
        entity=spec.class_name,
        field=step,
    )
