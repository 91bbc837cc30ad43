"""A lab behind a server, with users of their own connections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gnode_orm import AnalogSignalArray
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.session import Lab, Session
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.rest import array_cache
from gnode_orm.stores.rest.store import RestStore
from tests.stores.rest.growing import new_signal, stored
from tests.stores.rest.serving import Served, served


@pytest.fixture
def local() -> Iterator[LocalStore]:
    """The lab itself."""
    opened = open_local(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def server(local: LocalStore) -> Iterator[Served]:
    with served(local) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that is on."""
    monkeypatch.setenv("GNODE_ORM_CACHE_MB", "100")
    monkeypatch.setattr(array_cache, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.fixture
def ann(server: Served) -> RestStore:
    return server.by("ann")


@pytest.fixture
def base(ann: RestStore) -> ArrayHandle:
    return stored(ann)


@pytest.fixture
def session(ann: RestStore) -> Iterator[Session]:
    with Lab(ann, "ann").session() as session:
        yield session


@pytest.fixture
def signal(session: Session) -> AnalogSignalArray:
    """A signal of ann that is stored."""
    signal = session.add(new_signal())
    session.commit()
    return signal
