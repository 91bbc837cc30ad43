"""Every model below one, each once, with its path."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from gnode_orm.core.schema import SCHEMA

# Collections that lead out of the tree below an object: they name what refers to a section, or lead back up.
_OUTWARD = {("section", "blocks"), ("section", "segments"), ("recordingchannel", "recordingchannelgroups")}


def walk(root: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Give ``(path, model)`` for an object and everything below it, parents first; iterative, so depth is no limit."""
    seen = {id(root)}
    waiting = [(path, root)]
    while waiting:
        path, entity = waiting.pop()
        yield path, entity
        children = []
        for name in _collections(entity.kind):
            for number, child in enumerate(getattr(entity, name)):
                if id(child) not in seen:
                    seen.add(id(child))
                    children.append((f"{path}.{name}[{number}]", child))
        waiting.extend(reversed(children))


@cache
def _collections(kind: str) -> list[str]:
    return [name for name in SCHEMA[kind].relation_by_name if (kind, name) not in _OUTWARD]
