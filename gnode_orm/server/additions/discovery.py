"""The one address at which a client learns that this is no bare API v1, and what it may use."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gnode_orm.server.additions.answering import MAX_MESSAGE, MAX_SMALL, Handler, json_answer
from gnode_orm.server.context import Context
from gnode_orm.server.threads import in_thread

PROTOCOL = 1
CAPABILITIES = (
    "change-sets",
    "arrays-by-hash",
    "appending",
    "slices",
    "overviews",
    "past",
    "history",
    "eager",
    "tokens",
    "record-names",
)


def endpoint(context: Context) -> Handler:
    """Make the endpoint; who is logged in learns more."""

    async def handle(request: Request) -> Response:
        user = await in_thread(context.find_user, request)
        message: dict[str, Any] = {
            "server": "gnode_orm",
            "version": version("gnode-orm"),
            "protocol": PROTOCOL,
            "capabilities": CAPABILITIES,
            "inline_limit": context.store.inline_limit,
            "limits": {"message": MAX_MESSAGE, "small_arrays": MAX_SMALL},
            "user": user,
        }
        if user is not None:
            message["guid_key"] = context.store.guid_key
            message["default_level"] = await in_thread(context.store.accounts.default_level)
        return json_answer(message)

    return handle
