"""One store under test: its calls are noted, it fails on demand, and sessions of any user are opened over it."""

from __future__ import annotations

from typing import Any

from gnode_orm.session import Lab, Session
from gnode_orm.stores.protocol import Store
from gnode_orm.testing import FaultyStore


class OpenLab:
    """A lab whose store notes its calls and can be made to fail."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.faults = FaultyStore(store)

    def session(self, user: str = "ann", **options: Any) -> Session:
        """Open a session on behalf of a user; it does not close the store."""
        return Lab(self.faults, user).session(**options)

    @property
    def calls(self) -> list[str]:
        """What was called since the last ``forget``."""
        return self.faults.calls

    def forget(self) -> None:
        """Start counting anew."""
        self.faults.calls.clear()
