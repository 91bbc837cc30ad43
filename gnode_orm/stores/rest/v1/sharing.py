"""Access lists of blocks and documents, which their owner alone may see on a server of API v1."""

from __future__ import annotations

from typing import Any

from gnode_orm.errors import AccessDenied, NotFound, StoreUnavailable, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1.connection import Refused, V1Connection
from gnode_orm.stores.rest.v1.records import user_of
from gnode_orm.wire import json_text
from gnode_orm.wire.kinds import ROOT_KINDS
from gnode_orm.wire.rendering import user_path

_LEVELS = {1: "read", 2: "write"}
_NUMBERS = {level: number for number, level in _LEVELS.items()}


def access(connection: V1Connection, kind: str, id_: int) -> dict[str, str]:
    """Give the access list: user to level."""
    _check_root(kind)
    path = _path(kind, id_)
    try:
        return _listed(connection.get(path))
    except Refused as refusal:
        raise _explained(connection, kind, id_, refusal) from None


def set_access(connection: V1Connection, kind: str, id_: int, levels: dict[str, str]) -> None:
    """Replace the access list.

    Raises:
        ValidationFailed: an unknown level, or a user whom the server does not know.
        AccessDenied: the object is somebody else's.
    """
    _check_root(kind)
    for user, level in levels.items():
        if level not in _NUMBERS:
            raise ValidationFailed(f"The access of {user!r} is {level!r}; use 'read' or 'write'", value=level)
        # The server fails without a word on a user whom it does not know.
        if connection.get_or_none(user_path(user)) is None:
            raise ValidationFailed(f"{connection.address} knows no user {user!r}; nothing was shared", value=user)
    wanted = [{"user": user_path(user), "access_level": _NUMBERS[level]} for user, level in levels.items()]
    body = json_text.dumps(wanted)
    try:
        now = connection.exchange(
            "PUT", _path(kind, id_), lambda answer: json_text.loads(answer.data), body, "application/json"
        )
    except Refused as refusal:
        raise _explained(connection, kind, id_, refusal) from None
    if _listed(now) != levels:
        raise StoreUnavailable(f"{connection.address} shares {Location.of_number(kind, id_)} with {_listed(now)} now")


def _listed(answer: Any) -> dict[str, str]:
    return {user_of(item["user"]): _LEVELS[item["access_level"]] for item in answer}


def _path(kind: str, id_: int) -> str:
    return f"{Location.of_number(kind, id_)}acl/"


def _check_root(kind: str) -> None:
    if kind not in ROOT_KINDS:
        raise ValidationFailed(
            f"Only blocks and documents are shared, not a {kind}; share the one above it", value=kind
        )


def _explained(connection: V1Connection, kind: str, id_: int, refusal: Refused) -> Exception:
    location = Location.of_number(kind, id_)
    item = connection.get_or_none(str(location))
    if item is None:
        return NotFound(f"{location} does not exist, or is not shared with you")
    if refusal.denied or refusal.status == 500:
        return AccessDenied(f"{location} belongs to {user_of(item['owner'])}; only its owner can see and share it")
    return refusal.error(str(location))
