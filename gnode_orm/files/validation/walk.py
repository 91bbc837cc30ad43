"""Every model below one, each once, with its path."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

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
        for name in _collections(type(entity)):
            for number, child in enumerate(getattr(entity, name)):
                if id(child) not in seen:
                    seen.add(id(child))
                    children.append((f"{path}.{name}[{number}]", child))
        waiting.extend(reversed(children))


@cache
def _collections(model: Any) -> list[str]:
    spec = model.__spec__
    return [name for name in spec.relation_by_name if (spec.kind, name) not in _OUTWARD]
