"""Limit, offset and the ``meta`` of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from gnode_orm.server.problems import Refusal

DEFAULT_LIMIT, MAX_LIMIT = 500, 1000
_MAX_OFFSET = 2**53


@dataclass(frozen=True)
class Page:
    """One page of a list."""

    limit: int
    offset: int


def page_of(pairs: Sequence[tuple[str, str]]) -> Page:
    """Read limit and offset; of a parameter given twice the last one counts.

    Raises:
        Refusal: a number that cannot be.
    """
    given = dict(pairs)
    limit = _number("limit", given.get("limit", str(DEFAULT_LIMIT)), "a positive integer")
    offset = _number("offset", given.get("offset", "0"), "an integer")
    if offset > _MAX_OFFSET:
        raise Refusal(400, f"Invalid offset '{offset}' provided. Nothing stands so far behind.")
    return Page(MAX_LIMIT if limit == 0 else min(limit, MAX_LIMIT), offset)


def meta(path: str, pairs: Sequence[tuple[str, str]], page: Page, total: int) -> dict[str, Any]:
    """Describe a page, with the addresses of its neighbours."""
    after, before = page.offset + page.limit, page.offset - page.limit
    return {
        "limit": page.limit,
        "offset": page.offset,
        "total_count": total,
        "next": _address(path, pairs, page.limit, after) if after < total else None,
        "previous": _address(path, pairs, page.limit, before) if before >= 0 and page.offset else None,
    }


def _address(path: str, pairs: Sequence[tuple[str, str]], limit: int, offset: int) -> str:
    kept = [(key, value) for key, value in pairs if key not in ("limit", "offset")]
    return f"{path}?{urlencode([('limit', limit), *kept, ('offset', offset)])}"


def _number(name: str, text: str, needed: str) -> int:
    if not text.removeprefix("-").isascii() or not text.removeprefix("-").isdigit() or len(text) > 40:
        raise Refusal(400, f"Invalid {name} '{text[:50]}' provided. Please provide {needed}.")
    if text.startswith("-"):
        raise Refusal(400, f"Invalid {name} '{text}' provided. Please provide a positive integer >= 0.")
    return int(text)
