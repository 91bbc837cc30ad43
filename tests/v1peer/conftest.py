"""The peer inside the process, with the defects that a test names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gnode_orm.stores.local.store import LocalStore
from tests.server.asgi_client import Client
from tests.server.conftest import passwords_cost_little, store, transcripts
from tests.v1peer.peer import Peer
from tests.v1peer.serving import PASSWORD

__all__ = ["passwords_cost_little", "store", "transcripts"]

PeerOf = Callable[..., "Users"]


class Users:
    """Clients of one peer, each logged in when he is first asked for."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._clients: dict[str, Client] = {}

    def __getattr__(self, name: str) -> Client:
        if name not in self._clients:
            client = self._clients[name] = Client(self.peer)  # type: ignore[arg-type]
            if name != "stranger":
                assert client.login(name, PASSWORD).status_code == 202
        return self._clients[name]

    def close(self) -> None:
        self.peer.stopping.set()
        for client in self._clients.values():
            client.close()


@pytest.fixture
def peer_with(store: LocalStore) -> Iterator[PeerOf]:
    """Gives the users of a peer with some defects."""
    made: list[Users] = []

    def make(*defects: str) -> Users:
        made.append(Users(Peer(store, defects)))
        return made[-1]

    yield make
    for users in made:
        users.close()


def made(client: Client, kind: str, **fields: Any) -> dict[str, Any]:
    """Make an object, and give it as it is shown."""
    answer = client.post(list_of(kind), json=fields)
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def list_of(kind: str) -> str:
    namespace = "metadata" if kind in ("document", "section", "property", "value") else "electrophysiology"
    return f"/api/v1/{namespace}/{kind}/"
