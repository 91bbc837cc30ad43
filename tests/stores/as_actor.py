"""One store over a server for the contract, which names the actor of each call."""

from __future__ import annotations

import inspect
from typing import Any


class AsActor:
    """Each actor has a connection of his own to the server, of whom a subclass gives the store."""

    store_class: type

    def by(self, user: str) -> Any:
        """The store of one user, who gets an account where he has none."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if not callable(getattr(self.store_class, name, None)):
            return getattr(self.by("ann"), name)
        method = getattr(self.store_class, name)
        signature = inspect.signature(method)

        def call(*args: Any, **options: Any) -> Any:
            actor = signature.bind(None, *args, **options).arguments.get("actor", "ann")
            return method(self.by(actor), *args, **options)

        return call

    def set_access(self, kind: str, id: int, access: dict[str, str], actor: str) -> None:
        for user in access:
            self.by(user)  # a server shares with accounts alone
        self.by(actor).set_access(kind, id, access, actor)
