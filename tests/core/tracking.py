"""A session and a store of a few lines, for objects that are read from records."""

from __future__ import annotations

from typing import Any

from gnode_orm.core.codec import to_columns
from gnode_orm.core.schema import META, FieldType
from gnode_orm.core.state import Status
from gnode_orm.location import Location
from gnode_orm.models import Entity

PLACE = "block/2DFA548ESC"


class Origin:
    def guid(self, kind: str, id: int, version: int) -> str:
        return f"{id:016x}{version:016x}"

    def read_array(self, ref: Any, key: Any = ...) -> Any:
        raise AssertionError("no array is read")


class Session:
    """A tracker that notes what entities tell it."""

    def __init__(self, *loaded: Any) -> None:
        self.loaded = {(item.kind, item._state.id): item for item in loaded}
        self.changed: list[Any] = []

    def before_change(self, entity: Any) -> None:
        self.changed.append(entity)

    def join(self, entity: Any) -> None:
        raise AssertionError("nothing joins")

    def load_reference(self, entity: Any, name: str, kind: str, id: int) -> Any:
        return self.loaded[kind, id]

    def load_collection(self, entity: Any, relation: str) -> list[Any]:
        return []

    def find_loaded(self, kind: str, id: int) -> Any:
        return self.loaded.get((kind, id))

    def forget(self, state: Any) -> None:
        pass


def row_of(entity: Entity, id: int, version: int) -> tuple[Any, ...]:
    """The record of an entity without arrays, as a store gives it."""
    row: list[Any] = [id, version, version, "ada"]
    for spec in entity.__spec__.fields:
        if spec.type is FieldType.REF:
            location = entity.ref(spec.name)
            row.append(None if location is None else location.number)
        elif spec.type is FieldType.ARRAY:
            row += [None, None]
        else:
            row += to_columns(spec, entity._raw(spec.name))[: len(spec.read_columns)]
    return tuple(row)


def loaded(entity: Entity, session: Any = None, location: str = PLACE) -> Any:
    """The same entity as read from a store."""
    id = Location(location).number
    record = row_of(entity, id, 7)
    read = type(entity)._blank()
    read._enter(session, Origin(), Status.PERSISTENT, *record[:META], record[META:])
    return read
