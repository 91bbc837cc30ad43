"""Conflicts: what differs between what a change was based on, the change, and what somebody else wrote meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import Stale
from gnode_orm.core.codec import from_columns
from gnode_orm.core.entity import Entity
from gnode_orm.core.instants import from_microseconds
from gnode_orm.core.schema import META, FieldType
from gnode_orm.core.state import Status
from gnode_orm.errors import ConflictError, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.session.loading import take_record
from gnode_orm.session.planning import changed_fields, same_array
from gnode_orm.session.rolling_back import restore

if TYPE_CHECKING:
    from gnode_orm.session.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field of one object that was changed here and, meanwhile, by somebody else.

    Attributes:
        obj: the object.
        field: the field; ``None`` where the object was deleted on one side.
        base, mine, theirs: its value when it was read, here, and in the store now.
        user, time: who changed it, and when.
    """

    obj: Any
    field: str | None
    base: Any
    mine: Any
    theirs: Any
    user: str | None
    time: datetime | None

    def __str__(self) -> str:
        what = f"{self.obj!r}.{self.field}" if self.field else f"{self.obj!r}"
        return f"{what}: was {self.base!r}, here {self.mine!r}, there {self.theirs!r} (by {self.user})"


def conflict_error(session: UnitOfWork, stale: list[Stale]) -> ConflictError:
    """Build the error for objects that are no longer as they were read."""
    conflicts: list[Conflict] = []
    for item in stale:
        entity = session._identity.get(item.kind, item.id)
        if entity is not None:
            conflicts += _of_object(session, entity, item)
    rows = {(item.kind, item.id): item for item in stale}
    lines = "; ".join(map(str, conflicts[:5]))
    message = (
        f"{len(stale)} object{'s were' if len(stale) > 1 else ' was'} changed by somebody else since reading; nothing "
        f"was written. {lines}. Settle with .resolve('mine' | 'theirs' | 'merge' | a function) and commit again"
    )

    def resolver(error: ConflictError, how: Any) -> None:
        with session._use():
            _resolve(session, error, how, rows)

    return ConflictError(message, conflicts, resolver=resolver)


def _of_object(session: UnitOfWork, entity: Entity, item: Stale) -> list[Conflict]:
    time = None if item.version is None else from_microseconds(item.version)
    mine = changed_fields(entity)
    if item.row is None:
        return [Conflict(entity, None, None, {name: new for name, (_, new) in mine.items()}, None, item.user, time)]
    if entity._state is not None and entity._state.status is Status.DELETED:
        return [Conflict(entity, None, None, "deleted", "changed", item.user, time)]
    found = []
    for name, (base, new) in mine.items():
        theirs = _value(session, entity, name, item.row)
        found.append(Conflict(entity, name, base, new, theirs, item.user, time))
    return found


def _value(session: UnitOfWork, entity: Entity, name: str, row: tuple[Any, ...]) -> Any:
    spec = entity.__spec__.by_name[name]
    start = META + type(entity).__offsets__[name]
    columns = row[start : start + len(spec.read_columns)]
    if spec.type is not FieldType.REF:
        return from_columns(spec, columns, session.store)
    return None if columns[0] is None else Location.of_number(spec.target or "", columns[0])


def _resolve(session: UnitOfWork, error: ConflictError, how: Any, rows: dict[tuple[str, int], Stale]) -> None:
    if how not in ("mine", "theirs", "merge") and not callable(how):
        raise ValidationFailed(f"resolve({how!r}): 'mine', 'theirs', 'merge' or a function is needed", value=how)
    by_object: dict[int, list[Conflict]] = {}
    for conflict in error.conflicts:
        by_object.setdefault(id(conflict.obj), []).append(conflict)
    kept = {key: _kept(conflicts, how) for key, conflicts in by_object.items()}
    for key, conflicts in by_object.items():
        _rebase(session, conflicts[0].obj, rows[conflicts[0].obj.kind, conflicts[0].obj._state.id], kept[key])
    error.conflicts = []


def _kept(conflicts: list[Conflict], how: str | Callable[[Conflict], Any]) -> dict[str | None, Any]:
    """Values of this side that stay pending, by field."""
    kept: dict[str | None, Any] = {}
    for conflict in conflicts:
        if callable(how):
            kept[conflict.field] = how(conflict)
        elif how == "merge" and conflict.field is not None and _same(conflict.mine, conflict.theirs):
            continue
        elif how == "mine" or (how == "merge" and conflict.field is not None and _same(conflict.base, conflict.theirs)):
            kept[conflict.field] = conflict.mine
        elif how == "merge" and isinstance(conflict.mine, dict) and conflict.field is not None:
            kept[conflict.field] = _merged(conflict)
        elif how == "merge":
            raise ConflictError(f"{conflict} was changed on both sides; settle it with 'mine' or 'theirs'", conflicts)
    return kept


def _merged(conflict: Conflict) -> dict[str, Any]:
    """Merge annotations key by key; a key that both sides changed differently is a conflict still."""
    base, mine, theirs = conflict.base or {}, conflict.mine, conflict.theirs or {}
    merged = dict(theirs)
    for key in {**base, **mine}:
        if _same(base.get(key), mine.get(key)) and (key in base) == (key in mine):
            continue
        if not _same(base.get(key), theirs.get(key)) and not _same(mine.get(key), theirs.get(key)):
            raise ConflictError(f"{conflict.obj!r}.{conflict.field}[{key!r}] was changed on both sides", [conflict])
        if key in mine:
            merged[key] = mine[key]
        else:
            merged.pop(key, None)
    return merged


def _same(one: Any, other: Any) -> bool:
    from gnode_orm.core.typed_json import encode

    if isinstance(one, Entity) or isinstance(other, Entity):
        return bool(_address(one) == _address(other))
    if isinstance(one, ArrayHandle) or isinstance(other, ArrayHandle):
        return same_array(one, other)
    return bool(encode(one) == encode(other))


def _address(value: Any) -> Any:
    return value.location if isinstance(value, Entity) else value


def _rebase(session: UnitOfWork, entity: Entity, item: Stale, kept: dict[str | None, Any]) -> None:
    """Take over the stored version, then set what stays of this side on top of it."""
    state = entity._state
    assert state is not None
    was_deleted = state.status is Status.DELETED
    if item.row is None:
        if None in kept and kept[None] is not None:
            raise ConflictError(f"{entity!r} was deleted by {item.user}; copy it and add the copy to keep it")
        session._let_go(entity)
        return
    restore(session, [entity])
    take_record(session, entity, item.row)
    if was_deleted and None not in kept:
        state.status = Status.PERSISTENT
        session._pending.deleted.pop(id(entity), None)
    for name, value in kept.items():
        if name is not None:
            setattr(entity, name, value)
