"""From a request to a handler: read the body within limits, find the user, run the handler in a thread."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from anyio import CapacityLimiter, to_thread
from python_multipart.exceptions import FormParserError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from gnode_orm.server.context import Context, base_url
from gnode_orm.server.problems import Refusal
from gnode_orm.wire import json_text


@dataclass
class Call:
    """One request as a handler sees it.

    Attributes:
        user: the account; empty where a handler takes requests from anybody.
        body: the bytes of the body, except of forms.
        form: text fields of a form.
        files: ``(name of the field, file, size)`` of a form.
    """

    context: Context
    request: Request
    user: str
    body: bytes
    form: dict[str, str]
    files: list[tuple[str, IO[bytes], int]]

    @property
    def store(self) -> Any:
        return self.context.store

    @property
    def params(self) -> dict[str, str]:
        return self.request.path_params

    @property
    def base(self) -> str:
        return base_url(self.request)

    def json(self) -> Any:
        """Read the body as JSON.

        Raises:
            Refusal: 415 for another content type, 400 for what is not JSON.
        """
        if self.request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise Refusal(415, "The Content-Type must be application/json")
        try:
            return json_text.loads(self.body)
        except ValueError as error:
            raise Refusal(400, str(error)) from None


Handler = Callable[[Call], Response]

_FILES = "multipart/form-data"


def route(
    context: Context, path: str, handlers: Mapping[str, Handler], *, public: bool = False,
    slots: CapacityLimiter | None = None,
) -> Route:  # fmt: skip
    """Make a route that takes the methods of ``handlers``; any other is 405, and OPTIONS lists them.

    Handlers run in the threads that all routes share, or at most as many at a time as there are ``slots``.
    """
    allowed = ", ".join([*handlers, "OPTIONS"])

    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=200, headers={"Allow": allowed})
        handler = handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            raise Refusal(405, f"{request.method} is not possible here; use {allowed}", headers={"Allow": allowed})
        return await _within(context.limits.request_seconds, _run(context, request, _threaded(handler, slots), public))

    # Without a list of methods every one arrives here.
    made = Route(path, endpoint)
    made.methods = None
    return made


def _threaded(handler: Handler, slots: CapacityLimiter | None) -> Callable[[Call], Awaitable[Response]]:
    return lambda call: to_thread.run_sync(handler, call, limiter=slots)


async def _within(seconds: float, work: Awaitable[Response]) -> Response:
    try:
        return await asyncio.wait_for(work, seconds)
    except TimeoutError:
        raise Refusal(503, f"The request took longer than {seconds:g} s", headers={"Retry-After": "60"}) from None


async def _run(
    context: Context, request: Request, answer: Callable[[Call], Awaitable[Response]], public: bool
) -> Response:
    # Nobody's body is read before he is known.
    user = "" if public else await context.user_of(request)
    call = Call(context, request, user, b"", {}, [])
    if request.method in ("GET", "HEAD"):
        return await answer(call)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    limits = context.limits
    limit = limits.credentials if public else limits.upload if kind == _FILES else limits.body
    _check_length(request, limit)
    if kind not in (_FILES, "application/x-www-form-urlencoded"):
        call.body = await _body(request, limit)
        return await answer(call)
    async with _form(request, limit, limits.credentials, call):
        return await answer(call)


def _check_length(request: Request, limit: int) -> None:
    # A client that waits for leave to send its body is refused before it sends any of it.
    if int(request.headers.get("content-length") or 0) > limit:
        raise too_large(limit)


async def _body(request: Request, limit: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    with _disconnects():
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise too_large(limit)
            chunks.append(chunk)
    return b"".join(chunks)


@contextlib.asynccontextmanager
async def _form(request: Request, limit: int, text_limit: int, call: Call) -> AsyncIterator[None]:
    limited = Request(request.scope, _limited(request, limit))
    try:
        with _disconnects():
            form = await limited.form(max_files=64, max_fields=64, max_part_size=text_limit)
    except (MultiPartException, HTTPException, FormParserError) as error:
        raise Refusal(400, f"The form cannot be read ({getattr(error, 'detail', error)})") from None
    try:
        for name, item in form.multi_items():
            if isinstance(item, UploadFile):
                call.files.append((name, cast("SpooledTemporaryFile[bytes]", item.file), item.size or 0))
            else:
                call.form[name] = item
        yield
    finally:
        await form.close()


def _limited(request: Request, limit: int) -> Any:
    taken = 0

    async def receive() -> Any:
        nonlocal taken
        message = await request.receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise too_large(limit)
        return message

    return receive


@contextlib.contextmanager
def _disconnects() -> Iterator[None]:
    try:
        yield
    except ClientDisconnect:
        raise Refusal(400, "The connection ended in the middle of the body") from None


def too_large(limit: int) -> Refusal:
    """The answer to a body beyond a limit."""
    return Refusal(413, f"The body is larger than {limit} bytes", headers={"Connection": "close"})
