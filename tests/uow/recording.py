"""A store that notes which of its methods a session called."""

from __future__ import annotations

from typing import Any


class Recorder:
    """Any store, with the names of its calls; making a guid is no request."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        if not callable(found) or name == "guid":
            return found

        def call(*args: Any, **options: Any) -> Any:
            self.calls.append(name)
            return found(*args, **options)

        return call


class OpenLab:
    """One store under test, with the sessions over it."""

    def __init__(self, store: Any) -> None:
        from gnode_orm.session import Lab

        self.recorder = Recorder(store)
        self.store = store
        self._lab = Lab

    def session(self, user: str = "ann", **options: Any) -> Any:
        """Open a session on behalf of a user."""
        return self._lab(self.recorder, user).session(**options)

    @property
    def calls(self) -> list[str]:
        """What was called since the last ``forget``."""
        return self.recorder.calls

    def forget(self) -> None:
        """Start counting anew."""
        self.recorder.calls.clear()
