"""What every store refuses in the same words."""

from __future__ import annotations

from typing import Protocol

from gnode_orm.errors import AccessDenied


class _Opened(Protocol):
    @property
    def target(self) -> str: ...
    @property
    def readonly(self) -> bool: ...


class _OpenedByOne(Protocol):
    @property
    def target(self) -> str: ...
    @property
    def user(self) -> str: ...


def check_writable(store: _Opened) -> None:
    """Refuse to write to a store that was opened for reading.

    Raises:
        AccessDenied: it was.
    """
    if store.readonly:
        raise AccessDenied(f"{store.target} was opened with readonly=True; open it again without to write")


def check_actor(store: _OpenedByOne, actor: str) -> None:
    """Refuse another actor than the one as whom a store was opened.

    Raises:
        AccessDenied: it is another.
    """
    if actor != store.user:
        raise AccessDenied(f"{store.target} was opened as {store.user}; open it again as {actor}")
