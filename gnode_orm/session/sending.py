"""A change set on its way to the store: what was pending when it was made, so that what is edited meanwhile survives.

While a change set is on its way, its objects count as unchanged. An edit in that time keeps the value that was sent, as
any first edit after a write does, and is pending when the write is settled; where the write fails, everything is
pending again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gnode_orm.core.changes import ArrayRef, ChangeSet
from gnode_orm.core.entity import Entity
from gnode_orm.session.plan import Plan
from gnode_orm.session.touched import linked, touched_collections


class Sending:
    """One plan on its way, from the moment when it was made.

    Attributes:
        plan: what is written.
        changes: the change set, once it is built.
        named: the arrays that it names, each with its object and field.
        entities: the objects that it creates and changes.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.changes = ChangeSet()
        self.named: list[tuple[Entity, str, ArrayRef]] = []
        self.entities: list[Entity] = plan.creates
        changed = [*(item.obj for item in plan.updates), *linked(plan)]
        if changed:
            self.entities = list({id(entity): entity for entity in (*plan.creates, *changed)}.values())
        self._collections = [(item, item.sent()) for item in touched_collections(self.entities)]
        self._states = [state for entity in self.entities if (state := entity._state) is not None]

    @contextmanager
    def on_its_way(self) -> Iterator[None]:
        """Let the objects count as unchanged inside; where it fails, everything is pending again."""
        before = [(state, state.original) for state in self._states if state.original is not None]
        for state, _ in before:
            state.original = None
        try:
            yield
        except BaseException:
            for state, original in before:
                state.original = {**(state.original or {}), **original}
            raise

    def values(self) -> list[tuple[Entity, dict[str, Any]]]:
        """Give each field of each object as it was sent; asked for while the change set is on its way."""
        sent = []
        for entity in self.entities:
            edited = _originals(entity) or {}
            fields = {name: edited[name] if name in edited else entity._held(name) for name in entity.__spec__.by_name}
            sent.append((entity, fields))
        return sent

    def edited(self, since: dict[int, dict[str, Any]]) -> None:
        """Let what was edited since, by the identity of the object, be all that is pending of the objects."""
        for entity in self.entities:
            _set_originals(entity, since.get(id(entity)))

    def settle_collections(self) -> None:
        """What was hung in and taken out before the change set was made is stored now; what came later is pending."""
        while self._collections:
            collection, sent = self._collections[-1]
            collection.settle(sent)
            self._collections.pop()

    def still_edited(self) -> list[Entity]:
        """Give the objects that were edited after the change set was made."""
        edited = (state() for state in self._states if state.original is not None)
        return [entity for entity in edited if entity is not None]


def _originals(entity: Entity) -> dict[str, Any] | None:
    state = entity._state
    return None if state is None else state.original


def _set_originals(entity: Entity, original: dict[str, Any] | None) -> None:
    if entity._state is not None:
        entity._state.original = original
