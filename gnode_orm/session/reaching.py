"""What hangs together with an object that enters a session."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gnode_orm.core.entity import Entity


class Reached:
    """Objects without a session that hang together with one of them; breadth first, parents before children.

    Finding them changes nothing. Members of a collection are looked at together: they are of one kind, and are known
    to hang below its owner.

    Attributes:
        entities: the objects, by identity.
        groups: the same, of one kind each, with the foreign key by which a whole group is known to hang in, if any.
        met: those of a session that they meet.
        unsure: objects with a parent that may not have them in its collection, and the name of that.
        located: objects that name a parent by location, the foreign key that does, and the collection that it has.
    """

    def __init__(self, start: Entity) -> None:
        self.entities: dict[int, Entity] = {}
        self.groups: list[tuple[list[Entity], str | None]] = []
        self.met: dict[int, Entity] = {}
        self.unsure: list[tuple[Entity, Entity, str]] = []
        self.located: list[tuple[Entity, str, str | None]] = []
        self._take([(id(start), start)], None)
        for group, hung_by in self.groups:
            self._look_up(group, hung_by)
            if group[0].__spec__.relations:
                self._look_down(group)

    def _look_up(self, group: list[Entity], hung_by: str | None) -> None:
        for name, late_name, related in group[0].__spec__.ways_up:
            if name == hung_by:
                continue
            for entity in group:
                values = entity.__dict__
                parent = values.get(name)
                if parent is None:
                    if late_name in values:
                        self.located.append((entity, name, related))
                    continue
                self._take([(id(parent), parent)], None)
                if related:
                    self.unsure.append((entity, parent, related))

    def _look_down(self, group: list[Entity]) -> None:
        for entity in group:
            for collection in entity._collections.values() if entity._collections else ():
                self._take(collection.known_by_identity().items(), collection._relation.fk)

    def _take(self, near: Iterable[tuple[int, Any]], hung_by: str | None) -> None:
        fresh = []
        for key, other in near:
            if key in self.entities:
                continue
            if other._state is not None:
                self.met[key] = other
            else:
                self.entities[key] = other
                fresh.append(other)
        if fresh:
            self.groups.append((fresh, hung_by))
