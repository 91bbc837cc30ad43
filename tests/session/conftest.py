"""The labs that sessions are tried on."""

from __future__ import annotations

import pytest

from tests.conftest import ON_CI
from tests.stores.conftest import emptied_postgres, postgres_lab
from tests.uow.conftest import lab, session

__all__ = ["emptied_postgres", "lab", "postgres_lab", "session"]

STORES = ("folder", "memory", "postgres", "rest")


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Try each on every store that keeps all; what a server of API v1 keeps is told by the statements on it.

    The stores come last, so that each case runs on all of them in turn: statements are compiled once for all labs on
    one kind of database, and not kept for ever.
    """
    if "lab" in metafunc.fixturenames:
        metafunc.parametrize("lab", STORES if ON_CI else getattr(metafunc.module, "STORES", STORES), indirect=True)
