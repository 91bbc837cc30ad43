"""New objects as rows: a column at a time, since most columns of most kinds are empty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from gnode_orm.core.codec import Row, writer
from gnode_orm.core.entity import Entity
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType
from gnode_orm.errors import ValidationFailed
from gnode_orm.location import Location

NameArray = Callable[[Entity, str, Any], Row]
"""Gives the columns of one array of one object."""

_SAME = (FieldType.TEXT, FieldType.INTEGER)


def rows_of(kind: str, entities: Sequence[Entity], name_array: NameArray) -> list[Row]:
    """Write new objects of one kind, which have their ids, as rows to create."""
    columns: list[Iterable[Any]] = [list(map(attrgetter("_state.id"), entities))]
    # Objects stand far from each other in memory: each is looked at once.
    held = [entity.__dict__ for entity in entities]
    given = set[str]().union(*held)
    for field in SCHEMA[kind].fields:
        name, late_name = field.name, field.late_name
        if late_name in given:
            # In this order: another thread that reads a field moves it from its late name to its own.
            values = [values.get(name) if (late := values.get(late_name)) is None else late for values in held]
        elif name in given:
            values = [values.get(name) for values in held]
        else:
            values = []
        columns += _columns(field, entities, values, name_array)
    return list(zip(*columns, strict=False))  # columns of nothing have no end


def _columns(
    field: FieldSpec, entities: Sequence[Entity], given: Sequence[Any], name_array: NameArray
) -> Iterable[Iterable[Any]]:
    """Write one field of all objects."""
    if all(value is None for value in given):
        return [repeat(None)] * len(field.write_columns)
    if field.type in _SAME:
        return [given]
    if field.type is FieldType.REF:
        return [_parent_ids(field.name, entities, given)]
    if field.type is FieldType.ARRAY:
        pairs = zip(entities, given, strict=True)
        return zip(*[name_array(entity, field.name, value) for entity, value in pairs], strict=True)
    write = writer(field)
    return zip(*[write(value) for value in given], strict=True)


def _parent_ids(name: str, entities: Sequence[Entity], parents: Sequence[Any]) -> list[int | None]:
    keys = list(map(id, parents))  # a class may have an equality of its own
    places = dict(zip(keys, range(len(keys)), strict=True))  # siblings share their parent
    known = {
        key: None if parents[at] is None else parent_id(entities[at], name, parents[at]) for key, at in places.items()
    }
    return [known[key] for key in keys]


def parent_id(entity: Entity, name: str, parent: Entity | Location) -> int:
    """Give the id of what a foreign key names.

    Raises:
        ValidationFailed: an object that is not in the session.
    """
    if isinstance(parent, Location):
        return parent.number
    if parent._state is None or parent._state.id == 0:
        raise ValidationFailed(
            f"{entity!r}.{name} refers to {parent!r}, which was not added; add it", entity=entity.kind, field=name
        )
    return parent._state.id
