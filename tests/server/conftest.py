"""A lab in memory and the application over it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

from gnode_orm.server.app import create_app
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.store import LocalStore
from tests.cheap_passwords import cheap_passwords
from tests.server.asgi_client import Client

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "pass-word"


@pytest.fixture(autouse=True, scope="session")
def passwords_cost_little() -> Iterator[None]:
    with cheap_passwords():
        yield


@pytest.fixture
def store() -> Iterator[LocalStore]:
    """An empty lab with the accounts ann, ben and eve."""
    opened = open_local(":memory:")
    for name in ("ann", "ben", "eve"):
        opened.accounts.add(name, PASSWORD)
    yield opened
    opened.close()


@pytest.fixture
def app(store: LocalStore) -> Starlette:
    return create_app(store)


@pytest.fixture
def client_of(app: Starlette) -> Iterator[Callable[[str], Client]]:
    """Gives a client that is logged in."""
    made: list[Client] = []

    def make(name: str) -> Client:
        client = Client(app)
        made.append(client)
        if name:
            assert client.login(name, PASSWORD).status_code == 202
        return client

    yield make
    for client in made:
        client.close()


@pytest.fixture
def ann(client_of: Callable[[str], Client]) -> Client:
    return client_of("ann")


@pytest.fixture
def ben(client_of: Callable[[str], Client]) -> Client:
    return client_of("ben")


@pytest.fixture
def stranger(client_of: Callable[[str], Client]) -> Client:
    return client_of("")


@pytest.fixture(scope="session")
def transcripts() -> Path:
    """The folder of recorded exchanges with the original server."""
    folder = Path(os.environ.get("GNODE_ORM_TEST_WIRE") or ROOT.parent / "shared" / "wire") / "transcripts"
    if not folder.is_dir():
        pytest.skip(f"no recorded exchanges at {folder}; GNODE_ORM_TEST_WIRE names another folder")
    return folder
