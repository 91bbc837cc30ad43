"""Loads one by one that one query could have made: counted by relation, and told once."""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from types import FrameType

from gnode_orm.core.entity import Entity
from gnode_orm.errors import LazyLoadWarning

ENOUGH = 10

# Reading `segment.block` goes through these on its way to the session.
_WAY = ("gnode_orm.core.", "gnode_orm.models.", "gnode_orm.session.unit_of_work", __name__)
_PACKAGE = "gnode_orm."
_SEQUENCES = "_collections_abc"


class LazyLoads:
    """How often each relation was loaded at first use, for one object at a time, by one session."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[type[Entity], str]] = Counter()

    def note(self, model: type[Entity], relation: str) -> None:
        """Count a load that reading an attribute caused; the tenth of a relation warns.

        What the package itself loads, such as a conversion that walks down a tree, is not counted: the user cannot
        write it otherwise.
        """
        count = self._counts[model, relation]
        if count == ENOUGH:
            return
        depth = _depth_of_user()
        if depth is None:
            return
        self._counts[model, relation] = count + 1
        if count + 1 == ENOUGH:
            name = model.__name__
            warnings.warn(
                f"{name}.{relation} was loaded for {ENOUGH} objects one by one; load it for all of them at once: "
                f'session.query({name}).with_("{relation}")',
                LazyLoadWarning,
                stacklevel=depth,
            )


def _depth_of_user() -> int | None:
    """Find how far up the code stands that read the attribute; ``None`` where that is the package itself."""
    frame: FrameType | None = sys._getframe(2)
    depth = 2
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if not (name.startswith(_WAY) or name == _SEQUENCES):
            return None if name.startswith(_PACKAGE) else depth
        frame, depth = frame.f_back, depth + 1
    return None
