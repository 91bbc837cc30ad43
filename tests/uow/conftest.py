"""The labs that every statement about the unit of work is tried on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gnode_orm.stores.local import open_local
from tests.conftest import ON_CI
from tests.stores.conftest import emptied_postgres, postgres_lab, served_lab
from tests.uow.recording import OpenLab
from tests.uow.statements import reason_not_kept

__all__ = ["emptied_postgres", "postgres_lab"]


STORES = ("folder", "memory", "postgres", "rest")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try each statement on every store; outside continuous integration on those that its module finds telling."""
    if "lab" in metafunc.fixturenames:
        wanted = STORES if ON_CI else getattr(metafunc.module, "STORES", STORES)
        metafunc.parametrize("lab", wanted, indirect=True)


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenLab]:
    """An empty lab of each kind, whose calls are noted, and which fails on demand.

    A statement that the store cannot keep is skipped with the reason that the documentation gives.
    """
    numbers = tuple(number for mark in request.node.iter_markers("statement") for number in mark.args)
    reason = reason_not_kept(numbers, request.param)
    if reason is not None:
        pytest.skip(reason)
    if request.param == "rest":
        with served_lab() as behind:
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
