"""A server that knows only API v1: ours with its additions off, and what the original did wrong switched on by name."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Any

from gnode_orm.server.app import create_app
from gnode_orm.server.context import COOKIE
from gnode_orm.stores.local.accounts import SESSION
from tests.v1peer.exchange import Answer, Forward, Sent, plain, sent_from

Defect = Callable[["Peer", Sent, Forward], Awaitable[Answer]]

_ADDED = ("/api/v1/additions", "/account/token", "/healthz", "/api/openapi.json")


class Peer:
    """The application, as ASGI."""

    def __init__(self, store: Any, defects: Collection[str] = ()) -> None:
        from tests.v1peer.defects import DEFECTS

        unknown = set(defects) - set(DEFECTS)
        if unknown:
            raise ValueError(f"no such defects: {sorted(unknown)}; there are {sorted(DEFECTS)}")
        self.store = store
        self.app = create_app(store)
        self.has = frozenset(defects)
        self.memory: dict[str, Any] = {}
        """What a defect keeps from one request to the next, under its name."""
        self.debug = False
        """Whether failures show more, as most exchanges with the original were recorded."""
        self.hanging = threading.Event()
        """Set while a request is never answered, which ends when ``stopping`` is set."""
        self.stopping = threading.Event()
        self.opening = threading.Lock()
        """Held while a reader is given the right to write for one request."""
        self._chain = [additions_off, *(item for name, item in DEFECTS.items() if name in self.has)]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = await self._taken(scope, receive)
        answer = await self._through(0, scope, receive)(sent)
        headers = {key: value for key, value in answer.headers.items() if key != "content-length"}
        if answer.status not in (204, 304):
            headers["content-length"] = str(len(answer.body))
        listed = [*headers.items(), *(("set-cookie", cookie) for cookie in answer.cookies)]
        pairs = [(key.encode("latin-1"), value.encode("latin-1")) for key, value in listed]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer.body})

    async def _taken(self, scope: Any, receive: Any) -> Sent:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        sent = sent_from(scope, body, "")
        return replace(sent, user=self._user(sent))

    def _user(self, sent: Sent) -> str:
        cookies = dict(item.strip().partition("=")[::2] for item in sent.headers.get("cookie", "").split(";"))
        secret = cookies.get(COOKIE)
        return (self.store.accounts.token_owner(secret, SESSION) or "") if secret else ""

    def _through(self, number: int, scope: Any, receive: Any) -> Forward:
        async def forward(sent: Sent) -> Answer:
            if number == len(self._chain):
                return await self._product(sent, scope)
            return await self._chain[number](self, sent, self._through(number + 1, scope, receive))

        return forward

    async def _product(self, sent: Sent, scope: Any) -> Answer:
        messages = [{"type": "http.request", "body": sent.body, "more_body": False}]
        head: dict[str, Any] = {}
        pieces: list[bytes] = []

        async def receive() -> Any:
            if not messages:
                await asyncio.Event().wait()  # nothing comes any more; whoever waits for it is cancelled
            return messages.pop()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            pieces.append(message.get("body", b""))

        await self.app(sent.scope(scope), receive, send)
        pairs = [(key.decode("latin-1").lower(), value.decode("latin-1")) for key, value in head["headers"]]
        cookies = tuple(value for key, value in pairs if key == "set-cookie")
        return Answer(
            head["status"], dict(item for item in pairs if item[0] != "set-cookie"), b"".join(pieces), cookies
        )


async def additions_off(peer: Peer, sent: Sent, forward: Forward) -> Answer:
    """Know no address, no token and no header that the original did not."""
    if sent.path.startswith(_ADDED) or sent.path == "/api/":
        return plain(404, "<h1>Not Found</h1>")
    answer = await forward(sent.without("authorization", "x-request-id"))
    return answer.without("x-request-id", "www-authenticate", "content-security-policy", "referrer-policy")
