"""Stores of several users over one peer, for suites that name the actor of each call."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from gnode_orm.stores.local import open_local
from gnode_orm.stores.rest.connection import Patience
from gnode_orm.stores.rest.opening import open_store
from gnode_orm.stores.rest.v1.store import V1Store
from tests.stores.as_actor import AsActor
from tests.stores.rest.serving import QUICK, Served
from tests.v1peer.defects import ALL
from tests.v1peer.serving import PASSWORD, served_peer

LENIENT = ALL - {"parents-required", "values-required"}
"""The suites make objects without parents and numbers; what comes of that at the original has tests of its own."""


class V1Users(AsActor):
    """The stores of the users of one peer."""

    store_class = V1Store

    def __init__(self, served: Served) -> None:
        self.served = served
        self._stores: dict[str, V1Store] = {}
        self._lock = threading.Lock()

    def by(self, user: str, patience: Patience = QUICK) -> V1Store:
        """The store of one user, who gets an account where he has none."""
        with self._lock:
            if user not in self._stores:
                self._stores[user] = self._opened(user, patience)
            return self._stores[user]

    def _opened(self, user: str, patience: Patience) -> V1Store:
        accounts = self.served.store.accounts
        if user not in accounts.names():
            accounts.add(user, PASSWORD)
        opened = open_store(self.served.address, username=user, password=PASSWORD, patience=patience)
        assert isinstance(opened, V1Store)
        return opened

    def finish(self) -> None:
        for store in self._stores.values():
            store.close()


@contextmanager
def v1_lab(defects: Collection[str] = LENIENT) -> Iterator[V1Users]:
    """An empty lab behind a peer, for any user."""
    opened = open_local(":memory:")
    try:
        with served_peer(opened, defects) as served:
            users = V1Users(served)
            try:
                yield users
            finally:
                users.finish()
    finally:
        opened.close()
