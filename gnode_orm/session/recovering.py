"""After a write whose answer never came: find out what became of it, so that nothing is written twice or forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gnode_orm.core.changes import ArrayRef, ChangeSet
from gnode_orm.core.collections import Collection
from gnode_orm.core.entity import Encoded, Entity
from gnode_orm.session.plan import Plan
from gnode_orm.session.writing import touched_collections

if TYPE_CHECKING:
    from gnode_orm.session.unit_of_work import UnitOfWork


@dataclass(slots=True)
class Unsettled:
    """A change set whose fate is unknown: the store failed, or was interrupted, while it was taking it.

    Attributes:
        sent: each field of each object as it was sent, so that what is edited before the answer is known stays pending.
    """

    changes: ChangeSet
    plan: Plan
    refs: dict[tuple[int, str], ArrayRef]
    sent: list[tuple[Entity, dict[str, Any]]]

    def concerns(self, entity: Entity) -> bool:
        """Whether the change set would create an object."""
        return any(item is entity for item in self.plan.creates)


def unsettled(session: UnitOfWork, changes: ChangeSet, plan: Plan, refs: dict[tuple[int, str], ArrayRef]) -> Unsettled:
    """Keep what was sent; what it creates is known from now on, so that a query finds the same instances."""
    for entity in plan.creates:
        if entity._state is not None:
            session._identity.add(entity._state)
    entities = [*plan.creates, *(item.obj for item in plan.updates)]
    sent = [(entity, {name: entity._held(name) for name in entity.__spec__.by_name}) for entity in entities]
    return Unsettled(changes, plan, refs, sent)


def reconcile(session: UnitOfWork) -> None:
    """Ask the store for the receipt of a change set whose fate is unknown.

    Where the store has it, its objects are settled, and only what was edited since is pending. Where it has not, the
    next attempt carries the same id.
    """
    waiting = session._unsettled
    if waiting is None:
        return
    receipt = session.store.receipt(waiting.changes.id, session.user)
    session._unsettled = None
    if receipt is None:
        session._retry_id = waiting.changes.id
        _unknown_again(session, waiting)
        return
    since = _edits_since(waiting)
    later = [entity for entity in session._pending.new.values() if not waiting.concerns(entity)]
    hung = _hung_since(waiting, [*later, *(entity for entity, _ in since)])
    session._settle(waiting.plan, waiting.refs, receipt)
    for entity, original in since:
        assert entity._state is not None
        entity._state.original = original
        session._pending.modified[id(entity)] = entity
    for collection, added, removed in hung:
        collection.note_moves(added, removed)


def _unknown_again(session: UnitOfWork, waiting: Unsettled) -> None:
    for entity in waiting.plan.creates:
        if entity._state is not None:
            session._identity.remove(entity.kind, entity._state.id)


def _edits_since(waiting: Unsettled) -> list[tuple[Entity, dict[str, Any]]]:
    found = []
    for entity, sent in waiting.sent:
        changed = {name: old for name, old in sent.items() if not _same(old, entity._held(name))}
        if changed:
            found.append((entity, changed))
    return found


def _same(old: Any, now: Any) -> bool:
    return old is now or (isinstance(old, Encoded) and isinstance(now, Encoded) and old == now)


def _hung_since(waiting: Unsettled, edited: list[Entity]) -> list[tuple[Collection[Any], list[Any], list[Any]]]:
    """What was hung in and taken out after the change set was sent, by collection."""
    ids = {id(entity) for entity in edited}
    found = []
    for collection in touched_collections(edited):
        added, removed = collection.pending()
        found.append(
            (collection, [item for item in added if id(item) in ids], [item for item in removed if id(item) in ids])
        )
    return found
