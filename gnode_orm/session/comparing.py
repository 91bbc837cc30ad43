"""What differs from the last write: fields, foreign keys, arrays and links of channels."""

from __future__ import annotations

from typing import Any

from gnode_orm.core.annotations import plain
from gnode_orm.core.arrayhash import hash_of_pieces
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.codec import from_columns, read_part, to_columns
from gnode_orm.core.entity import Encoded, Entity
from gnode_orm.core.schema import FieldSpec, FieldType
from gnode_orm.errors import NotFound
from gnode_orm.location import Location
from gnode_orm.sentinels import NOT_LOADED

# By kind: a block has a collection of the same name, which is not many-to-many.
CHANNEL_LINKS = {"recordingchannel": "recordingchannelgroups", "recordingchannelgroup": "recordingchannels"}


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
    name = CHANNEL_LINKS.get(entity.kind)
    collection = (entity._collections or {}).get(name) if name is not None else None
    if name is None or collection is None or not any(collection.pending()):
        return {}
    return {name: collection.pending()}


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
