"""Basic indices as JSON: which part of an array is wanted."""

from __future__ import annotations

import operator
from typing import Any

from gnode_orm.wire.malformed import Malformed, typed, whole

MAX_AXES = 32


def key_message(key: Any) -> list[Any] | None:
    """Write an index; ``None`` for one that is not basic (lists, masks), which is applied to the whole array."""
    written: list[Any] = []
    for item in key if isinstance(key, tuple) else (key,):
        if isinstance(item, slice):
            written.append([_bound(item.start), _bound(item.stop), _bound(item.step)])
        elif item is Ellipsis:
            written.append("...")
        elif isinstance(item, bool) or not hasattr(item, "__index__"):
            return None
        else:
            try:
                written.append(operator.index(item))
            except TypeError:  # an array of numbers
                return None
    return written


def _bound(value: Any) -> int | None:
    return None if value is None else operator.index(value)


def read_key(message: Any) -> tuple[Any, ...]:
    """Read an index.

    Raises:
        Malformed: it is none.
    """
    items = typed(message, list, "An index")
    if len(items) > MAX_AXES or items.count("...") > 1:
        raise Malformed(f"An index has at most {MAX_AXES} parts and one '...'", value=message)
    return tuple(map(_read_part, items))


def _read_part(item: Any) -> Any:
    if item == "...":
        return Ellipsis
    if isinstance(item, list):
        bounds = [None if bound is None else whole(bound, "A bound") for bound in item]
        if len(bounds) != 3 or bounds[2] == 0:
            raise Malformed("A slice is begin, end and a step that is not zero", value=item)
        return slice(*bounds)
    return whole(item, "An index")


def read_key_text(text: str) -> tuple[Any, ...]:
    """Read an index as it stands in an address: ``0:100,2`` or ``::10``.

    Raises:
        Malformed: it is none.
    """
    return read_key([_part_message(part.strip()) for part in text.split(",")])


def _part_message(part: str) -> Any:
    if part == "...":
        return part
    try:
        bounds = [int(bound) if bound else None for bound in part.split(":")]
    except ValueError:
        raise Malformed(f"{part[:80]!r} is no index; write for instance 0:100,2", value=part) from None
    if len(bounds) == 1:
        return bounds[0]
    return bounds + [None] * (3 - len(bounds))
