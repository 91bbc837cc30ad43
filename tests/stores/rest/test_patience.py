"""How long one waits for a server, how often one asks, and what a session makes of it when one gives up."""

from __future__ import annotations

import pytest

from gnode_orm import Block, Session
from gnode_orm.core.select import Select
from gnode_orm.errors import AuthenticationFailed, StoreUnavailable
from gnode_orm.stores.rest import connection, open_rest
from gnode_orm.stores.rest.connection import Patience
from tests.stores.rest.serving import answering, silent_after

PATIENT = Patience(connect=5, read=30, attempts=3, pause=0.0)


@pytest.fixture
def slept(monkeypatch):
    """The pauses that were made, in seconds; none is waited for."""
    pauses = []
    monkeypatch.setattr(connection.time, "sleep", pauses.append)
    return pauses


@pytest.mark.statement(71)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_given_the_time_that_it_asks_for(server, slept, status):
    store = server.open("ann", PATIENT)
    server.fault("/select", answering(status, retry_after="7"))
    assert store.select(Select("block"), "ann").rows == []
    assert slept == [7]


@pytest.mark.statement(71)
def test_a_commit_that_meets_a_busy_server_is_written_once(server, local, slept):
    with Session(store=server.open("ann", PATIENT), username="ann") as session:
        session.add(Block("once"))
        server.fault("/changes", answering(503, retry_after="2"))
        server.fault("/changes", answering(429, retry_after="3"))
        session.commit()
        assert slept == [2, 3]
        assert session.query(Block).count() == 1


@pytest.mark.statement(71)
def test_a_server_that_asks_for_too_much_time_is_not_waited_for(server, slept):
    store = server.open("ann", PATIENT)
    server.fault("/select", answering(503, retry_after="3600"))
    with pytest.raises(StoreUnavailable):
        store.select(Select("block"), "ann")
    assert slept == []


@pytest.mark.statement(71)
def test_giving_up_says_how_often_one_tried(server):
    store = server.open("ann", PATIENT)
    for _ in range(3):
        server.fault("/select", answering(502))
    with pytest.raises(StoreUnavailable, match="given up after 3 attempts"):
        store.select(Select("block"), "ann")
    assert server.requests.count("/api/v1/additions/select") == 3


@pytest.mark.statement(72)
def test_silence_after_a_commit_leaves_its_outcome_unknown_and_not_failed(server):
    with Session(store=server.open("ann", Patience(connect=5, read=1.5, attempts=1)), username="ann") as session:
        block = session.add(Block("in doubt"))
        server.fault("/changes", silent_after)
        with pytest.raises(StoreUnavailable, match=r"silent for 1\.5 s"):
            session.commit()
        assert session.new == [block]
        session.commit()
        assert session.new == []
        assert session.query(Block).all() == [block]


@pytest.mark.statement(72)
def test_connecting_and_reading_have_limits_of_their_own(server, monkeypatch):
    store, limits = server.open("ann", Patience(connect=1.5, read=4.5)), []
    pool = store._connection._transport._way.pool
    send = pool.urlopen
    monkeypatch.setattr(pool, "urlopen", lambda *a, **k: (limits.append(k["timeout"]), send(*a, **k))[1])
    store.select(Select("block"), "ann")
    (limit,) = limits
    assert (limit.connect_timeout, limit.read_timeout) == (1.5, 4.5)


@pytest.fixture
def logged_in(server, local):
    """A session of a user who gave name and password."""
    local.accounts.add("cleo", "long-enough")
    store = open_rest(server.address, username="cleo", password="long-enough")
    with Session(store=store, username="cleo") as session:
        yield session
        session.rollback()


@pytest.mark.statement(69)
def test_a_login_that_ended_is_renewed_in_the_middle_of_a_commit(server, logged_in):
    logged_in.add(Block("once"))
    server.fault("/changes", answering(401))
    server.requests.clear()
    logged_in.commit()
    assert [path.rpartition("additions/")[2] for path in server.requests] == [
        "changes", "/account/authenticate/", "changes",
    ]  # fmt: skip
    assert logged_in.query(Block).count() == 1


@pytest.mark.statement(69)
def test_a_login_that_cannot_be_renewed_is_told_and_leaves_everything_pending(server, logged_in):
    block = logged_in.add(Block("pending"))
    for _ in range(2):
        server.fault("/changes", answering(401))
    with pytest.raises(AuthenticationFailed):
        logged_in.commit()
    assert logged_in.new == [block]
    logged_in.commit()
    assert logged_in.query(Block).count() == 1
