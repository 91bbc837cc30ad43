"""What is said of a message that does not follow the protocol, and the small checks that say it."""

from __future__ import annotations

from typing import Any, TypeVar

from gnode_orm.errors import ValidationFailed
from gnode_orm.ids import FIRST, LAST

T = TypeVar("T")


class Malformed(ValidationFailed):
    """A message that does not follow the protocol."""


def typed(value: Any, kind: type[T], what: str) -> T:
    """Give a value that has exactly this type.

    Raises:
        Malformed: it has another one.
    """
    if type(value) is not kind:
        raise Malformed(f"{what} is a {type(value).__name__}; {kind.__name__} is needed", value=value)
    return value


def member(message: Any, name: str, kind: type[T]) -> T:
    """Give a member of a JSON object.

    Raises:
        Malformed: it is missing or has another type.
    """
    found = typed(message, dict, "A message").get(name)
    return typed(found, kind, f"{name!r} of the message")


def optional(message: Any, name: str, kind: type[T]) -> T | None:
    """Give a member of a JSON object, or ``None`` where it is null or missing."""
    return None if typed(message, dict, "A message").get(name) is None else member(message, name, kind)


def object_id(value: Any) -> int:
    """Give the number of an object.

    Raises:
        Malformed: no object can have it.
    """
    if type(value) is not int or not FIRST <= value <= LAST:
        raise Malformed(f"{value!r} is not the number of an object", field="id", value=value)
    return value


def whole(value: Any, what: str) -> int:
    """Give a whole number that a store can keep.

    Raises:
        Malformed: something else.
    """
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise Malformed(f"{what} is {value!r}; a whole number of 64 bits is needed", value=value)
    return value


def content_hash(text: Any) -> bytes:
    """Read the hash of an array, 64 hex digits.

    Raises:
        Malformed: something else.
    """
    try:
        found = bytes.fromhex(text)
    except (TypeError, ValueError):
        found = b""
    if len(found) != 32 or len(text) != 64:
        raise Malformed(f"{text!r} is not the hash of an array, 64 hex digits", value=text)
    return found
