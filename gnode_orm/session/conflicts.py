"""Conflicts: what differs between what a change was based on, the change, and what somebody else wrote meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gnode_orm.core.annotations import plain
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import Stale
from gnode_orm.core.codec import from_columns
from gnode_orm.core.entity import Entity
from gnode_orm.core.instants import time_of
from gnode_orm.core.schema import META, FieldType
from gnode_orm.core.state import Status
from gnode_orm.core.typed_json import encode
from gnode_orm.errors import ConflictError, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.sentinels import NOT_GIVEN
from gnode_orm.session.comparing import changed_fields, same_array
from gnode_orm.session.deleting import forget_gone
from gnode_orm.session.loading import take_record
from gnode_orm.session.rolling_back import restore

if TYPE_CHECKING:
    from gnode_orm.session.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Conflict:
    """One field of one object, or one key of its annotations, that was changed here and, meanwhile, by somebody else.

    Attributes:
        obj: the object.
        field: the field; ``None`` where the object was deleted on one side.
        base, mine, theirs: its value when it was read, here, and in the store now; ``NOT_GIVEN`` for a key that is not
            there.
        user, time: who changed it, and when.
        key: the key, where both sides hold a dictionary; nested values are compared as a whole.
    """

    obj: Any
    field: str | None
    base: Any
    mine: Any
    theirs: Any
    user: str | None
    time: datetime | None
    key: str | None = None

    def __str__(self) -> str:
        if self.field is None:
            sides = "changed here and deleted there" if self.theirs is None else "deleted here and changed there"
            return f"{self.obj!r} was {sides} (by {self.user})"
        what = f"{self.obj!r}.{self.field}"
        what = what if self.key is None else f"{what}[{self.key!r}]"
        base, mine, theirs = (_shown(side) for side in (self.base, self.mine, self.theirs))
        if _same(self.base, self.theirs):
            return f"{what}: was and is {base} there, here {mine}"
        return f"{what}: was {base}, here {mine}, there {theirs} (by {self.user})"


def _shown(value: Any) -> str:
    return "absent" if value is NOT_GIVEN else repr(value)


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
    time = None if item.version is None else time_of(item.version)
    mine = changed_fields(entity)
    if item.row is None:
        return [Conflict(entity, None, None, {name: new for name, (_, new) in mine.items()}, None, item.user, time)]
    if entity._state is not None and entity._state.status is Status.DELETED:
        return [Conflict(entity, None, None, "deleted", "changed", item.user, time)]
    found = []
    for name, (base, new) in mine.items():
        theirs = _value(session, entity, name, item.row)
        whole = Conflict(entity, name, base, new, theirs, item.user, time)
        found += _by_key(whole) or [whole]
    return found


def _by_key(whole: Conflict) -> list[Conflict]:
    """One conflict for each key that was changed here; none where there is no dictionary, or only the order changed."""
    if not all(side is None or isinstance(side, dict) for side in (whole.base, whole.mine, whole.theirs)):
        return []
    base, mine, theirs = whole.base or {}, whole.mine or {}, whole.theirs or {}
    sides = [(key, *(side.get(key, NOT_GIVEN) for side in (base, mine, theirs))) for key in {**base, **mine}]
    return [
        replace(whole, base=before, mine=here, theirs=there, key=key)
        for key, before, here, there in sides if not _same(before, here)
    ]  # fmt: skip


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
    kept = [(conflicts[0].obj, _kept(conflicts, how)) for conflicts in by_object.values()]
    for entity, values in kept:
        _check_kept(session, entity, rows[entity.kind, entity._state.id], values)
    for entity, values in kept:
        _rebase(session, entity, rows[entity.kind, entity._state.id], values)
    error.conflicts = []


def _kept(conflicts: list[Conflict], how: str | Callable[[Conflict], Any]) -> list[tuple[Conflict, Any]]:
    """What of this side stays pending: the conflicts, each with the value to keep."""
    if callable(how):
        return [(conflict, how(conflict)) for conflict in conflicts]
    if how == "merge":
        return [(conflict, conflict.mine) for conflict in conflicts if _is_merged_as_mine(conflict)]
    return [(conflict, conflict.mine) for conflict in conflicts] if how == "mine" else []


def _is_merged_as_mine(conflict: Conflict) -> bool:
    """Whether this side alone changed a value; where the other side did alone, or did the same, theirs stays."""
    if conflict.field is not None and _same(conflict.mine, conflict.theirs):
        return False
    if conflict.field is not None and _same(conflict.base, conflict.theirs):
        return True
    raise ConflictError(
        f"{conflict} was changed on both sides; settle it with 'mine', 'theirs' or a function", [conflict]
    )


def _check_kept(session: UnitOfWork, entity: Entity, item: Stale, kept: list[tuple[Conflict, Any]]) -> None:
    """Refuse what cannot be set before anything is changed."""
    for conflict, value in kept:
        if item.row is None and value is not None:
            raise ConflictError(f"{entity!r} was deleted by {item.user}; copy it and add the copy to keep it")
        if conflict.field in (None, "ext"):
            continue
        if conflict.key is not None:
            if value is not NOT_GIVEN:
                encode({conflict.key: value})
            continue
        accepted = entity._accepted(conflict.field, value)
        if isinstance(accepted, Entity):
            entity._check_sessions(accepted)


def _same(one: Any, other: Any) -> bool:
    if one is NOT_GIVEN or other is NOT_GIVEN:
        return one is other
    if isinstance(one, Entity) or isinstance(other, Entity):
        return bool(_address(one) == _address(other))
    if isinstance(one, ArrayHandle) or isinstance(other, ArrayHandle):
        return same_array(one, other)
    return bool(encode(one) == encode(other))


def _address(value: Any) -> Any:
    return value.location if isinstance(value, Entity) else value


def _rebase(session: UnitOfWork, entity: Entity, item: Stale, kept: list[tuple[Conflict, Any]]) -> None:
    """Take over the stored version, then set what stays of this side on top of it."""
    state = entity._state
    assert state is not None
    if item.row is None:
        forget_gone(session, entity, None)
        return
    was_deleted = state.status is Status.DELETED
    restore(session, [entity])
    take_record(session, entity, item.row)
    if was_deleted and not any(value == conflict.mine for conflict, value in kept):
        state.status = Status.PERSISTENT
        session._pending.deleted.pop(id(entity), None)
    for conflict, value in kept:
        if conflict.field is not None:
            _keep(entity, conflict.field, conflict.key, value)


def _keep(entity: Entity, field: str, key: str | None, value: Any) -> None:
    if key is not None:
        document = plain(getattr(entity, field) or {})
        document.pop(key, None) if value is NOT_GIVEN else document.update({key: value})
        value = document
    if field == "ext":
        entity._set_ext(value)
    else:
        setattr(entity, field, value)
