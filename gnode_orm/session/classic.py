"""The calls of the original client: ``create``, ``set``, ``get``, ``select``, ``close``."""

from __future__ import annotations

from typing import Any

from gnode_orm.session.session import Session


def create(target: Any = None, **options: Any) -> Session:
    """Open a session, as the original client's ``session.create``; takes what ``Session`` takes."""
    return Session(target, **options)


def close(session: Session) -> None:
    """Close a session."""
    session.close()
