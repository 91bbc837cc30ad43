"""Walking the objects of a neo block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def every_object(block: Any) -> Iterator[Any]:
    """Give the block, its segments, their data objects and its groups."""
    yield block
    for segment in block.segments:
        yield segment
        yield from data_objects(segment)
    seen: set[int] = set()
    open_groups = list(block.groups)
    while open_groups:  # groups may hold each other
        group = open_groups.pop()
        if id(group) not in seen:
            seen.add(id(group))
            yield group
            open_groups.extend(group.groups)


def data_objects(segment: Any) -> Iterator[Any]:
    """Give the signals, spike trains, events, epochs and images of a segment."""
    for name in ("analogsignals", "irregularlysampledsignals", "spiketrains", "events", "epochs", "imagesequences"):
        yield from getattr(segment, name)


def unit_text(signal: Any) -> str:
    """Give the unit of a signal, be it loaded or not."""
    return str(signal.units.dimensionality.string)
