"""Arrays by their names: read from messages, and open to whoever sent them or may read an object that has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gnode_orm.core.changes import ArrayMissing, ArrayRef
from gnode_orm.wire.accepting import array_dtype, check_size
from gnode_orm.wire.change_sets import Seen
from gnode_orm.wire.malformed import Malformed, content_hash, typed, whole


def array_ref(hash_: Any, dtype: Any, shape: Any) -> ArrayRef:
    """Read hash, dtype and shape of an array.

    Raises:
        Malformed: no array can have them.
    """
    return array_type(dtype, shape)._replace(hash=content_hash(hash_))


def array_type(dtype: Any, shape: Any) -> ArrayRef:
    """Read dtype and shape of an array whose hash is not known.

    Raises:
        Malformed: no array can have them.
    """
    sizes = tuple(whole(size, "A length") for size in typed(shape, list, "A shape"))
    if any(size < 0 for size in sizes):
        raise Malformed("A length is below zero", value=shape)
    ref = ArrayRef(b"", array_dtype(typed(dtype, str, "A dtype")).str, sizes, None)
    check_size(ref)
    return ref


def check_nameable(store: Any, user: str, refs: Sequence[ArrayRef], seen: Seen) -> None:
    """Refuse arrays that a user neither sent nor may read: a hash alone would open them to him.

    Raises:
        ArrayMissing: an array is not there for the user, or is another one than he says.
    """
    types = store.uploads.usable({ref.hash for ref in refs}, user, seen)
    for ref in refs:
        if types.get(ref.hash) != (ref.dtype, ref.shape_text):
            raise ArrayMissing.of(ref.hash, ref.type_text)
