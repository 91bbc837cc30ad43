"""One store under test: its calls are noted, it fails on demand, and sessions of any user are opened over it."""

from __future__ import annotations

import json
from typing import Any

from gnode_orm.session import Lab, Session
from gnode_orm.stores.protocol import Store
from gnode_orm.testing import FaultyStore
from tests.v1peer.users import V1Users


class OpenLab:
    """A lab whose store notes its calls and can be made to fail."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.faults = FaultyStore(store)
        self.keeps_annotations = not isinstance(store, V1Users)

    def notes(self, **notes: Any) -> dict[str, Any]:
        """Give annotations for a new object, where the store keeps any."""
        return {"annotations": notes} if self.keeps_annotations else {}

    def note(self, entity: Any, **notes: Any) -> None:
        """Change annotations of an object, or what stands for them where the store keeps none."""
        if self.keeps_annotations:
            entity.annotations.update(notes)
        else:
            entity.description = json.dumps({**self.noted(entity), **notes})

    def noted(self, entity: Any) -> dict[str, Any]:
        """Give what was noted."""
        return dict(entity.annotations) if self.keeps_annotations else json.loads(entity.description or "{}")

    def session(self, user: str = "ann", **options: Any) -> Session:
        """Open a session on behalf of a user; it does not close the store."""
        return Lab(self.faults, user).session(**options)

    def versions(self, entity: Any) -> int:
        """How often an object was written, by the lab itself."""
        return len(self.behind.history(entity.kind, entity.location.number, "ann"))

    @property
    def behind(self) -> Any:
        """The store that keeps everything, behind whatever stands before it."""
        served = getattr(self.store, "served", None)
        return self.store if served is None else served.store

    @property
    def calls(self) -> list[str]:
        """What was called since the last ``forget``."""
        return self.faults.calls

    def forget(self) -> None:
        """Start counting anew."""
        self.faults.calls.clear()
