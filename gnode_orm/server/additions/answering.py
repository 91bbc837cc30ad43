"""What the additions share: bodies with a limit, work in threads, errors with all that a program needs of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from gnode_orm.server.context import Context
from gnode_orm.server.problems import Refusal, request_id
from gnode_orm.wire import frames
from gnode_orm.wire.failures import failure_members, status_of

MAX_MESSAGE = 64 << 20
MAX_SMALL = 128 << 20
"""Bytes of the small arrays of one request, with what stands before them."""

Handler = Callable[[Request], Awaitable[Response]]
Work = Callable[[Any, str, Any], Any]
"""Answers a message: from the store, the user and the message."""


def guarded(context: Context, work: Callable[[Request, str], Awaitable[Response]]) -> Handler:
    """Make an endpoint: who asks is known, and errors are told in full."""

    async def handle(request: Request) -> Response:
        user = await context.user_of(request)
        try:
            return await work(request, user)
        except Exception as error:
            told = _told(request, error)
            if told is None:
                raise
            return told

    return handle


def message_endpoint(context: Context, work: Work) -> Handler:
    """Make an endpoint that takes one JSON message and answers with another."""

    async def handle(request: Request, user: str) -> Response:
        body = await body_of(request, MAX_MESSAGE)
        return await run_in_threadpool(lambda: json_answer(work(context.store, user, frames.loads(body))))

    return guarded(context, handle)


def json_answer(message: Any) -> Response:
    """Answer with JSON."""
    return Response(frames.dumps(message), media_type="application/json", headers={"Cache-Control": "no-store"})


async def body_of(request: Request, limit: int) -> bytearray:
    """Read a body that may not be longer than a limit, once in memory where its length is told.

    Raises:
        Refusal: 413.
    """
    told = int(request.headers.get("content-length") or 0)
    if told > limit:
        raise _too_long(limit)
    body, size = bytearray(told), 0
    async for piece in request.stream():
        if size + len(piece) > limit:
            raise _too_long(limit)
        body[size : size + len(piece)] = piece
        size += len(piece)
    del body[size:]
    return body


def _too_long(limit: int) -> Refusal:
    text = f"The request is longer than {limit >> 20} MiB; write the change in several commits"
    return Refusal(413, text, headers={"Connection": "close"})


def _told(request: Request, error: Exception) -> Response | None:
    status = status_of(error)
    if status is None:
        return None
    members = failure_members(error)
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        **members,
        "error": members["detail"],
        "request_id": request_id(request),
    }
    headers = {"Content-Type": "application/problem+json"}
    if status == 503:
        headers["Retry-After"] = "1"
    return Response(frames.dumps(body), status, headers)
