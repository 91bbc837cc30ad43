"""Opening a lab behind a server: who one is, and what is said where it fails."""

from __future__ import annotations

import socket
import threading

import pytest

from gnode_orm import Block, Session
from gnode_orm.errors import (
    AccessDenied,
    AuthenticationFailed,
    StoreUnavailable,
    UnsupportedByStore,
    ValidationFailed,
)
from gnode_orm.stores.rest import open_rest
from gnode_orm.stores.rest.connection import Patience
from gnode_orm.stores.rest.opening import open_store
from tests.stores.rest.serving import QUICK, answering, cut_after, cut_before, cut_within
from tests.stores.rows import create, found


def test_a_session_opens_a_lab_behind_a_server(server, local, monkeypatch):
    local.accounts.add("cleo", "long-enough")
    with Session(server.address, username="cleo", password="long-enough") as session:
        assert session.user == "cleo"
        session.add(Block("over the wire"))
        session.commit()
    monkeypatch.setenv("GNODE_ORM_TOKEN", server.token("cleo"))
    with Session(server.address) as session:
        assert [block.name for block in session.query(Block).all()] == ["over the wire"]
    assert len(found(local, "block", by="cleo")) == 1


def test_wrong_names_and_passwords_are_refused(server, local):
    local.accounts.add("cleo", "long-enough")
    for username, password in (("cleo", "wrong"), ("nobody", "long-enough")):
        with pytest.raises(AuthenticationFailed):
            open_rest(server.address, username=username, password=password)
    for token in ("wrong", "a\nb"):
        with pytest.raises((AuthenticationFailed, ValidationFailed)):
            open_rest(server.address, token=token)
    with pytest.raises(AuthenticationFailed, match="give username and password"):
        open_rest(server.address)
    with pytest.raises(AuthenticationFailed, match="belongs to ann, not to cleo"):
        open_rest(server.address, username="cleo", token=server.token("ann"))
    with pytest.raises(ValidationFailed, match="username="):
        open_rest(server.address, password="x")


def test_nobody_behind_the_address_is_told():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for who in ({"token": "x"}, {"username": "ann", "password": "x"}):
        with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{port} cannot be reached .*; given up after 2 attempts"):
            open_store(f"http://127.0.0.1:{port}", patience=Patience(attempts=2, pause=0.0), **who)


def test_a_server_without_tls_is_told(server):
    with pytest.raises(StoreUnavailable, match="does not speak TLS; does it stand at http://"):
        open_store(server.address.replace("http:", "https:"), username="ann", password="x")


@pytest.mark.parametrize("fault", [cut_before, cut_after, cut_within])
def test_a_login_that_is_cut_is_tried_again(server, local, fault):
    local.accounts.add("cleo", "long-enough")
    server.fault("/account/authenticate/", fault)
    store = open_store(server.address, username="cleo", password="long-enough", patience=QUICK)
    assert store.user == "cleo"
    store.close()


@pytest.mark.parametrize("address", ["http://", "http://127.0.0.1:99999999", "ftp://127.0.0.1"])
def test_what_is_no_address_is_told(address):
    with pytest.raises(ValidationFailed, match="not the address of a server"):
        open_rest(address, token="x")


@pytest.mark.parametrize(
    ("status", "error"), [(404, UnsupportedByStore), (301, StoreUnavailable), (500, StoreUnavailable)]
)
def test_a_server_of_something_else_is_told(server, status, error):
    server.fault("/additions/", answering(status))
    with pytest.raises(error):
        open_rest(server.address, token=server.token("ann"))


def test_what_is_closed_leaves_no_connection_open_though_somebody_holds_it(server):
    before = set(threading.enumerate())
    store = server.open()
    serving = set(threading.enumerate()) - before
    assert serving
    store.close()
    for thread in serving:
        thread.join(10)
    assert not any(thread.is_alive() for thread in serving)


def test_one_connection_is_one_user(server):
    store = server.open("ann")
    with pytest.raises(AccessDenied, match="opened as ann"):
        found(store, "block", by="ben")


def test_what_was_opened_to_read_writes_nothing(server, local):
    store = open_store(server.address, token=server.token("ann"), readonly=True)
    with pytest.raises(AccessDenied, match="readonly=True"):
        create(store, "block")
    assert found(store, "block") == []
    store.close()


def test_revision_ids_are_those_of_the_lab(server, local):
    store = server.open("ann")
    block = create(store, "block")
    version = local.get("block", [block], "ann")[0][1]
    assert store.guid("block", block, version) == local.guid("block", block, version)
    store.close()


def test_a_proxy_of_the_environment_is_asked(server, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", nobody)
    with pytest.raises(StoreUnavailable):
        open_store(server.address, token=server.token("ann"), patience=Patience(attempts=1))
    assert server.requests == []


def test_a_lab_is_reached_through_a_proxy_of_the_environment(server, monkeypatch):
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    # What a proxy gets is told where to go by its whole address.
    monkeypatch.setenv("http_proxy", server.address)
    store = open_store("http://lab.example/", token=server.token("ann"), patience=QUICK)
    create(store, "block", name="through")
    assert len(found(store, "block")) == 1
    store.close()
