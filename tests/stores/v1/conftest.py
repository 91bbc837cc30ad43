"""A peer that knows API v1 alone, with every defect of the original server, and sessions of its users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gnode_orm import Session
from gnode_orm.session import Lab
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.rest.opening import open_store
from gnode_orm.stores.rest.v1.store import V1Store
from tests.stores.rest.serving import QUICK, Served
from tests.v1peer.defects import ALL
from tests.v1peer.serving import PASSWORD, served_peer

OpenSession = Callable[..., Session]


@pytest.fixture
def defects() -> frozenset[str]:
    """What the peer does wrong; a module may name something else."""
    return ALL


@pytest.fixture
def behind() -> Iterator[LocalStore]:
    """What is really stored."""
    opened = open_local(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def peer(behind: LocalStore, defects: frozenset[str]) -> Iterator[Served]:
    with served_peer(behind, defects) as server:
        yield server


@pytest.fixture
def open_as(peer: Served) -> Iterator[Callable[..., V1Store]]:
    """Gives the store of a user."""
    opened: list[Any] = []

    def make(user: str = "ann", **options: Any) -> V1Store:
        store = open_store(peer.address, username=user, password=PASSWORD, patience=QUICK, **options)
        assert isinstance(store, V1Store)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(open_as: Callable[..., V1Store]) -> V1Store:
    return open_as()


@pytest.fixture
def session_of(open_as: Callable[..., V1Store]) -> Iterator[OpenSession]:
    """Gives a session of a user, by a store of its own: nothing is known from others."""
    opened: list[Session] = []

    def make(user: str = "ann", **options: Any) -> Session:
        opened.append(Lab(open_as(user), user).session(**options))
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def session(session_of: OpenSession) -> Session:
    return session_of()
