"""The stores that every test of the contract runs on."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.store import LocalStore
from tests.stores.s3 import new_bucket, s3_server
from tests.v1peer.users import v1_lab


@pytest.fixture(params=["folder", "memory", "postgres", "s3", "rest", "v1"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """An empty lab of each kind; the last one behind a server."""
    if request.param in ("rest", "v1"):
        with served_lab() if request.param == "rest" else v1_lab() as behind:
            yield behind
        return
    if request.param == "folder":
        opened = open_local(tmp_path / "lab")
    elif request.param == "memory":
        opened = open_local(":memory:")
    elif request.param == "s3":
        opened = open_local(request.getfixturevalue("emptied_postgres"), arrays=request.getfixturevalue("bucket"))
    else:
        opened = open_local(request.getfixturevalue("emptied_postgres"), arrays=tmp_path / "arrays")
    yield opened
    opened.close()


@pytest.fixture(params=["folder", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], LocalStore]:
    """Opens a lab, as often as it is called."""
    if request.param == "folder":
        return partial(open_local, tmp_path / "lab")
    return partial(open_local, request.getfixturevalue("emptied_postgres"), arrays=tmp_path / "lab" / "arrays")


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
    """The address of a server that speaks S3."""
    with s3_server() as address:
        yield address


@pytest.fixture
def bucket(object_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place for arrays in an empty bucket, which the environment says how to reach."""
    settings = {"ENDPOINT_URL": object_store, "ALLOW_HTTP": "true", "ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b"}
    for name, value in settings.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return f"s3://{new_bucket(object_store)}/some/lab"


@contextmanager
def served_lab() -> Iterator[Any]:
    """An empty lab behind a server, for any user."""
    from tests.stores.rest.serving import EveryUser, served

    opened = open_local(":memory:")
    try:
        with served(opened) as server:
            yield EveryUser(server)
    finally:
        opened.close()


@pytest.fixture(scope="session")
def postgres_lab() -> Iterator[str]:
    """The URL of one PostgreSQL database, with a lab in it, for all tests of the stores."""
    server = os.environ.get("GNODE_ORM_TEST_POSTGRES")
    if not server:
        pytest.skip("no PostgreSQL: GNODE_ORM_TEST_POSTGRES names none (postgresql+psycopg://user@host:port/postgres)")
    import psycopg
    from sqlalchemy import make_url

    url = make_url(server)
    name = f"gnode_stores_{secrets.token_hex(6)}"
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield url.set(database=name).render_as_string(hide_password=False)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def emptied_postgres(postgres_lab: str) -> str:
    """The same database, without any row: far faster than a new database for each test."""
    import psycopg

    from gnode_orm.stores.local.tables import lab_tables

    with psycopg.connect(postgres_lab.replace("+psycopg", "")) as connection:
        if connection.execute("SELECT to_regclass('lab')").fetchone() != (None,):
            names = ", ".join(f'"{name}"' for name in lab_tables().metadata.tables if name != "lab")
            connection.execute(f"TRUNCATE {names}")
    return postgres_lab


@pytest.fixture
def new_postgres(postgres_lab: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    import psycopg
    from sqlalchemy import make_url

    name = f"gnode_new_{secrets.token_hex(6)}"
    with psycopg.connect(postgres_lab.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
        yield make_url(postgres_lab).set(database=name).render_as_string(hide_password=False)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
