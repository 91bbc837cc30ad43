"""What tests share: where the sample recordings and the PostgreSQL server are, and how Hypothesis runs."""

from __future__ import annotations

import gc
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from tests.not_kept import expect_failures

ROOT = Path(__file__).resolve().parent.parent
ON_CI = os.environ.get("CI", "").lower() in {"1", "true"}

# Examples are not timed: a busy machine is no defect. Both profiles draw new examples at every run.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("default"), derandomize=False, print_blob=True)
settings.load_profile("ci" if ON_CI else "default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect of each store what the documentation says that it keeps."""
    expect_failures(items)


@pytest.fixture(autouse=True, scope="session")
def no_cache() -> Iterator[None]:
    """Let every array come from its server, and nothing be written where the user of the tests keeps his."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GNODE_ORM_CACHE_MB", "0")
        yield


@pytest.fixture(autouse=True, scope="module")
def small_garbage() -> None:
    """Keep what is there before a module out of collections of garbage: nixio asks for a full one at every close."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of sample recordings."""
    folder = Path(os.environ.get("GNODE_ORM_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        _absent(f"no sample recordings at {folder}; GNODE_ORM_TEST_DATA names another folder")
    return folder


@pytest.fixture(scope="session")
def expected(data: Path) -> dict[str, Any]:
    """What stands in each sample recording, by the name of its folder."""
    figures: dict[str, Any] = json.loads((data / "expected.json").read_text(encoding="utf-8"))
    return figures


@pytest.fixture
def damaged_experiment(data: Path, tmp_path: Path) -> Path:
    """A recording of Open Ephys of three experiments, the second of which lacks a file."""
    folder = tmp_path / "three experiments"
    shutil.copytree(data / "openephys-binary" / "v0.6.x_neuropixels_multiexp_multistream", folder)
    for lost in (folder / "Record Node 101" / "experiment3").rglob("states.npy"):
        lost.unlink()
    return folder


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The URL of a new, empty PostgreSQL database, dropped after the test."""
    server = os.environ.get("GNODE_ORM_TEST_POSTGRES")
    if not server:
        _absent("no PostgreSQL: GNODE_ORM_TEST_POSTGRES names none (postgresql+psycopg://user@host:port/postgres)")
    from sqlalchemy import URL, make_url

    url: URL = make_url(server)
    name = f"gnode_test_{secrets.token_hex(6)}"
    _administer(url, f'CREATE DATABASE "{name}" TEMPLATE template0')
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def _administer(url: object, statement: str) -> None:
    from sqlalchemy import NullPool, create_engine

    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)  # type: ignore[arg-type]
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)


def _absent(reason: str) -> NoReturn:
    """Skip the test, or fail it where continuous integration should have brought what is missing."""
    if ON_CI:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
