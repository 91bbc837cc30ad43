"""Hooks: functions that a session calls before it writes, after a commit, and when it loads an object."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gnode_orm.core.entity import Entity
from gnode_orm.errors import SessionError, ValidationFailed, did_you_mean
from gnode_orm.session.savepoints import Savepoint

if TYPE_CHECKING:
    from gnode_orm.session.commit import Commit
    from gnode_orm.session.session import Session

EVENTS = ("before_flush", "after_commit", "on_load")
_ROUNDS = 100


class Hooks:
    """The hooks of one session, in the order in which they were registered."""

    def __init__(self) -> None:
        self._hooks: dict[str, list[tuple[type[Entity], Callable[..., Any]]]] = {event: [] for event in EVENTS}
        self.loading = self._hooks["on_load"]
        """The hooks to call with what is loaded; most sessions have none."""

    def register(self, event: str, hook: Callable[..., Any], model: type[Entity]) -> None:
        """Add a hook.

        Raises:
            ValidationFailed: there is no such event, or it concerns no single class.
        """
        if event not in EVENTS:
            text = f"on({event!r}): {', '.join(EVENTS)} are the events{did_you_mean(event, EVENTS)}"
            raise ValidationFailed(text, field="event", value=event)
        if model is not Entity and event != "on_load":
            raise ValidationFailed(f"on({event!r}) concerns a whole commit, not one class", field="model", value=model)
        self._hooks[event].append((model, hook))

    def before_flush(self, session: Session) -> None:
        """Call the hooks until they cause no more work; one that raises leaves everything as it was."""
        hooks = self._hooks["before_flush"]
        if not hooks:
            return
        savepoint = Savepoint(session)
        try:
            for _ in range(_ROUNDS):
                before = _extent(session)
                for _model, hook in hooks:
                    hook(session)
                if _extent(session) == before:
                    return
            raise SessionError(f"The before_flush hooks caused more work {_ROUNDS} times in a row; nothing was written")
        except BaseException:
            savepoint.restore()
            raise

    def after_commit(self, session: Session, commit: Commit) -> None:
        """Tell the hooks what was written."""
        for _model, hook in self._hooks["after_commit"]:
            hook(session, commit)

    def on_load(self, entity: Entity) -> None:
        """Tell the hooks of its class about an object that came from the store."""
        for model, hook in self.loading:
            if isinstance(entity, model):
                hook(entity)


def _extent(session: Session) -> tuple[int, int, int]:
    """How much is pending; an object that is changed again causes no more work."""
    pending = session._pending
    return len(pending.new), len(pending.modified), len(pending.deleted)
