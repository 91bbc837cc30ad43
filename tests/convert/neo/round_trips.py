"""The ways from neo to models and back: in memory, and through a store."""

from __future__ import annotations

from typing import Any

import neo

from gnode_orm.convert.neo import convert, to_neo
from gnode_orm.session import connect


def in_memory(native: Any) -> Any:
    return to_neo(convert(native).model)


def stored(native: Any) -> Any:
    """Through a store, read back by another session."""
    with connect(":memory:") as lab:
        return stored_in(lab, native)


def stored_in(lab: Any, native: Any) -> Any:
    """Through a lab, read back by another session."""
    with lab.session() as session:
        model = session.add(native)
        session.commit()
        location = model.location
    with lab.session() as session:
        return session.get(location).to_neo()


def in_block(*data: Any) -> neo.Block:
    """A block with one segment that holds the data."""
    block = neo.Block("block")
    segment = neo.Segment("segment")
    block.segments.append(segment)
    for item in data:
        getattr(segment, type(item).__name__.lower() + "s").append(item)
    return block
