"""After a write whose answer never came: find out what became of it, so that nothing is written twice or forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gnode_orm.core.changes import ChangeSet, PartlyWritten, Receipt
from gnode_orm.core.entity import Encoded, Entity
from gnode_orm.errors import StoreUnavailable
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

    Where the store has it, the objects of the attempt that it names are settled, and only what was edited since is
    pending. Where it has not, the next attempt carries the same id.
    """
    waiting = session._unsettled
    if waiting is None:
        return
    stopped = None
    try:
        receipt = session.store.receipt(waiting.sending.changes.id, session.user)
    except PartlyWritten as error:
        receipt, stopped = error.receipt, error
    if receipt is None:
        session._unsettled = None
        session._doubted[waiting.sending.changes.attempt] = waiting
        unknown_again(session, waiting)
        return
    taken = _attempt_of(session, waiting, receipt)
    session._unsettled = None
    if taken is not waiting:
        unknown_again(session, waiting)
    if stopped is not None:
        # What could not be deleted stays pending, and is tried again with what is written next.
        taken.sending.plan = written_part(taken.sending.plan, stopped)
    taken.sending.edited(_edits_since(taken))
    session._settle(taken.sending, receipt)


def _attempt_of(session: UnitOfWork, waiting: Unsettled, receipt: Receipt) -> Unsettled:
    """Give the attempt that a receipt is for, of several that may have arrived."""
    attempts = {**session._doubted, waiting.sending.changes.attempt: waiting}
    if receipt.attempt in attempts:
        return attempts[receipt.attempt]
    if len(attempts) == 1 and not receipt.attempt:
        return waiting
    raise StoreUnavailable(
        f"The store has the change set {receipt.id}, and does not tell which of {len(attempts)} attempts it wrote; "
        "roll back, and read again what it has"
    )


def name_alike(session: UnitOfWork, changes: ChangeSet) -> None:
    """Let a change set carry the id of those that may still arrive, so that one of them alone is written."""
    for attempt, waiting in session._doubted.items():
        before = waiting.sending.changes
        changes.id = before.id
        if replace(changes, attempt=attempt) == before:
            changes.attempt = attempt  # the same once more
            return


def came_late(session: UnitOfWork) -> bool:
    """Whether a change set that the store did not have has arrived since, as when a slow server finishes it.

    An attempt that carries its id with other content is refused then; what was sent first is settled instead.
    """
    if not session._doubted:
        return False
    _, session._unsettled = session._doubted.popitem()
    reconcile(session)
    return not session._doubted


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
