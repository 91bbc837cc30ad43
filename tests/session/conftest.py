"""The labs that sessions are tried on."""

from __future__ import annotations

from tests.stores.conftest import emptied_postgres, postgres_lab
from tests.uow.conftest import lab, pytest_generate_tests, session

__all__ = ["emptied_postgres", "lab", "postgres_lab", "pytest_generate_tests", "session"]
