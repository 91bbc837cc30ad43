"""What a session has pending: new, modified and deleted objects, in the order in which they became so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from gnode_orm.core.entity import Entity
from gnode_orm.session.comparing import changed_fields, link_changes
from gnode_orm.session.plan import PlannedDelete


class Pending:
    """Three registers, each by object identity and in order. They hold their objects strongly: nothing is lost."""

    def __init__(self) -> None:
        self.new: dict[int, Entity] = {}
        self.modified: dict[int, Entity] = {}
        self.deleted: dict[int, PlannedDelete] = {}

    def dirty(self) -> list[Entity]:
        """Stored objects that really differ from what is stored."""
        return [item for item in self.modified.values() if id(item) not in self.deleted and is_changed(item)]

    def touched(self) -> list[Entity]:
        """Stored objects that something was set on, leaving out those that were since found to be as before."""
        return [item for item in self.modified.values() if item._state is not None and item._state.original is not None]

    def forget_unchanged(self) -> None:
        """Let go of stored objects whose changes were written, or set back."""
        for key, entity in list(self.modified.items()):
            if not is_changed(entity) and entity._state is not None:
                entity._state.original = None
                del self.modified[key]

    def gone(self) -> list[Entity]:
        """Objects marked for deletion."""
        return [item.obj for item in self.deleted.values()]

    def drop(self, entity: Entity) -> None:
        """Forget one object."""
        self.new.pop(id(entity), None)
        self.modified.pop(id(entity), None)
        self.deleted.pop(id(entity), None)

    def clear(self) -> None:
        """Forget everything pending."""
        self.new.clear()
        self.modified.clear()
        self.deleted.clear()

    def __bool__(self) -> bool:
        return bool(self.new or self.deleted or self.dirty())

    def __iter__(self) -> Iterator[Entity]:
        yield from self.new.values()
        yield from self.dirty()
        yield from self.gone()


def is_changed(entity: Entity) -> bool:
    """Whether an object differs from what was last written."""
    return bool(changed_fields(entity) or link_changes(entity))


def counted(entities: Iterable[Entity]) -> str:
    """Give ``214 uncommitted objects (1 Block, 3 Segment, 210 AnalogSignal)``."""
    counts = Counter(type(entity).__name__ for entity in entities)
    total = sum(counts.values())
    kinds = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"{total} uncommitted object{'s' if total != 1 else ''} ({kinds})"


def reachable(start: Entity) -> tuple[dict[int, Entity], list[Entity]]:
    """Objects without a session that hang together with ``start``, and those of a session that they meet.

    The former by identity; breadth first, parents before children.
    """
    found: dict[int, Entity] = {id(start): start}
    met: dict[int, Entity] = {}
    queue = [start]
    for entity in queue:
        values = entity.__dict__
        near: list[Any] = []
        for name in entity.__references__:
            parent = values.get(name)
            if parent is not None and id(parent) not in found:
                near.append(parent)
        for collection in entity._collections.values() if entity._collections else ():
            near += collection.known()
        for other in near:
            if id(other) in found:
                continue
            if other._state is not None:
                met[id(other)] = other
                continue
            found[id(other)] = other
            queue.append(other)
    return found, list(met.values())
