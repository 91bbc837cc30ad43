"""How large the work of each row is. A quick run has the same rows with smaller work, to be over in about two minutes.

The choice is made by the environment before any row is imported, so that processes which rows start make the same one.
"""

from __future__ import annotations

import os

_VARIABLE = "GNODE_ORM_BENCH_QUICK"


def choose_quick() -> None:
    """Make the work small, here and in every process that is started from here."""
    os.environ[_VARIABLE] = "1"


def is_quick() -> bool:
    """Whether the work is small."""
    return _VARIABLE in os.environ


def size(full: int, quick: int) -> int:
    """Give the size that was chosen."""
    return quick if is_quick() else full
