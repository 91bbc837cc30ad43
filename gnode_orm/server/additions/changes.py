"""Change sets: one small request, written whole or not at all, once however often it comes."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from gnode_orm.core.changes import ArrayMissing, ArrayRef
from gnode_orm.server.additions.answering import MAX_SMALL, Asked, Handler, endpoint, json_answer
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
    """Refuse arrays that the sender neither sent nor may read: a hash alone would open them to him.

    Raises:
        IntegrityError: an array is not there for the sender, or is another one than he says.
    """
    sent, named = received.changes.arrays, dict(named_arrays(received.changes))
    for hash_, type_text in named.items():
        if hash_ in sent:
            check_content(ArrayRef.from_columns(hash_, type_text), sent[hash_])
    types = store.uploads.usable(named.keys() - sent.keys(), user, received.seen)
    for hash_, type_text in named_arrays(received.changes):
        ref = ArrayRef.from_columns(hash_, type_text)
        if hash_ not in sent and types.get(hash_) != (ref.dtype, ",".join(map(str, ref.shape))):
            raise ArrayMissing.of(hash_, type_text)
