"""What a session has pending: new, modified and deleted objects, in the order in which they became so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

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

    def drop_new(self, entities: Iterable[Entity]) -> None:
        """Forget new objects that were written."""
        for key in map(id, entities):
            self.new.pop(key, None)

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
