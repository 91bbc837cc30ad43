"""Arrays that grow: rows are appended to what the lab has, so that what was sent once need not come again."""

from __future__ import annotations

from typing import Any

import numpy as np
from starlette.responses import Response

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.streamed import extended
from gnode_orm.server.additions.answering import MAX_SMALL, Asked, Handler, endpoint, json_answer
from gnode_orm.server.additions.naming import array_ref, check_nameable
from gnode_orm.server.context import Context
from gnode_orm.stores.local.array_rows import check_content
from gnode_orm.wire import frames
from gnode_orm.wire.change_sets import read_seen
from gnode_orm.wire.malformed import Malformed, member, optional

# For each up to a leaf of the hash is read again, which takes longer than sending its few words.
MAX_ITEMS = 1_000


def extend_endpoint(context: Context) -> Handler:
    """Make the endpoint that appends rows to arrays of the lab; few rows come with the message, many were sent."""
    return endpoint(context, MAX_SMALL, _extend)


def _extend(asked: Asked) -> Response:
    message, data = frames.unpack(asked.body)
    store, pairs = asked.store, _pairs(message, asked.store.inline_limit)
    few = [rows for _, rows in pairs if rows.nbytes <= store.inline_limit]
    many = [rows for _, rows in pairs if rows.nbytes > store.inline_limit]
    sent = dict(zip(few, frames.split(data, [rows.nbytes for rows in few]), strict=True))
    for rows, content in sent.items():
        check_content(rows, content)
    seen = read_seen(optional(message, "seen", dict) or {})
    check_nameable(store, asked.user, [*(base for base, _ in pairs), *many], seen)
    grown = [extended(ArrayHandle.stored(store, base), _rows(store, rows, sent)) for base, rows in pairs]
    refs = store.put_arrays([(array, None) for array in grown])
    store.uploads.remember([ref.hash for ref in refs], asked.user)
    return json_answer({"arrays": [[ref.hash, ref.dtype, ref.shape] for ref in refs]})


def _pairs(message: Any, inline_limit: int) -> list[tuple[ArrayRef, ArrayRef]]:
    """Read which arrays grow, each with what is appended to it."""
    items = member(message, "items", list)
    if len(items) > MAX_ITEMS:
        raise Malformed(f"At most {MAX_ITEMS} arrays are extended at once, not {len(items)}")
    pairs = [(array_ref(*_listed(base, 3)), array_ref(*_listed(rows, 3))) for base, rows in map(_listed, items)]
    for base, rows in pairs:
        if base.nbytes + rows.nbytes <= inline_limit:
            raise Malformed(f"An array of {base.nbytes + rows.nbytes} bytes is sent whole")
    return pairs


def _listed(item: Any, count: int = 2) -> list[Any]:
    if type(item) is not list or len(item) != count:
        raise Malformed("An array that grows is what is there and what is new, each with hash, dtype and shape")
    return item


def _rows(store: Any, ref: ArrayRef, sent: dict[ArrayRef, bytes]) -> ArrayHandle:
    if ref not in sent:
        return ArrayHandle.stored(store, ref)
    data = sent[ref]
    array = np.frombuffer(data, ref.dtype).reshape(ref.shape) if data else np.empty(ref.shape, ref.dtype)
    return ArrayHandle.in_memory(array, None)
