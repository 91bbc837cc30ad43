"""Arrays on their way in: small ones many at once, large ones in pieces that are hashed as they come."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from starlette.responses import Response

from gnode_orm.core.arrayhash import LEAF
from gnode_orm.server.additions.answering import MAX_SMALL, Asked, Handler, Work, endpoint, json_answer
from gnode_orm.server.additions.bodies import Buffers
from gnode_orm.server.additions.naming import array_ref, array_type
from gnode_orm.server.context import Context
from gnode_orm.wire import frames
from gnode_orm.wire.malformed import Malformed, member, optional

# One sender sends two pieces at once.
_SPARE = 2
# How the array begins, and letters by chance.
_UPLOAD = re.compile(r"[0-9a-f]{48}")


def piece_endpoint(context: Context) -> Handler:
    """Make the endpoint that takes one piece of an array."""
    return endpoint(context, LEAF, _put_piece, Buffers(LEAF, _SPARE))


def _put_piece(asked: Asked) -> Response:
    path, digest = asked.request.path_params, asked.digest()
    try:
        number = int(path["number"])
    except ValueError:
        raise Malformed("A piece has a number") from None
    whole = asked.store.uploads.put(_upload(path["upload"]), number, asked.body, digest, asked.user)
    return json_answer({"digest": digest.hex(), "whole": whole})


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
    """Announce an array; the answer says which pieces are to be sent, or that the digests are needed to know."""
    ref = array_type(member(message, "dtype", str), member(message, "shape", list))
    if ref.nbytes <= store.inline_limit:
        raise Malformed(f"An array of {ref.nbytes} bytes is sent whole, not in pieces")
    upload, digests = _upload(member(message, "upload", str)), optional(message, "digests", str)
    if digests is None:
        missing = store.uploads.begin(upload, np.dtype(ref.dtype), ref.shape, user)
    else:
        upload, missing = store.uploads.go_on(upload, np.dtype(ref.dtype), ref.shape, _bytes(digests), user)
    return {"upload": upload, "missing": missing, "piece": LEAF}


def _upload(name: str) -> str:
    if not _UPLOAD.fullmatch(name):
        raise Malformed("An upload is called by 48 hex digits")
    return name


def _bytes(digests: str) -> bytes:
    try:
        return bytes.fromhex(digests)
    except ValueError:
        raise Malformed("The digests are no hex digits") from None


MESSAGES: dict[str, Work] = {"arrays/begin": _begin}
