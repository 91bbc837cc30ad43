"""The accounts of the lab, as old clients list them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from gnode_orm.errors import NotFound
from gnode_orm.server.endpoints import Call
from gnode_orm.server.filters import account_number
from gnode_orm.server.objects import json_answer
from gnode_orm.server.paging import meta, page_of
from gnode_orm.server.problems import Refusal
from gnode_orm.wire.rendering import user_path

_LOOKUPS: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda name, text: name == text,
    "iexact": lambda name, text: name.lower() == text.lower(),
    "contains": lambda name, text: text in name,
    "icontains": lambda name, text: text.lower() in name.lower(),
    "startswith": lambda name, text: name.startswith(text),
    "istartswith": lambda name, text: name.lower().startswith(text.lower()),
    "endswith": lambda name, text: name.endswith(text),
    "iendswith": lambda name, text: name.lower().endswith(text.lower()),
    "in": lambda name, text: name in text.split(","),
}
_FIELDS = ("username", "first_name", "last_name")


def list_users(call: Call) -> Response:
    """Answer with one page of accounts."""
    pairs = call.request.query_params.multi_items()
    page = page_of(pairs)
    users = [_user(name) for name in call.context.accounts.names()]
    for key, text in dict(pairs).items():
        users = [user for user in users if _meets(user, key, text)]
    described = meta(call.request.url.path, pairs, page, len(users))
    return json_answer({"meta": described, "objects": users[page.offset : page.offset + page.limit]})


def get_user(call: Call) -> Response:
    """Answer with one account."""
    name = call.params["name"]
    if name not in call.context.accounts.names():
        raise NotFound(f"There is no user {name!r}")
    return json_answer(_user(name))


def _user(name: str) -> dict[str, Any]:
    # Accounts have one name; the keys of a full name stay for clients that read them.
    return {
        "first_name": "",
        "id": account_number(name),
        "last_name": "",
        "resource_uri": user_path(name),
        "username": name,
    }


def _meets(user: dict[str, Any], key: str, text: str) -> bool:
    field, _, lookup = key.partition("__")
    if field not in _FIELDS:
        return True
    test = _LOOKUPS.get(lookup or "exact")
    if test is None:
        raise Refusal(400, f"The '{field}' field does not support relations.")
    return test(user[field], text)
