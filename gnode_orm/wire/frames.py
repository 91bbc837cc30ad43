"""A message with bytes behind it: JSON first, then the blobs that it speaks of, in its order and without re-coding.

4 bytes ``GNO1``, 4 bytes length of the JSON (big-endian), the JSON, the blobs one after another
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from gnode_orm.wire.malformed import Malformed

MAGIC = b"GNO1"
HEAD = 8
CONTENT_TYPE = "application/vnd.gnode-orm.frame"


def head(message: Any) -> bytes:
    """Write a message up to where its blobs begin."""
    text = dumps(message)
    return MAGIC + struct.pack(">I", len(text)) + text


def pack(message: Any, blobs: Iterable[bytes] = ()) -> bytes:
    """Write a message with its blobs."""
    return b"".join((head(message), *blobs))


def message_length(start: bytes) -> int:
    """Read from the first eight bytes how long the JSON is.

    Raises:
        Malformed: this is no such message.
    """
    if len(start) < HEAD or start[:4] != MAGIC:
        raise Malformed("The body is not a message of this protocol")
    return int(struct.unpack(">I", start[4:HEAD])[0])


def unpack(body: bytes | bytearray | memoryview) -> tuple[Any, memoryview]:
    """Read a message, and the bytes behind it.

    Raises:
        Malformed: the body is cut or is something else.
    """
    length = message_length(bytes(body[:HEAD]))
    if HEAD + length > len(body):
        raise Malformed("The body ends within its message")
    view = memoryview(body)
    return loads(view[HEAD : HEAD + length]), view[HEAD + length :]


def split(data: memoryview, sizes: Sequence[Any]) -> list[bytes]:
    """Cut the bytes behind a message into blobs of the sizes that it names.

    Raises:
        Malformed: the sizes do not add up to what there is.
    """
    if not all(type(size) is int and size >= 0 for size in sizes) or sum(sizes) != len(data):
        raise Malformed(f"{len(data)} bytes stand behind the message, which names other sizes")
    blobs, start = [], 0
    for size in sizes:
        blobs.append(bytes(data[start : start + size]))
        start += size
    return blobs


def dumps(message: Any) -> bytes:
    """Write plain JSON; bytes become hex digits.

    Raises:
        Malformed: the message holds what JSON cannot say.
    """
    try:
        return orjson.dumps(message, default=_hex)
    except TypeError as error:
        raise Malformed(f"This cannot be sent: {error}") from None


def loads(text: bytes | bytearray | memoryview) -> Any:
    """Read plain JSON.

    Raises:
        Malformed: the text is no JSON.
    """
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The message is not JSON ({error})") from None


def _hex(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return value.hex()
    raise TypeError(f"a {type(value).__name__}")
