"""Arrays that grow: rows are appended to what the lab has, so that what was sent once need not come again."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from starlette.responses import Response

from gnode_orm.core.arrayhash import LEAF
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.streamed import extended
from gnode_orm.server.additions.answering import MAX_SMALL, Asked, Handler, endpoint, json_answer
from gnode_orm.server.additions.naming import array_ref, check_nameable
from gnode_orm.server.context import Context
from gnode_orm.stores.local.array_rows import check_content
from gnode_orm.wire import frames
from gnode_orm.wire.change_sets import read_seen
from gnode_orm.wire.malformed import Malformed, member, optional, typed

# For each up to a leaf of the hash is read again, which takes longer than sending its few words.
MAX_ITEMS = 1_000


class _Growth(NamedTuple):
    """An array that grows, and its new rows, whose bytes stand ``behind`` the message or in the lab."""

    base: ArrayRef
    rows: ArrayRef
    behind: bool


def extend_endpoint(context: Context) -> Handler:
    """Make the endpoint that appends rows to arrays of the lab."""
    return endpoint(context, MAX_SMALL, _extend)


def _extend(asked: Asked) -> Response:
    message, data = frames.unpack(asked.body)
    store, growths = asked.store, _growths(message, asked.store.inline_limit)
    behind = [growth.rows for growth in growths if growth.behind]
    sent = dict(zip(behind, frames.split(data, [rows.nbytes for rows in behind]), strict=True))
    for rows, content in sent.items():
        check_content(rows, content)
    named = [growth.base for growth in growths] + [growth.rows for growth in growths if not growth.behind]
    check_nameable(store, asked.user, named, read_seen(optional(message, "seen", dict) or {}))
    refs = store.put_arrays([(_grown(store, growth, sent), None) for growth in growths])
    grown = [(ref.hash, growth.base.hash) for ref, growth in zip(refs, growths, strict=True)]
    store.uploads.remember_grown(grown, asked.user)
    return json_answer({"arrays": [[ref.hash, ref.dtype, ref.shape] for ref in refs]})


def _growths(message: Any, inline_limit: int) -> list[_Growth]:
    """Read which arrays grow, each with what is appended to it."""
    items = member(message, "items", list)
    if len(items) > MAX_ITEMS:
        raise Malformed(f"At most {MAX_ITEMS} arrays are extended at once, not {len(items)}")
    growths = [
        _Growth(array_ref(*_listed(base)), array_ref(*_listed(rows)), typed(behind, bool, "Where the rows are"))
        for base, rows, behind in map(_listed, items)
    ]
    for base, rows, behind in growths:
        if base.nbytes + rows.nbytes <= inline_limit:
            raise Malformed(f"An array of {base.nbytes + rows.nbytes} bytes is sent whole")
        if behind and rows.nbytes > LEAF:
            raise Malformed(f"Rows of {rows.nbytes} bytes are sent ahead, in pieces")
    return growths


def _listed(item: Any) -> list[Any]:
    if type(item) is not list or len(item) != 3:
        raise Malformed(
            "An array that grows is what is there, what is new, each with hash, dtype and shape, and whether the new "
            "rows stand behind the message"
        )
    return item


def _grown(store: Any, growth: _Growth, sent: dict[ArrayRef, bytes]) -> ArrayHandle:
    """Give the longer array, to be stored.

    Raises:
        ValidationFailed: the rows are of another kind than the array.
    """
    rows = growth.rows
    if not growth.behind:
        return extended(ArrayHandle.stored(store, growth.base), ArrayHandle.stored(store, rows))
    data = sent[rows]
    array = np.frombuffer(data, rows.dtype).reshape(rows.shape) if data else np.empty(rows.shape, rows.dtype)
    return extended(ArrayHandle.stored(store, growth.base), ArrayHandle.in_memory(array, None))
