"""Many hashes as one value of a statement, so that the statement is the same for any number of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)"
_HASH = "substr(:hashes, i * 32 + 1, 32)"

HASH_SET = f"({_NUMBERS} SELECT {_HASH} FROM n)"
"""The hashes of one list, bound by ``bound_hashes``; the same on both databases."""

STORED_HASHES = f'{_NUMBERS} SELECT hash FROM n JOIN "array" ON hash = {_HASH}'
"""Those of one list that arrays have: most are new, and a join makes no set of them first."""


def bound_hashes(hashes: Collection[bytes]) -> dict[str, Any]:
    """Give the parameters of ``HASH_SET`` and ``STORED_HASHES``."""
    return {"count": len(hashes), "hashes": b"".join(hashes)}
