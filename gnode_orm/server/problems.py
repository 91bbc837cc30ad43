"""Errors as answers: problem details (RFC 9457) with the request id, and the key ``error`` that v1 clients print."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gnode_orm.core.changes import StaleRows
from gnode_orm.errors import (
    AccessDenied,
    AuthenticationFailed,
    CycleError,
    IntegrityError,
    NotFound,
    QueryError,
    StoreUnavailable,
    UnsupportedByStore,
    ValidationFailed,
)
from gnode_orm.stores.local.accounts import LoginThrottled
from gnode_orm.wire.parsing import BadRequest

_LOG = logging.getLogger("gnode_orm.server")
# A file or the address of a database, and the computer that PostgreSQL names.
_PLACE = re.compile(r'\S*/\S*?(?=:? |:?$)|"[^"]*"(?: \([^)]*\))?, port \d+')

# The first that fits; what is not listed is a fault of ours.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (BadRequest, 400),
    (QueryError, 400),
    (ValidationFailed, 422),
    (LoginThrottled, 429),
    (AuthenticationFailed, 401),
    (AccessDenied, 403),
    (NotFound, 404),
    (CycleError, 422),
    (IntegrityError, 409),
    (StaleRows, 412),
    (StoreUnavailable, 503),
    (UnsupportedByStore, 501),
)


class Refusal(Exception):
    """A request that is answered with an error.

    Attributes:
        error: what the key ``error`` holds; the detail where it is not given.
    """

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None, error: Any = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.error = detail if error is None else error


def refusal_of(error: Exception) -> Refusal:
    """Give the answer to an error."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, StaleRows):
        first = error.stale[0]
        who = f" by {first.user}" if first.user else ""
        return Refusal(412, f"The {first.kind} was changed{who} since it was read; read it again")
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return Refusal(status, told(error), headers=_headers(error, status))
    return Refusal(500, "The server failed; its log has the request id and the reason")


def told(error: Exception) -> str:
    """Say an error to a client, to whom it is no matter where the lab is kept."""
    return _PLACE.sub("the lab", str(error)) if isinstance(error, StoreUnavailable) else str(error)


def log_failure(request: Request, error: Exception) -> None:
    """Write down what the client is not told."""
    _LOG.error("request failed", exc_info=error, extra={"request_id": request_id(request)})


def answer(request: Request, error: Exception) -> Response:
    """Answer a request with an error."""
    refusal = refusal_of(error)
    if refusal.status in (500, 503) and not isinstance(error, Refusal):
        log_failure(request, error)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": refusal.detail,
        "error": refusal.error,
        "request_id": request_id(request),
    }
    body.update(_members(error))
    headers = {"Content-Type": "application/problem+json", **refusal.headers}
    return Response(orjson.dumps(body, default=str), refusal.status, headers)


def request_id(request: Request) -> str:
    """The id under which the log has a request."""
    return str(request.scope.get("request_id", ""))


def _headers(error: Exception, status: int) -> dict[str, str]:
    if isinstance(error, LoginThrottled):
        return {"Retry-After": str(error.seconds)}
    if status == 503:
        return {"Retry-After": "1"}
    return {"WWW-Authenticate": "Bearer"} if status == 401 else {}


def _members(error: Exception) -> dict[str, Any]:
    """What a program needs of an error: the entity and field concerned, and what stands in the way."""
    if isinstance(error, ValidationFailed):
        return {"entity": error.entity, "field": error.field}
    if isinstance(error, IntegrityError) and error.counts:
        return {"counts": error.counts}
    return {}
