"""Access lists of blocks and documents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from gnode_orm.errors import NotFound, ValidationFailed, did_you_mean
from gnode_orm.server.endpoints import Call
from gnode_orm.server.objects import json_answer, kind_of
from gnode_orm.server.problems import Refusal
from gnode_orm.server.reading import find
from gnode_orm.wire.kinds import ROOT_KINDS
from gnode_orm.wire.rendering import user_path

_LEVELS = {1: "read", 2: "write"}
_NUMBERS = {name: number for number, name in _LEVELS.items()}


def get_list(call: Call) -> Response:
    """Answer with the access list; for the owner alone."""
    kind, id_ = _root(call)
    return _answer(call.store.access(kind, id_, call.user))


def put_list(call: Call) -> Response:
    """Replace the access list."""
    kind, id_ = _root(call)
    call.store.access(kind, id_, call.user)  # who may not see it is told that, whatever he sends
    given = call.json()
    if not isinstance(given, list):
        raise ValidationFailed('A list such as [{"user": "/api/v1/user/user/ann/", "access_level": 1}] is needed')
    levels = dict(map(_entry, given))
    check_accounts(call.store, kind, id_, levels, call.user)
    call.store.set_access(kind, id_, levels, call.user)
    return _answer(call.store.access(kind, id_, call.user))


def _root(call: Call) -> tuple[str, int]:
    kind = kind_of(call)
    if kind not in ROOT_KINDS:
        raise NotFound(f"A {kind} has no access list; its rights are those of the block or document above it")
    return kind, find(call.store, kind, call.params["id"], call.user)["id"]


def check_accounts(store: Any, kind: str, id_: int, names: Iterable[str], actor: str) -> None:
    """Refuse to share with a name that is no account, unless it is on the list already.

    Raises:
        ValidationFailed: nobody could use that share, until somebody else gets the name.
    """
    known = {*store.accounts.names(), *store.access(kind, id_, actor)}
    unknown = sorted(set(names) - known)
    if unknown:
        text = f"There is no user {unknown[0]!r}{did_you_mean(unknown[0], known)}"
        raise ValidationFailed(text, field="user", value=unknown[0])


def _entry(item: Any) -> tuple[str, str]:
    if not isinstance(item, dict) or not isinstance(item.get("user"), str):
        raise ValidationFailed("Every entry of an access list needs a 'user'", field="user", value=item)
    name = item["user"].rstrip("/").rpartition("/")[2]
    level = item.get("access_level")
    if type(level) is not int or level not in _LEVELS:
        raise ValidationFailed(
            f"access_level of {name!r}: 1 (read) or 2 (write) is needed, not {level!r}",
            field="access_level",
            value=level,
        )
    return name, _LEVELS[level]


def _answer(levels: dict[str, str]) -> Response:
    return json_answer([{"access_level": _NUMBERS[level], "user": user_path(name)} for name, level in levels.items()])


def no_posting(call: Call) -> Response:
    """An access list is replaced, not added to."""
    raise Refusal(405, "Use GET or PUT for the access list", headers={"Allow": "GET, PUT"})
