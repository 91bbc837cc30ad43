"""From pending objects to a plan: check, compare, sort. No I/O, but for reading an array that was replaced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from operator import attrgetter
from typing import Any

from gnode_orm.core.changes import Link
from gnode_orm.core.codec import to_columns
from gnode_orm.core.entity import Entity
from gnode_orm.core.schema import FieldType
from gnode_orm.core.state import Status
from gnode_orm.errors import CycleError, IntegrityError, ValidationFailed
from gnode_orm.models import MODELS
from gnode_orm.session.comparing import CHANNEL_LINKS, changed_fields, link_changes
from gnode_orm.session.plan import Plan, PlanItem, PlannedDelete, PlannedUpdate
from gnode_orm.topology import topological_order

_ORDER = {kind: place for place, kind in enumerate(MODELS)}


def make_plan(new: Iterable[Entity], modified: Iterable[Entity], deleted: Iterable[PlannedDelete]) -> Plan:
    """Build the plan of a commit.

    Raises:
        ValidationFailed: objects that do not hold together, all of them in one error.
        IntegrityError: a reference to an object that is deleted in the same commit.
        CycleError: sections that contain each other.
    """
    kinds = in_order(new)
    plan = Plan(creates=list(chain.from_iterable(kinds.values())))
    models: set[type[Entity]] = set(map(type, plan.creates))
    checking = {model for model in models if model.check is not Entity.check}
    changed = [entity for entity in modified if entity._state is not None and entity._state.status is Status.PERSISTENT]
    _check([*(item for item in plan.creates if type(item) in checking), *changed])
    for entities in kinds.values():
        _check_parents(entities, entities[0].__references__)
    for entity in changed:
        _check_parents([entity], _changed_references(entity))
    for entity in sorted(changed, key=lambda item: _ORDER[item.kind]):
        _plan_update(plan, entity)
    _refuse_cycles(plan)
    linking = [entity for kind, entities in kinds.items() if kind in CHANNEL_LINKS for entity in entities]
    _plan_links(plan, [*linking, *(entity for entity in changed if entity.kind in CHANNEL_LINKS)])
    plan.deletes = sorted(deleted, key=lambda item: (-_ORDER[item.obj.kind], -_depth(item.obj)))
    plan.changes += [PlanItem("delete", item.obj, old=item.cascade and item.cascade.children) for item in plan.deletes]
    return plan


def in_order(entities: Iterable[Entity]) -> dict[str, list[Entity]]:
    """Sort new objects: kinds in the schema's order, and within sections parents first."""
    kinds: dict[str, list[Entity]] = {}
    for kind, group in groupby(entities, attrgetter("kind")):
        kinds.setdefault(kind, []).extend(group)
    if "section" in kinds:
        kinds["section"] = topological_order(kinds["section"], _parent_section)
    return {kind: kinds[kind] for kind in sorted(kinds, key=_ORDER.__getitem__)}


def _plan_update(plan: Plan, entity: Entity) -> None:
    changes = changed_fields(entity)
    if not changes:
        return
    values: dict[str, Any] = {}
    arrays = []
    for name, (old, new) in changes.items():
        spec = entity.__spec__.by_name[name]
        plan.changes.append(PlanItem("move" if spec.type is FieldType.REF else "set", entity, name, old, new))
        if spec.type is FieldType.ARRAY:
            arrays.append(name)
        elif spec.type is not FieldType.REF:
            values.update(zip(spec.write_columns, to_columns(spec, new), strict=True))
        else:
            values[spec.write_columns[0]] = new
    plan.updates.append(PlannedUpdate(entity, values, tuple(arrays)))


def _check(entities: list[Entity]) -> None:
    problems: list[str] = []
    pairs: list[tuple[str, str]] = []
    for entity in entities:
        try:
            entity.check()
        except ValidationFailed as error:
            problems.append(f"{entity!r}: {error}")
            pairs += error.errors
    if problems:
        raise ValidationFailed("Nothing was written. " + "; ".join(problems), errors=pairs)


def _check_parents(entities: list[Entity], names: Iterable[str]) -> None:
    for name in names:
        children = {id(entity.__dict__.get(name)): entity for entity in entities}  # siblings share their parent
        for entity in children.values():
            parent = entity.__dict__.get(name)
            if parent is not None:
                _refuse_deleted(entity, name, parent)


def _changed_references(entity: Entity) -> frozenset[str]:
    state = entity._state
    # A stored reference that was not touched follows the delete: it becomes null, or its owner goes too.
    original = None if state is None else state.original
    return entity.__references__ & (original or {}).keys()


def _refuse_deleted(entity: Entity, name: str, parent: Entity) -> None:
    if parent._state is not None and parent._state.status in (Status.DELETED, Status.GONE):
        raise IntegrityError(
            f"{entity!r}.{name} refers to {parent!r}, which is deleted; set {name} to another object or to None"
        )


def _refuse_cycles(plan: Plan) -> None:
    moved = [item.obj for item in plan.updates if item.obj.kind == "section" and "section_id" in item.values]
    for section in moved:
        path = [section]
        parent = vars(section).get("section")
        while parent is not None:
            if parent is section:
                ring = " -> ".join(repr(item.name) for item in [*path, section])
                raise CycleError(f"Sections contain each other: {ring}; nothing was written", path)
            path.append(parent)
            parent = parent.section
            if len(path) > 100_000:
                raise CycleError("Sections contain each other; nothing was written", path[-10:])


def _plan_links(plan: Plan, entities: list[Entity]) -> None:
    seen: set[tuple[int, int, bool]] = set()
    for channel, group, is_added in _moved_links(entities):
        key = (id(channel), id(group), is_added)
        if key not in seen:
            seen.add(key)
            old, new = (None, group) if is_added else (group, None)
            plan.changes.append(PlanItem("link" if is_added else "unlink", channel, "recordingchannelgroups", old, new))


def _moved_links(entities: list[Entity]) -> Iterator[tuple[Entity, Entity, bool]]:
    """Give channel, group, and whether they were joined; twice where both sides were changed."""
    for entity in entities:
        for added, removed in link_changes(entity).values():
            for other, is_added in (*((item, True) for item in added), *((item, False) for item in removed)):
                channel, group = (entity, other) if entity.kind == "recordingchannel" else (other, entity)
                yield channel, group, is_added


def channel_links(plan: Plan) -> list[Link]:
    """Give the links of a plan with the ids that the channels and groups have by now."""
    links = []
    for item in plan.changes:
        if item.op in ("link", "unlink"):
            group = item.new if item.op == "link" else item.old
            links.append(Link(item.obj._state.id, group._state.id, item.op == "link"))
    return links


def _parent_section(section: Entity) -> list[Entity]:
    parent = vars(section).get("section")
    return [] if parent is None else [parent]


def _depth(entity: Entity) -> int:
    depth = 0
    if entity.kind != "section":
        return depth
    parent = vars(entity).get("section")
    while parent is not None and depth < 100_000:
        depth += 1
        parent = vars(parent).get("section")
    return depth
