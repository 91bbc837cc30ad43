"""Taking out of a neo block the objects that cannot be kept, so that the others can be imported."""

from __future__ import annotations

import re
from typing import Any

from gnode_orm.convert.neo import convert
from gnode_orm.errors import ValidationFailed
from gnode_orm.files.validation.report import Issue

_STEP = re.compile(r"\.(\w+)\[(\d+)\]")
_CONTAINERS = ("analogsignals", "irregularlysampledsignals", "spiketrains", "events", "epochs", "imagesequences")


def conversion_without_refused(native: Any) -> tuple[Any, list[str]]:
    """Convert a neo block, leaving out what has no exact counterpart; say what that was.

    Raises:
        ValidationFailed: the block itself cannot be kept.
    """
    left_out: list[str] = []
    while True:
        try:
            return convert(native), left_out
        except ValidationFailed as error:
            places = [place for place, _ in error.errors]
            culprits = [found for place in places if (found := _at(native, place)) is not None]
            if not culprits:
                raise
            leave_out(native, culprits)
            left_out.append(f"left out: {error}")


def culprits_of(issues: list[Issue], places: dict[str, Any], pairs: list[tuple[Any, Any]]) -> list[Any]:
    """Give the neo objects that issues are about; empty where one is about the block as a whole.

    ``places`` has the model of each path.
    """
    natives = {id(model): native for native, model in pairs}
    block = pairs[0][0]
    found = []
    for issue in issues:
        path = issue.path
        while path not in places and "." in path:
            path = path.rpartition(".")[0]
        native = natives.get(id(places.get(path)))
        if native is None or native is block:
            return []
        found.append(native)
    return found


def take_out_of_document(issues: list[Issue], places: dict[str, Any]) -> bool:
    """Take sections and properties that issues are about out of their document; false where one is about it itself."""
    found = []
    for issue in issues:
        path = issue.path
        while path not in places and "." in path:
            path = path.rpartition(".")[0]
        found.append(places[path])
    if any(model.kind == "document" for model in found):
        return False
    for model in found:
        for parent in ("document", "section", "property"):
            if parent in type(model).__references__:
                setattr(model, parent, None)
    return True


def leave_out(block: Any, objects: list[Any]) -> None:
    """Take objects out of every list of a block, with the views on them."""
    gone = {id(item) for item in objects}
    block.segments = [segment for segment in block.segments if id(segment) not in gone]
    for segment in block.segments:
        _filter(segment, _CONTAINERS, gone)
    block.groups = [group for group in block.groups if id(group) not in gone]
    seen: set[int] = set()
    waiting = list(block.groups)
    while waiting:  # groups may hold each other
        group = waiting.pop()
        if id(group) in seen:
            continue
        seen.add(id(group))
        gone |= {id(view) for view in group.channelviews if id(view.obj) in gone}
        _filter(group, (*_CONTAINERS, "channelviews", "groups"), gone)
        waiting.extend(group.groups)


def _filter(holder: Any, containers: tuple[str, ...], gone: set[int]) -> None:
    for container in containers:
        members = list(getattr(holder, container))
        kept = [item for item in members if id(item) not in gone]
        if len(kept) < len(members):
            setattr(holder, container, kept)


def _at(block: Any, place: str) -> Any:
    """The object that a path such as ``block.segments[0].events[1].times`` is about, unless it is the block."""
    found = block
    for container, number in _STEP.findall(place):
        members = getattr(found, container, None)
        if members is None or int(number) >= len(members):
            break
        found = members[int(number)]
    return None if found is block else found
