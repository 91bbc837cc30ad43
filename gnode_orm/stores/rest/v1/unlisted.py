"""Children that no list shows: those of others below what is public or shared can be read by their addresses alone.

The object above names them, so they are asked for one by one. Only below objects of others that were seen before, since
whoever asks for the members of a collection has its owner.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.select import Comparison, Select
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1.delta import Key
from gnode_orm.stores.rest.v1.records import Json
from gnode_orm.wire.kinds import wire_kind


def parents_asked_for(select: Select, others: Collection[Key]) -> list[Key]:
    """Give the objects of others whose members a query asks for, where it asks for nothing else."""
    node = select.where
    if not others or not isinstance(node, Comparison) or node.operator not in ("eq", "in") or len(node.attr.path) != 1:
        return []
    field = SCHEMA[select.kind].by_name.get(node.attr.path[0])
    if field is None or field.target is None:
        return []
    values = node.value if isinstance(node.value, tuple) else (node.value,)
    keys = ((value.kind, value.number) for value in values if isinstance(value, Location))
    return [key for key in keys if key in others]


def members_named(kind: str, fk: str, parents: Iterable[Json], above: str) -> list[int]:
    """Give the ids of the members that objects name themselves."""
    names = [key for key, relation in wire_kind(above).sets.items() if (relation.kind, relation.fk) == (kind, fk)]
    return [Location(address).number for item in parents for name in names for address in item.get(name) or ()]
