"""Change sets: one small request, written whole or not at all, once however often it comes."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from gnode_orm.core.changes import ArrayRef
from gnode_orm.server.additions.answering import MAX_SMALL, Asked, Handler, endpoint, json_answer
from gnode_orm.server.additions.naming import check_nameable
from gnode_orm.server.context import Context
from gnode_orm.stores.local.array_rows import check_content
from gnode_orm.wire.change_sets import Received, named_arrays, unpack
from gnode_orm.wire.records import receipt_message


def changes_endpoint(context: Context) -> Handler:
    """Make the endpoint that writes change sets."""
    return endpoint(context, MAX_SMALL, _apply)


def _apply(asked: Asked) -> Response:
    store, user = asked.store, asked.user
    received = unpack(asked.body)
    known = store.receipt(received.changes.id, user)
    if known is None:
        _check_arrays(store, user, received)
    # A set that was written before is compared by the store, which knows its content.
    return json_answer(receipt_message(store.apply(received.changes, user)))


def _check_arrays(store: Any, user: str, received: Received) -> None:
    """Refuse arrays whose bytes are others than their names say, or that the sender may not name.

    Raises:
        IntegrityError: an array is not there for the sender, or is another one than he says.
    """
    sent, named = received.changes.arrays, dict.fromkeys(named_arrays(received.changes))
    refs = [ArrayRef.from_columns(*columns) for columns in named]
    for ref in refs:
        if ref.hash in sent:
            check_content(ref, sent[ref.hash])
    check_nameable(store, user, [ref for ref in refs if ref.hash not in sent], received.seen)
