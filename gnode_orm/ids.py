"""Object ids: ten characters of base 32 on the wire, 50-bit integers inside.

An id is unique within its kind, made by the client, and never ``0`` in its first character. Ids come in runs:
a random start, then a counter, so that rows made together stand together in every index.
"""

from __future__ import annotations

import re
import secrets
import threading

from gnode_orm.errors import ValidationFailed

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUV"
LENGTH = 10
FIRST: int = 32 ** (LENGTH - 1)
LAST: int = 32**LENGTH - 1
RUN_BITS = 15

_ID = re.compile("[1-9A-V][0-9A-V]{9}")


def encode_id(number: int) -> str:
    """Spell an id as ten characters."""
    pairs = []
    for _ in range(LENGTH // 2):
        number, pair = divmod(number, 1024)
        pairs.append(_PAIRS[pair])
    return "".join(reversed(pairs))


_PAIRS = [a + b for a in ALPHABET for b in ALPHABET]


def decode_id(text: str) -> int:
    """Read ten characters as an id.

    Raises:
        ValidationFailed: not ten characters of ``0-9A-V``, or the first one is ``0``.
    """
    if _ID.fullmatch(text) is None:
        raise ValidationFailed(
            f"{text!r} is not an id: ten characters of 0-9 and A-V (upper case), the first one not 0, are needed",
            field="id",
            value=text,
        )
    return int(text, 32)


class IdSource:
    """A thread-safe source of fresh ids, rising within the process so that ids keep the order of creation."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next = self._random_start()

    @staticmethod
    def _random_start() -> int:
        # The upper half of the range is left as headroom, so that a process never runs out.
        return (FIRST + secrets.randbelow((LAST - FIRST) // 2)) >> RUN_BITS << RUN_BITS

    def take(self, count: int) -> range:
        """Reserve ``count`` consecutive ids."""
        with self._lock:
            if not FIRST <= self._next <= LAST - count:
                self._next = self._random_start() + (1 << RUN_BITS)
            start = self._next
            self._next += count
        return range(start, start + count)

    def restart(self) -> None:
        """Begin a new run at a random place; called after a collision."""
        with self._lock:
            self._next = self._random_start()
