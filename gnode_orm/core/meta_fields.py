"""Attributes that the store decides on: location, id, guid, owner and times. Read-only; on the class, columns."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from gnode_orm.core.expressions import column
from gnode_orm.core.instants import from_microseconds, time_of
from gnode_orm.errors import ReadOnlyField
from gnode_orm.location import Location


class MetaField:
    """A read-only attribute that the store decides on; on the class, a column."""

    def __init__(self, read: Callable[[Any], Any], doc: str) -> None:
        self._read = read
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, obj: Any, owner: Any = None) -> Any:
        if obj is not None:
            return self._read(obj)
        spec = owner.__dict__.get("__spec__")
        return self if spec is None else column(spec.kind, spec, self._name)

    def __set__(self, obj: Any, value: Any) -> None:
        text = f"{type(obj).__name__}.{self._name} is decided by the store and cannot be set"
        raise ReadOnlyField(text, entity=type(obj).__name__, field=self._name, value=value)


def location_of(entity: Any) -> Location | None:
    """Give the address of a stored object."""
    state = entity._state
    return Location.of_number(entity.kind, state.id) if state is not None and state.stored else None


def id_of(entity: Any) -> str | None:
    """Give the ten characters of a stored object's id."""
    location = location_of(entity)
    return None if location is None else location.id


def guid_of(entity: Any) -> str | None:
    """Give the revision id of a stored object."""
    state = entity._state
    if state is None or not state.stored or state.origin is None:
        return None
    return str(state.origin.guid(entity.kind, state.id, state.version))


def owner_of(entity: Any) -> str | None:
    """Give the name of the user who made a stored object."""
    return None if entity._state is None else entity._state.owner


def created(entity: Any) -> datetime | None:
    """Give the time of the first commit."""
    state = entity._state
    return from_microseconds(state.created) if state is not None and state.created else None


def modified(entity: Any) -> datetime | None:
    """Give the time of the last commit; ``None`` also where a server does not tell it."""
    state = entity._state
    if state is None or not state.stored:
        return None
    moment = time_of(state.version)
    # A revision id that only looks like one with a time in it.
    return None if moment is not None and state.created and moment < from_microseconds(state.created) else moment
