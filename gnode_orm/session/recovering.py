"""After a write whose answer never came: find out what became of it, so that nothing is written twice or forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gnode_orm.core.changes import PartlyWritten
from gnode_orm.core.entity import Encoded, Entity
from gnode_orm.session.partial import written_part

if TYPE_CHECKING:
    from gnode_orm.session.sending import Sending
    from gnode_orm.session.unit_of_work import UnitOfWork


@dataclass(slots=True)
class Unsettled:
    """A change set whose fate is unknown: the store failed, or was interrupted, while it was taking it.

    Attributes:
        sent: each field of each object as it was sent, so that what is edited before the answer is known stays pending.
    """

    sending: Sending
    sent: list[tuple[Entity, dict[str, Any]]]


@contextmanager
def in_doubt(session: UnitOfWork, sending: Sending, unless: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Where what is inside fails, keep what was sent, since the store may have it.

    What it creates is known from then on, so that a query finds the same instances.
    """
    try:
        yield
    except unless:
        raise
    except BaseException:
        for entity in sending.plan.creates:
            if entity._state is not None:
                session._identity.add(entity._state)
        session._unsettled = Unsettled(sending, sending.values())
        raise


def reconcile(session: UnitOfWork) -> None:
    """Ask the store for the receipt of a change set whose fate is unknown.

    Where the store has it, its objects are settled, and only what was edited since is pending. Where it has not, the
    next attempt carries the same id.
    """
    waiting = session._unsettled
    if waiting is None:
        return
    try:
        receipt = session.store.receipt(waiting.sending.changes.id, session.user)
    except PartlyWritten as stopped:
        # What could not be deleted stays pending, and is tried again with what is written next.
        receipt = stopped.receipt
        waiting.sending.plan = written_part(waiting.sending.plan, stopped)
    session._unsettled = None
    if receipt is None:
        session._doubted = waiting
        unknown_again(session, waiting)
        return
    waiting.sending.edited(_edits_since(waiting))
    session._settle(waiting.sending, receipt)


def came_late(session: UnitOfWork) -> bool:
    """Whether a change set that the store did not have has arrived since, as when a slow server finishes it.

    An attempt that carries its id with other content is refused then; what was sent first is settled instead.
    """
    waiting = session._doubted
    if waiting is None:
        return False
    arrived = session.store.receipt(waiting.sending.changes.id, session.user) is not None
    session._doubted = None
    session._unsettled = waiting if arrived else None
    return arrived


def unknown_again(session: UnitOfWork, waiting: Unsettled) -> None:
    """Let the objects that a change set would create be found no more."""
    for entity in waiting.sending.plan.creates:
        if entity._state is not None:
            session._identity.remove(entity.kind, entity._state.id)


def _edits_since(waiting: Unsettled) -> dict[int, dict[str, Any]]:
    found = {}
    for entity, sent in waiting.sent:
        changed = {name: old for name, old in sent.items() if not _same(old, entity._held(name))}
        if changed:
            found[id(entity)] = changed
    return found


def _same(old: Any, now: Any) -> bool:
    return old is now or (isinstance(old, Encoded) and isinstance(now, Encoded) and old == now)
