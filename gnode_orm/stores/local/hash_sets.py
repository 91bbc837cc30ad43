"""Many hashes as one value of a statement, so that the statement is the same for any number of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

HASH_SET = (
    "(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count) "
    "SELECT substr(:hashes, i * 32 + 1, 32) FROM n)"
)
"""The hashes of one list, bound by ``bound_hashes``; the same on both databases."""


def bound_hashes(hashes: Collection[bytes]) -> dict[str, Any]:
    """Give the parameters of ``HASH_SET``."""
    return {"count": len(hashes), "hashes": b"".join(hashes)}
