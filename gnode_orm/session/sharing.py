"""Access lists of blocks and documents; what hangs below a root shares its rights."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import TYPE_CHECKING

from gnode_orm.core.arguments import check
from gnode_orm.core.entity import Entity
from gnode_orm.errors import ValidationFailed
from gnode_orm.location import Location

if TYPE_CHECKING:
    from gnode_orm.session.session import Session

LEVELS = ("read", "write")


def check_name(user: object) -> None:
    """See that something is the name of a user.

    Raises:
        ValidationFailed: it is no text, empty, or holds characters that cannot be printed.
    """
    if not isinstance(user, str) or not user or not user.isprintable():
        raise ValidationFailed(f"{user!r} is not the name of a user", value=user)


def share(session: Session, obj: Entity, user: str, level: str) -> None:
    """Add a user to the access list."""
    check_name(user)
    permissions(session, obj, {**access(session, obj), user: level})


def unshare(session: Session, obj: Entity, user: str) -> None:
    """Take a user from the access list.

    Raises:
        ValidationFailed: it is not shared with this user.
    """
    check_name(user)
    listed = access(session, obj)
    if user not in listed:
        raise ValidationFailed(f"{obj!r} is not shared with {user!r}; it is shared with {list(listed) or 'nobody'}")
    permissions(session, obj, {name: level for name, level in listed.items() if name != user})


def access(session: Session, obj: Entity) -> dict[str, str]:
    """Give the access list."""
    location = _root(obj)
    with session._use():
        return session.store.access(location.kind, location.number, session.user)


def permissions(session: Session, obj: Entity, wanted: dict[str, str] | None) -> dict[str, str]:
    """Give the access list, or replace it.

    Raises:
        ValidationFailed: there is no such level, or the object has no access list.
    """
    location = _root(obj)
    check("permissions(permissions)", wanted, (Mapping, NoneType), "a dict of user names and levels")
    if wanted is not None:
        for user, level in wanted.items():
            check_name(user)
            if not isinstance(level, str) or level not in LEVELS:
                raise ValidationFailed(
                    f"share with {user!r}: {level!r} is not a level; use 'read' or 'write'", value=level
                )
        with session._use():
            session._check_writable()
            session.store.set_access(location.kind, location.number, wanted, session.user)
    return access(session, obj)


def _root(obj: Entity) -> Location:
    if getattr(obj, "kind", None) not in ("block", "document") or isinstance(obj, type):
        raise ValidationFailed(f"{obj!r} cannot be shared by itself; share its block or document", value=obj)
    if obj.location is None:
        raise ValidationFailed(f"{obj!r} is not stored yet; commit it before sharing it", value=obj)
    return obj.location
