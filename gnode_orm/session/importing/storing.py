"""Storing what was read, while pending work of the session that asked stays pending."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity
    from gnode_orm.session.session import Session


def store(session: Session, model: Entity, message: str) -> Any:
    """Commit a model with everything below it, and give the calling session's instance of it."""
    with _session_of_its_own(session) as own:
        own.add(model)
        own.commit(message)
        location = str(model.location)
    return session.get(location)


@contextmanager
def _session_of_its_own(session: Session) -> Iterator[Session]:
    own = session.lab.session()
    try:
        yield own
    except BaseException:
        own.rollback()
        raise
    finally:
        own.close()
