"""The labs that every statement about the unit of work is tried on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gnode_orm.stores.local import open_local
from tests.conftest import ON_CI
from tests.stores.conftest import emptied_postgres, postgres_lab, served_lab
from tests.uow.recording import OpenLab
from tests.v1peer.users import v1_lab

__all__ = ["emptied_postgres", "postgres_lab"]


STORES = ("folder", "memory", "postgres", "rest", "v1")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try each statement on every store; outside continuous integration on those that its module finds telling."""
    if "lab" in metafunc.fixturenames:
        wanted = STORES if ON_CI else getattr(metafunc.module, "STORES", STORES)
        metafunc.parametrize("lab", wanted, indirect=True)


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenLab]:
    """An empty lab of each kind, whose calls are noted, and which fails on demand."""
    if request.param in ("rest", "v1"):
        with served_lab() if request.param == "rest" else v1_lab() as behind:
            yield OpenLab(behind)
        return
    if request.param == "folder":
        store = open_local(tmp_path / "lab")
    elif request.param == "memory":
        store = open_local(":memory:")
    else:
        store = open_local(request.getfixturevalue("emptied_postgres"), arrays=tmp_path / "arrays")
    yield OpenLab(store)
    store.close()


@pytest.fixture
def session(lab: OpenLab):
    """A session of one user."""
    opened = lab.session()
    yield opened
    opened.close()
