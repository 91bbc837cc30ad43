"""Reading records, and what else is one small message there and one back."""

from __future__ import annotations

import re
from typing import Any

from gnode_orm.core.schema import known_kind
from gnode_orm.core.select import check_length
from gnode_orm.server.acl import check_accounts
from gnode_orm.server.additions.answering import Work
from gnode_orm.wire.malformed import Malformed, member, object_id, optional, typed, whole
from gnode_orm.wire.records import (
    history_message,
    preview_message,
    receipt_message,
    rows_message,
    selected_message,
)
from gnode_orm.wire.selects import read_select

_NAME = re.compile(r"[^\x00-\x1f]{1,150}")


def _records(store: Any, user: str, message: Any) -> Any:
    kind = known_kind(member(message, "kind", str)).kind
    return {"rows": rows_message(kind, store.get(kind, _ids(message, "ids"), user, _at(message)))}


def _select(store: Any, user: str, message: Any) -> Any:
    return selected_message(store.select(read_select(message), user), names=optional(message, "names", int))


def _count(store: Any, user: str, message: Any) -> Any:
    return {"count": store.count(read_select(message), user)}


def _count_by(store: Any, user: str, message: Any) -> Any:
    path = tuple(typed(name, str, "A name on the path") for name in member(message, "path", list))
    if not path:
        raise Malformed("The path leads nowhere", value=path)
    check_length("steps", path)
    return {"counts": list(store.count_by(read_select(member(message, "query", dict)), path, user).items())}


def _explain(store: Any, user: str, message: Any) -> Any:
    return {"steps": store.explain(read_select(message), user)}


def _links(store: Any, user: str, message: Any) -> Any:
    return {"links": store.links(_ids(message, "channels"), _ids(message, "groups"), user, _at(message))}


def _receipt(store: Any, user: str, message: Any) -> Any:
    receipt = store.receipt(_text(message, "id"), user)
    return {"receipt": None if receipt is None else receipt_message(receipt)}


def _version(store: Any, user: str, message: Any) -> Any:
    return {"version": store.version_at(_text(message, "commit"))}


def _preview(store: Any, user: str, message: Any) -> Any:
    return preview_message(store.preview_delete(*_object(message), user))


def _history(store: Any, user: str, message: Any) -> Any:
    kind, id_ = _object(message)
    return {"versions": history_message(kind, store.history(kind, id_, user))}


def _access(store: Any, user: str, message: Any) -> Any:
    return {"access": store.access(*_object(message), user)}


def _share(store: Any, user: str, message: Any) -> Any:
    access = member(message, "access", dict)
    for name, level in access.items():
        typed(level, str, f"The access of {name!r}")
        if not _NAME.fullmatch(name):
            raise Malformed(f"{name[:80]!r} is not the name of a user", value=name)
    check_accounts(store, *_object(message), access, user)
    store.set_access(*_object(message), access, user)
    return {}


def _object(message: Any) -> tuple[str, int]:
    return known_kind(member(message, "kind", str)).kind, object_id(message.get("id"))


def _ids(message: Any, name: str) -> list[int]:
    return [whole(item, "An id") for item in member(message, name, list)]


def _text(message: Any, name: str) -> str:
    text = member(message, name, str)
    if "\0" in text:
        raise Malformed(f"{name!r} holds a NUL character", value=text)
    return text


def _at(message: Any) -> int | None:
    at = optional(message, "at", int)
    return None if at is None else whole(at, "at")


MESSAGES: dict[str, Work] = {
    "records": _records,
    "select": _select,
    "count": _count,
    "count-by": _count_by,
    "explain": _explain,
    "links": _links,
    "receipt": _receipt,
    "version": _version,
    "preview": _preview,
    "history": _history,
    "access": _access,
    "share": _share,
}
