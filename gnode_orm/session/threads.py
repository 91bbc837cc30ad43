"""One session, one thread at a time: handing over is fine, using it from two at once is an error that names both."""

from __future__ import annotations

import threading
from types import TracebackType

from gnode_orm.errors import SessionError


class OneAtATime:
    """A guard for the calls of a session; a thread may enter it again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._holder = 0

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise SessionError(
                f"The session is in use by thread {_name_of(self._holder)!r} and cannot be used by "
                f"{threading.current_thread().name!r} at the same time; open one session a thread from the same Lab"
            )
        self._holder = threading.get_ident()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


def _name_of(ident: int) -> str:
    return next((thread.name for thread in threading.enumerate() if thread.ident == ident), str(ident))
