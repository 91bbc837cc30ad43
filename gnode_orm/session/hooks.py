"""Hooks: functions that are called before a session writes, after a commit, and when an object is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gnode_orm.core.entity import Entity
from gnode_orm.errors import SessionError, ValidationFailed, did_you_mean
from gnode_orm.session.savepoints import Savepoint

if TYPE_CHECKING:
    from gnode_orm.session.commit import Commit
    from gnode_orm.session.session import Session
    from gnode_orm.session.unit_of_work import UnitOfWork

EVENTS = ("before_flush", "after_commit", "on_load")
_ROUNDS = 100

Hook = Callable[..., Any]


class Hooks:
    """The hooks of one lab, or of one session with those of its lab before them, in the order of registration.

    One that raises leaves the session as it was before the hooks were called.
    """

    def __init__(self, of_lab: Hooks | None = None) -> None:
        self._of_lab = of_lab
        self._hooks: dict[str, list[tuple[type[Entity], Hook]]] = {event: [] for event in EVENTS}

    def register(self, event: str, hook: Hook, model: type[Entity]) -> None:
        """Add a hook.

        Raises:
            ValidationFailed: there is no such event or no such class, or the hook cannot be called.
        """
        if not isinstance(event, str) or event not in EVENTS:
            text = f"on({event!r}): {', '.join(EVENTS)} are the events{did_you_mean(event, EVENTS)}"
            raise ValidationFailed(text, field="event", value=event)
        if not callable(hook):
            raise ValidationFailed(f"on({event!r}, {hook!r}): a function is needed", field="hook", value=hook)
        if not (isinstance(model, type) and issubclass(model, Entity)):
            raise ValidationFailed(f"on({event!r}): {model!r} is no model such as Block", field="model", value=model)
        self._hooks[event].append((model, hook))

    def before_flush(self, session: Session) -> None:
        """Call the hooks until they cause no more work."""
        hooks = self._of("before_flush")
        if not hooks:
            return
        with _undone_on_failure(session):
            for _ in range(_ROUNDS):
                before = _extent(session)
                for model, hook in hooks:
                    if model is Entity:
                        hook(session)
                    else:
                        _call_for_each(hook, model, [*session.new, *session.dirty])
                if _extent(session) == before:
                    return
            raise SessionError(f"The before_flush hooks caused more work {_ROUNDS} times in a row; nothing was written")

    def after_commit(self, session: Session, commit: Commit, written: list[Entity]) -> None:
        """Tell the hooks what was written; what was written stays so, whatever they raise."""
        hooks = self._of("after_commit")
        if not hooks:
            return
        with _undone_on_failure(session):
            for model, hook in hooks:
                if model is Entity:
                    hook(session, commit)
                else:
                    _call_for_each(hook, model, written, commit)

    def on_load(self, session: UnitOfWork, entities: list[Entity]) -> None:
        """Tell the hooks about objects that came from the store; where one raises, they were not loaded."""
        hooks = self._of("on_load")
        if not hooks or not entities:
            return
        try:
            with _undone_on_failure(session):
                for model, hook in hooks:
                    _call_for_each(hook, model, entities)
        except BaseException:
            for entity in entities:
                session._let_go(entity)
            raise

    def _of(self, event: str) -> list[tuple[type[Entity], Hook]]:
        return [*(self._of_lab._of(event) if self._of_lab else ()), *self._hooks[event]]


@contextmanager
def _undone_on_failure(session: UnitOfWork) -> Iterator[None]:
    savepoint = Savepoint(session)
    try:
        yield
    except BaseException:
        savepoint.restore()
        raise


def _call_for_each(hook: Hook, model: type[Entity], entities: Iterable[Entity], *more: Any) -> None:
    for entity in entities:
        if isinstance(entity, model):
            hook(entity, *more)


def _extent(session: Session) -> tuple[list[int], list[int], list[int]]:
    """What is pending; an object that is changed again causes no more work."""
    pending = session._pending
    return list(pending.new), list(pending.modified), list(pending.deleted)
