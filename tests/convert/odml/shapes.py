"""odML trees as flat lists of facts, for comparison: odml's own equality ignores ids and order, and NaN."""

from __future__ import annotations

from typing import Any

from gnode_orm.core.entity import Entity
from gnode_orm.core.typed_json import encode

_ATTRIBUTES = (
    *("_id", "_name", "type", "_author", "_date", "_version", "_repository", "_origin_file_name"),
    *("_definition", "_reference", "_link", "_include", "_sec_cardinality", "_prop_cardinality"),
    *("_dtype", "_unit", "_uncertainty", "_value_origin", "_dependency", "_dependency_value", "_val_cardinality"),
    "_values",
)


def shape(native: Any) -> list[tuple[int, str, str]]:
    """Give (depth, class, everything it says) of each object, in order."""
    facts = []
    waiting = [(0, native)]
    while waiting:
        depth, item = waiting.pop()
        said = {name: repr(getattr(item, name)) for name in _ATTRIBUTES if hasattr(item, name)}
        facts.append((depth, type(item).__name__, repr(said)))
        members = [*getattr(item, "_props", ()), *getattr(item, "_sections", ())]
        waiting.extend((depth + 1, member) for member in reversed(members))
    return facts


def told(model: Entity) -> list[tuple[int, str, str]]:
    """Give (depth, kind, every field) of a model and of all below it, in order."""
    facts = []
    waiting: list[tuple[int, Any]] = [(0, model)]
    while waiting:
        depth, item = waiting.pop()
        fields = {name: item._raw(name) for name in type(item).__spec__.by_name if name not in item.__references__}
        facts.append((depth, item.kind, repr({**fields, "ext": encode(dict(sorted(item.ext.items())))})))
        names = [name for name in ("values", "properties", "sections") if name in type(item).__spec__.relation_by_name]
        members = [member for name in names for member in getattr(item, name)]
        waiting.extend((depth + 1, member) for member in reversed(members))
    return facts
