"""What API v1 has no words for."""

from __future__ import annotations

from gnode_orm.errors import UnsupportedByStore


def unsupported(target: str, what: str, instead: str) -> UnsupportedByStore:
    """Make the error for a query that the protocol has no words for."""
    return UnsupportedByStore(f"{target} speaks API v1 alone, which cannot answer {what}; {instead}")
