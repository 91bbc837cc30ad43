"""A lab behind a server, with users of their own connections."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.store import LocalStore
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
