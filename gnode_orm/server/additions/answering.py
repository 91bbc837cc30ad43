"""What the additions share: bodies with a limit, work in threads, errors with all that a program needs of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from gnode_orm.server.additions.bodies import Buffers, Hashing, body_into, body_of, is_short
from gnode_orm.server.context import Context
from gnode_orm.server.problems import log_failure, request_id, told
from gnode_orm.server.threads import in_thread
from gnode_orm.wire import frames
from gnode_orm.wire.failures import failure_members, status_of

MAX_MESSAGE = 64 << 20
MAX_SMALL = 128 << 20
"""Bytes of the small arrays of one request, with what stands before them."""

Handler = Callable[[Request], Awaitable[Response]]
Work = Callable[[Any, str, Any], Any]
"""Answers a message: from the store, the user and the message."""


class Asked(NamedTuple):
    """A request whose sender is known and whose body is here."""

    store: Any
    user: str
    request: Request
    body: memoryview
    hashing: Hashing

    def digest(self) -> bytes:
        """Give the SHA-256 of the body."""
        return self.hashing.digest(self.body)

    def message(self) -> Any:
        """Read the body as JSON.

        Raises:
            Malformed: it is none.
        """
        return frames.loads(self.body)


def endpoint(
    context: Context, limit: int, work: Callable[[Asked], Response], buffers: Buffers | None = None
) -> Handler:
    """Make an endpoint: a body up to a limit is read, work runs in a thread, and errors are told in full.

    Bodies are read into ``buffers`` where many of one size come that are to be hashed, and hashed meanwhile.
    """

    async def handle(request: Request) -> Response:
        # A long body is not read before its sender is known. With a short one he is looked up in the thread that does
        # the work: handing over to a thread and back takes longer than either.
        user = None if is_short(request) else await context.user_of(request)
        if buffers is None:
            return await in_thread(answered, request, user, await body_of(request, limit), Hashing())
        with buffers.one() as buffer:
            hashing = Hashing()
            body = await body_into(request, limit, buffer, hashing.filled)
            return await in_thread(answered, request, user, body, hashing)

    def answered(request: Request, user: str | None, body: memoryview, hashing: Hashing) -> Response:
        asked = Asked(context.store, user or context.known_user(request), request, body, hashing)
        try:
            return work(asked)
        except Exception as error:
            told = _told(request, error)
            if told is None:
                raise
            return told

    return handle


def message_endpoint(context: Context, work: Work) -> Handler:
    """Make an endpoint that takes one JSON message and answers with another."""
    return endpoint(context, MAX_MESSAGE, lambda asked: json_answer(work(asked.store, asked.user, asked.message())))


def json_answer(message: Any) -> Response:
    """Answer with JSON."""
    return Response(frames.dumps(message), media_type="application/json", headers={"Cache-Control": "no-store"})


def _told(request: Request, error: Exception) -> Response | None:
    status = status_of(error)
    if status is None:
        return None
    members = {**failure_members(error), "detail": told(error)}
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
        log_failure(request, error)
        headers["Retry-After"] = "1"
    return Response(frames.dumps(body), status, headers)
