"""From pending objects to a plan: compare, check, sort. No I/O, but for reading an array that was replaced."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from gnode_orm.core.annotations import plain
from gnode_orm.core.arrayhash import hash_of_pieces
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, Link
from gnode_orm.core.codec import from_columns, read_part, to_columns
from gnode_orm.core.entity import Encoded, Entity
from gnode_orm.core.schema import FieldSpec, FieldType
from gnode_orm.core.state import Status
from gnode_orm.errors import CycleError, IntegrityError, NotFound, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.models import MODELS
from gnode_orm.sentinels import NOT_LOADED
from gnode_orm.session.plan import Plan, PlanItem, PlannedDelete, PlannedUpdate
from gnode_orm.topology import topological_order

_ORDER = {kind: place for place, kind in enumerate(MODELS)}
# By kind: a block has a collection of the same name, which is not many-to-many.
_CHANNEL_LINKS = {"recordingchannel": "recordingchannelgroups", "recordingchannelgroup": "recordingchannels"}


def make_plan(new: Iterable[Entity], modified: Iterable[Entity], deleted: Iterable[PlannedDelete]) -> Plan:
    """Build the plan of a commit.

    Raises:
        ValidationFailed: objects that do not hold together, all of them in one error.
        IntegrityError: a reference to an object that is deleted in the same commit.
        CycleError: sections that contain each other.
    """
    kinds = in_order(new)
    plan = Plan(creates=list(chain.from_iterable(kinds.values())))
    changed = [entity for entity in modified if entity._state is not None and entity._state.status is Status.PERSISTENT]
    _check([*(item for item in plan.creates if type(item).check is not Entity.check), *changed])
    _check_parents((entity, entity.__references__) for entity in plan.creates)
    _check_parents((entity, _changed_references(entity)) for entity in changed)
    for entity in sorted(changed, key=lambda item: _ORDER[item.kind]):
        _plan_update(plan, entity)
    _refuse_cycles(plan)
    linking = [entity for kind, entities in kinds.items() if kind in _CHANNEL_LINKS for entity in entities]
    _plan_links(plan, [*linking, *(entity for entity in changed if entity.kind in _CHANNEL_LINKS)])
    plan.deletes = sorted(deleted, key=lambda item: (-_ORDER[item.obj.kind], -_depth(item.obj)))
    plan.changes += [PlanItem("delete", item.obj, old=item.cascade and item.cascade.children) for item in plan.deletes]
    return plan


def in_order(entities: Iterable[Entity]) -> dict[str, list[Entity]]:
    """Sort new objects: kinds in the schema's order, and within sections parents first."""
    kinds: dict[str, list[Entity]] = {}
    for entity in entities:
        kinds.setdefault(entity.kind, []).append(entity)
    if "section" in kinds:
        kinds["section"] = topological_order(kinds["section"], _parent_section)
    return {kind: kinds[kind] for kind in sorted(kinds, key=_ORDER.__getitem__)}


def changed_fields(entity: Entity) -> dict[str, tuple[Any, Any]]:
    """Give ``field -> (old, new)`` for what differs from the last write; set and set back is no change."""
    changes: dict[str, tuple[Any, Any]] = {}
    state = entity._state
    if state is None or state.original is None:
        return changes
    for name, old in state.original.items():
        spec = entity.__spec__.by_name.get(name)
        if spec is not None and not _unchanged(entity, spec, old):
            changes[name] = (_readable(entity, spec, old), _detached(entity._raw(name)))
    return changes


def _detached(value: Any) -> Any:
    # Annotations are edited in place, also when a change is undone: who was told of a change keeps what it was.
    return plain(value) if isinstance(value, dict) else value


def link_changes(entity: Entity) -> dict[str, tuple[list[Entity], list[Entity]]]:
    """Give ``collection -> (added, removed)`` for many-to-many collections that were changed."""
    name = _CHANNEL_LINKS.get(entity.kind)
    collection = (entity._collections or {}).get(name) if name is not None else None
    if name is None or collection is None or not any(collection.pending()):
        return {}
    return {name: collection.pending()}


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


def _unchanged(entity: Entity, spec: FieldSpec, old: Any) -> bool:
    new: Any = entity._raw(spec.name)
    if spec.type is FieldType.REF:
        old = _old_reference(entity, spec, old)
        return old is new or _address(old) == _address(new) is not None
    if spec.type is FieldType.ARRAY:
        return old is new or same_array(_readable(entity, spec, old), new)
    if old is new and not isinstance(new, dict):
        return True
    columns = to_columns(spec, new)
    return bool(_old_columns(entity, spec, old) == read_part(spec, columns))


def _old_columns(entity: Entity, spec: FieldSpec, old: Any) -> tuple[Any, ...]:
    if old is NOT_LOADED:
        return _row_part(entity, spec)
    if isinstance(old, Encoded):
        return (None,) if old == "{}" else (str(old),)
    return read_part(spec, to_columns(spec, old))


def _row_part(entity: Entity, spec: FieldSpec) -> tuple[Any, ...]:
    start = type(entity).__offsets__[spec.name]
    assert entity._state is not None and entity._state.fields is not None
    return entity._state.fields[start : start + len(spec.read_columns)]


def _readable(entity: Entity, spec: FieldSpec, old: Any) -> Any:
    if spec.type is FieldType.REF:
        return _old_reference(entity, spec, old)
    if isinstance(old, Encoded):
        return from_columns(spec, (str(old),), None)
    if old is NOT_LOADED:
        return _stored_value(entity, spec)
    return old


def _stored_value(entity: Entity, spec: FieldSpec) -> Any:
    """Read what a record says; ``None`` for an array that its store could not give any more, as it was replaced."""
    assert entity._state is not None
    try:
        return from_columns(spec, _row_part(entity, spec), entity._state.origin)
    except NotFound:
        if spec.type is FieldType.ARRAY:
            return None
        raise


def old_reference(entity: Entity, name: str) -> Any:
    """Give the parent that a foreign key named at the last write: an instance, a location, or ``None``."""
    state = entity._state
    original = {} if state is None or state.original is None else state.original
    if name not in original:
        return entity._raw(name)
    return _old_reference(entity, entity.__spec__.by_name[name], original[name])


def _old_reference(entity: Entity, spec: FieldSpec, old: Any) -> Any:
    if old is not NOT_LOADED:
        return old
    number = _row_part(entity, spec)[0]
    assert spec.target is not None
    return None if number is None else Location.of_number(spec.target, number)


def _address(value: Any) -> Any:
    return value.location if isinstance(value, Entity) else value


def same_array(old: ArrayHandle | None, new: ArrayHandle | None) -> bool:
    """Whether two arrays have the same samples, dtype, shape and unit."""
    if old is None or new is None:
        return old is new
    if (old.shape, old.dtype.str, old.unit) != (new.shape, new.dtype.str, new.unit):
        return False
    return _hash(old) == _hash(new)


def _hash(handle: ArrayHandle) -> bytes:
    ref: ArrayRef | None = handle.ref
    # A store that names arrays by their place knows the content of some of them.
    named_by_place = getattr(handle._reader, "content_hash", None)
    if ref is not None and named_by_place is not None:
        content: bytes = named_by_place(ref)
        return content
    return ref.hash if ref is not None else hash_of_pieces(handle)


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


def _check_parents(named: Iterable[tuple[Entity, frozenset[str]]]) -> None:
    there: set[int] = set()  # siblings share their parent
    for entity, names in named:
        values = entity.__dict__
        for name in names:
            parent = values.get(name)
            if parent is not None and id(parent) not in there:
                _refuse_deleted(entity, name, parent)
                there.add(id(parent))


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
    for entity in entities:
        for added, removed in link_changes(entity).values():
            for others, is_added in ((added, True), (removed, False)):
                for other in others:
                    channel, group = (entity, other) if entity.kind == "recordingchannel" else (other, entity)
                    key = (id(channel), id(group), is_added)
                    if key in seen:
                        continue
                    seen.add(key)
                    old, new = (None, group) if is_added else (group, None)
                    op: Any = "link" if is_added else "unlink"
                    plan.changes.append(PlanItem(op, channel, "recordingchannelgroups", old, new))


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
