"""Arrays on their way in: small ones many at once, large ones announced and then sent in verified pieces."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from gnode_orm.core.arrayhash import LEAF
from gnode_orm.server.additions.answering import MAX_SMALL, Asked, Handler, Work, endpoint, json_answer
from gnode_orm.server.additions.bodies import Buffers
from gnode_orm.server.additions.naming import array_ref
from gnode_orm.server.context import Context
from gnode_orm.wire import frames
from gnode_orm.wire.malformed import Malformed, member

# One sender sends two pieces at once.
_SPARE = 2


def piece_endpoint(context: Context) -> Handler:
    """Make the endpoint that takes one piece of an array."""
    return endpoint(context, LEAF, _put_piece, Buffers(LEAF, _SPARE))


def _put_piece(asked: Asked) -> Response:
    query, path = asked.request.query_params, asked.request.path_params
    try:
        number = int(path["number"])
        shape = [int(size) for size in query.get("shape", "").split(",") if size]
    except ValueError:
        raise Malformed("A piece has a number, and its array a shape such as 1000,2") from None
    ref = array_ref(path["hash"], query.get("dtype", ""), shape)
    return json_answer({"whole": asked.store.uploads.put(ref, number, asked.body, asked.user)})


def small_endpoint(context: Context) -> Handler:
    """Make the endpoint that takes many small arrays at once."""
    return endpoint(context, MAX_SMALL, _put_small)


def _put_small(asked: Asked) -> Response:
    message, data = frames.unpack(asked.body)
    items = member(message, "arrays", list)
    if any(type(item) is not list or len(item) != 3 for item in items):
        raise Malformed("An array is a list of hash, dtype and shape")
    refs = [array_ref(*item) for item in items]
    too_large = next((ref for ref in refs if ref.nbytes > asked.store.inline_limit), None)
    if too_large is not None:
        raise Malformed(f"An array of {too_large.nbytes} bytes is sent in pieces")
    blobs = frames.split(data, [ref.nbytes for ref in refs])
    asked.store.uploads.put_small(list(zip(refs, blobs, strict=True)), asked.user)
    return json_answer({})


def _begin(store: Any, user: str, message: Any) -> Any:
    """Announce an array; the answer names the pieces that are missing."""
    ref = array_ref(member(message, "hash", str), member(message, "dtype", str), message.get("shape"))
    digests = member(message, "digests", str)
    try:
        leaves = bytes.fromhex(digests)
    except ValueError:
        raise Malformed("The digests are no hex digits") from None
    if ref.nbytes <= store.inline_limit:
        raise Malformed(f"An array of {ref.nbytes} bytes is sent whole, not in pieces")
    return {"missing": store.uploads.begin(ref, leaves, user), "piece": LEAF}


MESSAGES: dict[str, Work] = {"arrays/begin": _begin}
