"""Storing what was read, while pending work of the session that asked stays pending."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
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


def written_ahead(session: Session, native: Any) -> AbstractContextManager[None]:
    """Let the samples of a neo block be written while a model is made of it and judged, where the store can do that."""
    from gnode_orm.convert.neo.raw_signals import RawSignal

    writing_ahead = getattr(session.store, "writing_ahead", None)
    if writing_ahead is None:
        return nullcontext()
    signals = [signal for segment in native.segments for signal in segment.analogsignals]
    samples = [signal.in_memory for signal in signals if isinstance(signal, RawSignal)]
    ahead: AbstractContextManager[None] = writing_ahead([array for array in samples if array is not None])
    return ahead


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
