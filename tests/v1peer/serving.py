"""The peer on a port of this machine, with accounts that log in as the original's did."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from gnode_orm.stores.local.store import LocalStore
from tests.cheap_passwords import cheap_passwords
from tests.stores.rest.serving import Served, served
from tests.v1peer.defects import ALL
from tests.v1peer.peer import Peer

PASSWORD = "pass-word"


@contextmanager
def served_peer(
    store: LocalStore, defects: Collection[str] = ALL, users: Collection[str] = ("ann", "ben", "eve")
) -> Iterator[Served]:
    """Serve a lab as a server does that knows only API v1; users log in with ``PASSWORD``.

    ``Served.app`` is the peer, ``Served.address`` where it listens, ``Served.fault`` loses answers on demand.
    """
    with cheap_passwords():
        for name in users:
            if name not in store.accounts.names():
                store.accounts.add(name, PASSWORD)
        peer = Peer(store, defects)
        with served(store, peer) as server:
            try:
                yield server
            finally:
                peer.stopping.set()
