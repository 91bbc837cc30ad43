"""Ways to damage a file, as Hypothesis strategies: mostly where headers and counts stand."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from hypothesis import strategies as st

Damage = Callable[[bytes], bytes]
HEADER = 8192
_PLACE = st.floats(0, 1, exclude_max=True)
_COUNTS = (0, 1, 255, 65_535, 2**24, 2**30, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**64 - 1)
_NUMBER = re.compile(rb"\d+")


def damages() -> st.SearchStrategy[list[Damage]]:
    """One to three damages, done one after the other; few change the length, which most readers check first."""
    return st.one_of(
        st.lists(_in_place(), min_size=1, max_size=3), st.lists(_in_place() | _of_length(), min_size=1, max_size=3)
    )


def damaged(content: bytes, steps: list[Damage]) -> bytes:
    """Apply damages in turn."""
    for step in steps:
        content = step(content)
    return content


def _in_place() -> st.SearchStrategy[Damage]:
    return st.one_of(
        st.builds(_flip, _PLACE, st.integers(1, 255)),
        st.builds(_count, _PLACE, st.sampled_from(_COUNTS), st.sampled_from("BHIQ"), st.sampled_from("<>")),
        st.builds(_swap, _PLACE, _PLACE, st.sampled_from((2, 4, 8, 16))),
        st.builds(_number, _PLACE, st.sampled_from((b"9", b"0", b"-", b" "))),
    )


def _of_length() -> st.SearchStrategy[Damage]:
    return st.one_of(
        st.builds(_number, _PLACE, st.just(b"9999999999")),
        st.builds(_cut, _PLACE),
        st.builds(_cut_out, _PLACE, st.integers(1, 64)),
        st.builds(_insert, _PLACE, st.binary(min_size=1, max_size=16)),
    )


def _at(content: bytes, place: float) -> int:
    return int(place * min(len(content), HEADER))


def _flip(place: float, by: int) -> Damage:
    def flip(content: bytes) -> bytes:
        at = _at(content, place)
        return content[:at] + bytes(byte ^ by for byte in content[at : at + 1]) + content[at + 1 :]

    return flip


def _count(place: float, count: int, size: str, order: str) -> Damage:
    """Put a small or huge number into the place of a field."""
    width = struct.calcsize(size)
    field = struct.pack(order + size, count % 2 ** (8 * width))

    def put(content: bytes) -> bytes:
        at = _at(content, place) // width * width
        return content[:at] + field + content[at + width :]

    return put


def _swap(one: float, other: float, width: int) -> Damage:
    def swap(content: bytes) -> bytes:
        first, second = sorted(_at(content, place) // width * width for place in (one, other))
        if second < first + width or second + width > len(content):
            return content
        a, b = content[first : first + width], content[second : second + width]
        return content[:first] + b + content[first + width : second] + a + content[second + width :]

    return swap


def _number(place: float, digit: bytes) -> Damage:
    """Change a number that stands there as text; one digit keeps its length, several do not."""

    def change(content: bytes) -> bytes:
        numbers = list(_NUMBER.finditer(content, 0, HEADER))
        if not numbers:
            return content
        found = numbers[int(place * len(numbers))]
        text = digit * len(found[0]) if digit in b"90" else (digit + found[0])[: max(len(digit), len(found[0]))]
        return content[: found.start()] + text + content[found.end() :]

    return change


def _cut(place: float) -> Damage:
    return lambda content: content[: int(place * len(content))]


def _cut_out(place: float, length: int) -> Damage:
    def cut(content: bytes) -> bytes:
        at = _at(content, place)
        return content[:at] + content[at + length :]

    return cut


def _insert(place: float, more: bytes) -> Damage:
    def insert(content: bytes) -> bytes:
        at = _at(content, place)
        return content[:at] + more + content[at:]

    return insert
