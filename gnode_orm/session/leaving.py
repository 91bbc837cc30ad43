"""Letting go of objects: collections of those that stay no longer show what would not be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gnode_orm.core.entity import Entity
from gnode_orm.session.comparing import CHANNEL_LINKS
from gnode_orm.session.rolling_back import new_below
from gnode_orm.session.touched import touched_collections

if TYPE_CHECKING:
    from gnode_orm.session.unit_of_work import UnitOfWork


def let_go(session: UnitOfWork, obj: Entity) -> None:
    """Let go of an object, and of new objects below it.

    A stored one that is met again in a collection is another instance then, whose changes are written.
    """
    stored = session._own(obj).stored
    leaving = [obj, *new_below(session, obj)]
    touched = touched_collections(leaving)
    for entity in leaving:
        session._let_go(entity)
    for collection in touched:
        state = collection._owner._state
        if state is not None and state.tracker is session:
            for entity in leaving:
                collection.forget(entity)
            if stored:
                collection.expire()
    if stored and obj.kind in CHANNEL_LINKS:
        _expire_links(session, obj.kind)


def _expire_links(session: UnitOfWork, kind: str) -> None:
    """Read the channels of groups, or the groups of channels, anew; what is pending in them stays."""
    for other, name in CHANNEL_LINKS.items():
        for entity in session._identity.of_kind(other) if other != kind else ():
            collection = (entity._collections or {}).get(name)
            if collection is not None:
                collection.expire()
