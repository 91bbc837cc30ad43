"""The blocks of recordings as neo has them, with their signals loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gnode_orm.convert.neo import from_neo, to_neo
from gnode_orm.files.recordings import Failure, Recording


def natives(recording: Recording) -> Iterator[Any]:
    """Give each block, or the failure to read it."""
    for _, native in recording.blocks():
        yield native if isinstance(native, Failure) else to_neo(from_neo(native))
