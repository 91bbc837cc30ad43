"""What stands before every request: an id, refusal of foreign sites, patience with slow clients, a line in the log."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gnode_orm.server.context import Limits
from gnode_orm.server.problems import Refusal, answer

_LOG = logging.getLogger("gnode_orm.server")
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Bytes a second; who sends less uses up the time that silence is allowed.
_SLOWEST = 1024
_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = (
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"),
)


class Guards:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        given = request.headers.get("x-request-id", "")
        scope["request_id"] = given if _GIVEN_ID.fullmatch(given) else secrets.token_hex(8)
        exchange = _Exchange(scope, send)
        try:
            refuse_foreign_sites(request)
            _refuse_packed(request)
            await self.app(scope, _PatientBody(receive, self.limits.idle_seconds).receive, exchange.send)
        except Exception as error:
            if exchange.status:
                raise
            await answer(request, error)(scope, receive, exchange.send)
        finally:
            exchange.log()


class _PatientBody:
    """Waits for the body, but neither for a client that falls silent nor for one that sends a byte now and then."""

    def __init__(self, receive: Receive, idle_seconds: float) -> None:
        self._receive = receive
        self._idle_seconds = idle_seconds
        self._left = idle_seconds
        self._whole = False

    async def receive(self) -> Message:
        """Give the next message of the body.

        Raises:
            Refusal: 408.
        """
        if self._whole:
            return await self._receive()  # what comes after the body is the end of the connection, whenever that is
        clock = asyncio.get_running_loop().time
        begun = clock()
        try:
            # In a task of its own: what waits on granian's side cannot be cancelled from within.
            message = await asyncio.wait_for(self._receive(), self._left)
        except TimeoutError:
            text = f"The body came too slowly: nothing for {self._idle_seconds:g} s, or less than 1 KiB/s"
            raise Refusal(408, text, headers={"Connection": "close"}) from None
        self._whole = not message.get("more_body", False)
        earned = len(message.get("body", b"")) / _SLOWEST
        self._left = min(self._idle_seconds, self._left - (clock() - begun) + earned)
        return message


def _refuse_packed(request: Request) -> None:
    # A small packed body could unfold to any size.
    coding = request.headers.get("content-encoding", "identity")
    if coding.strip().lower() != "identity":
        text = f"Bodies are taken as they are, not packed with {coding[:40]}"
        raise Refusal(415, text, headers={"Accept-Encoding": "identity"})


class _Exchange:
    """One request and its answer on the way out."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._begun = time.perf_counter()
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = {name for name, _ in message["headers"]}
            added = [item for item in _HEADERS if item[0] not in given]
            request_id = (b"x-request-id", self._scope["request_id"].encode())
            message = {**message, "headers": [*message["headers"], *added, request_id]}
        await self._send(message)

    def log(self) -> None:
        client = self._scope.get("client")
        _LOG.info(
            "request",
            extra={
                "request_id": self._scope["request_id"],
                "method": self._scope["method"],
                "path": self._scope["path"],
                "status": self.status,
                "milliseconds": round((time.perf_counter() - self._begun) * 1000, 1),
                "user": self._scope.get("user_name"),
                "client": client[0] if client else None,
            },
        )


def refuse_foreign_sites(request: Request) -> None:
    """Refuse what a page of another site makes a browser send. Programs send neither header, and pass.

    Raises:
        Refusal: 403.
    """
    site = request.headers.get("sec-fetch-site")
    changes = request.method not in _HARMLESS or request.url.path == "/account/logout/"
    if changes and site in ("cross-site", "same-site"):
        raise Refusal(403, "The request comes from a page of another site")
    origin = request.headers.get("origin")
    if changes and origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Refusal(403, f"The request comes from a page of {origin}")
