"""Errors as members of problem details, and back as the errors that they were."""

from __future__ import annotations

from typing import Any

from gnode_orm import errors
from gnode_orm.core.changes import ArrayMissing, IdTaken, StaleRows
from gnode_orm.wire.malformed import Malformed, content_hash
from gnode_orm.wire.records import read_stale, stale_message

# The first that fits; what is not listed is a fault of the server.
_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (Malformed, 400),
    (errors.ValidationFailed, 422),
    (errors.AuthenticationFailed, 401),
    (errors.AccessDenied, 403),
    (errors.NotFound, 404),
    (errors.IntegrityError, 409),
    (StaleRows, 409),
    (IdTaken, 409),
    (errors.StoreUnavailable, 503),
    (errors.UnsupportedByStore, 501),
    (IndexError, 422),
)
_VALIDATION: dict[str, type[errors.ValidationFailed]] = {
    name: getattr(errors, name) for name in ("ValidationFailed", "UnitError", "QueryError", "UnknownField")
}
_PLAIN: dict[str, type[errors.GnodeError]] = {
    name: getattr(errors, name)
    for name in ("AuthenticationFailed", "AccessDenied", "NotFound", "StoreUnavailable", "UnsupportedByStore")
}
_BY_STATUS: dict[int, type[errors.GnodeError]] = {
    401: errors.AuthenticationFailed,
    403: errors.AccessDenied,
    404: errors.NotFound,
    409: errors.IntegrityError,
    429: errors.AuthenticationFailed,
    501: errors.UnsupportedByStore,
}


def status_of(error: Exception) -> int | None:
    """Give the HTTP status of an error; ``None`` for a fault of the server itself."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), None)


def failure_members(error: Exception) -> dict[str, Any]:
    """Write what a program needs of an error."""
    members: dict[str, Any] = {"code": type(error).__name__, "detail": str(error)}
    if isinstance(error, StaleRows):
        members["stale"] = stale_message(error.stale)
    elif isinstance(error, errors.ValidationFailed):
        members.update(entity=error.entity, field=error.field, errors=error.errors)
    elif isinstance(error, errors.IntegrityError):
        members["counts"] = error.counts
        if isinstance(error, errors.CycleError):
            members["cycle"] = [str(item) for item in error.cycle]
        elif isinstance(error, ArrayMissing):
            members["hash"] = error.hash
    return members


def failure_of(status: int, body: Any) -> Exception:
    """Make the error that an answer tells of; ``body`` is its JSON, or whatever came instead."""
    members = body if isinstance(body, dict) else {}
    code, text = str(members.get("code", "")), _detail(status, members)
    if code == "StaleRows" and isinstance(members.get("stale"), list):
        return StaleRows(read_stale(members["stale"]))
    if code == "IdTaken":
        return IdTaken(text)
    if code == "IndexError":
        return IndexError(text)
    if code in _PLAIN:
        return _PLAIN[code](text)
    if code == "CycleError":
        return errors.CycleError(text, members.get("cycle") or ())
    if code == "ArrayMissing":
        return ArrayMissing(text, content_hash(members.get("hash")))
    if code == "IntegrityError":
        return errors.IntegrityError(text, counts=members.get("counts") or {})
    if code in _VALIDATION or status in (400, 405, 411, 413, 414, 415, 422):
        kind = _VALIDATION.get(code, errors.ValidationFailed)
        pairs = [(str(name), str(told)) for name, told in members.get("errors") or ()]
        return kind(text, entity=members.get("entity"), field=members.get("field"), errors=pairs)
    return _BY_STATUS.get(status, errors.StoreUnavailable)(text)


def _detail(status: int, members: dict[str, Any]) -> str:
    text = str(members.get("detail") or f"The server answered {status}")
    request = members.get("request_id")
    return f"{text} (request {request})" if request and status >= 500 else text
