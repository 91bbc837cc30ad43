"""Whatever happens to the connection: a change is written once or not at all, and the caller knows which."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import numpy as np
import pytest

from gnode_orm.core.changes import ChangeSet
from gnode_orm.core.select import Select
from gnode_orm.errors import AuthenticationFailed, StoreUnavailable
from gnode_orm.stores.rest.connection import Patience
from gnode_orm.stores.rest.opening import open_store
from gnode_orm.wire.change_sets import pack
from tests.stores.rest.serving import answering, cut_after, cut_before, cut_within, silent_after
from tests.stores.rows import create, found, row
from tests.stores.test_arrays import Pieces

ONCE = Patience(connect=5, read=30, attempts=1, pause=0.0)
HASTY = Patience(connect=5, read=1.5, attempts=3, pause=0.0)
FAULTS = {
    "before": cut_before,
    "after": cut_after,
    "within the answer": cut_within,
    "silence": silent_after,
    "gateway": answering(502),
    "busy": answering(503),
}


@pytest.fixture(params=FAULTS)
def fault(request):
    return FAULTS[request.param]


def test_a_change_set_is_written_once_whatever_is_lost(server, local, fault):
    store = server.open("ann", HASTY)
    server.fault("/changes", fault)
    receipt = store.apply(ChangeSet(creates={"block": [row("block", name="once")]}), "ann")
    assert len(found(local, "block")) == 1
    assert store.receipt(receipt.id, "ann") == receipt
    assert len(local.history("block", found(local, "block")[0], "ann")) == 1


def test_a_read_is_asked_again(server, fault):
    store = server.open("ann", HASTY)
    block = create(store, "block", name="x")
    server.fault("/select", fault)
    assert [record[0] for record in store.select(Select("block"), "ann").rows] == [block]


@pytest.mark.parametrize(("fault", "written"), [(cut_before, False), (cut_after, True), (cut_within, True)])
def test_who_gives_up_can_ask_what_became_of_it(server, fault, written):
    store = server.open("ann", ONCE)
    changes = ChangeSet(creates={"block": [row("block")]})
    server.fault("/changes", fault)
    with pytest.raises(StoreUnavailable, match="lost"):
        store.apply(changes, "ann")
    assert (store.receipt(changes.id, "ann") is not None) == written
    assert store.apply(changes, "ann").id == changes.id
    assert len(found(store, "block")) == 1


def test_silence_is_told_after_the_time_allowed(server):
    store = server.open("ann")
    # Opening is not hurried, however slow the machine is.
    store._connection._patience = Patience(connect=5, read=0.2, attempts=1)
    server.fault("/select", silent_after)
    with pytest.raises(StoreUnavailable, match=r"silent for 0\.2 s"):
        store.select(Select("block"), "ann")


def test_an_answer_with_arrays_that_is_cut_is_read_again(server, fault):
    store = server.open("ann", HASTY)
    array = np.arange(40_000.0)
    ref = store.put_arrays([(Pieces(array, 10_000), "mV")])[0]
    server.fault("/arrays/read", fault)
    assert np.array_equal(store.read_array(ref), array)


def test_pieces_that_are_lost_are_sent_again(server, fault):
    store = server.open("ann", HASTY)
    array = np.arange(3_000_000.0)
    server.fault("/1", fault)
    ref = store.put_arrays([(Pieces(array, 100_000), "mV")])[0]
    assert np.array_equal(store.read_array(ref, slice(1_500_000, 1_500_010)), array[1_500_000:1_500_010])


def test_an_array_is_gone_on_with_where_it_was_left(server):
    store = server.open("ann", ONCE)
    array = np.arange(5_000_000.0)  # five pieces
    server.fault("/3", cut_before)
    with pytest.raises(StoreUnavailable):
        store.put_arrays([(Pieces(array, 500_000), "mV")])[0]
    before = len([path for path in server.requests if path.endswith(tuple("01234"))])
    ref = store.put_arrays([(Pieces(array, 500_000), "mV")])[0]
    sent = [path[-1] for path in server.requests if path.endswith(tuple("01234"))][before:]
    assert "3" in sent
    assert len(sent) < 5
    assert np.array_equal(store.read_array(ref), array)
    put_again = len(server.requests)
    assert store.put_arrays([(Pieces(array, 500_000), "uV")])[0].hash == ref.hash
    assert [path.rpartition("/")[2] for path in server.requests[put_again:]] == ["begin", "begin"]


def test_a_piece_that_a_crash_of_the_machine_spoils_is_sent_again(server, local):
    """Pieces are synced many at once, so those that were only written are looked at again."""
    store = server.open("ann", ONCE)
    array = np.arange(5_000_000.0)  # five pieces
    server.fault("/3", cut_before)
    with pytest.raises(StoreUnavailable):
        store.put_arrays([(Pieces(array, 500_000), "mV")])[0]
    (staged,) = local.uploads._folder.glob("*.npy")
    with staged.open("r+b") as file:
        file.seek(1 << 20)
        file.write(bytes(1 << 10))
    ref = store.put_arrays([(Pieces(array, 500_000), "mV")])[0]
    assert np.array_equal(store.read_array(ref), array)
    assert [path.rpartition("/")[2] for path in server.requests].count("0") == 2


@pytest.mark.parametrize("instead_of", ["remember_beginning", "StagedArray.forget"])
@pytest.mark.parametrize("size", [20_000, 5_000_000], ids=["one piece", "five pieces"])
def test_an_upload_is_finished_after_a_crash_before_its_sender_was_known(server, local, monkeypatch, instead_of, size):
    store = server.open("ann", ONCE)
    array = np.arange(float(size))
    with monkeypatch.context() as crash:
        crash.setattr(f"gnode_orm.stores.local.uploads.{instead_of}", lambda *given: 1 / 0)
        with pytest.raises(StoreUnavailable):
            store.put_arrays([(Pieces(array, 500_000), "mV")])
    ref = store.put_arrays([(Pieces(array, 500_000), "mV")])[0]
    assert np.array_equal(store.read_array(ref), array)


def test_a_change_set_cut_in_its_middle_writes_nothing(server, local):
    body = pack(ChangeSet(creates={"block": [row("block", name=f"b{n}") for n in range(500)]}), {})
    host = urlsplit(server.address)
    with socket.create_connection((host.hostname, host.port)) as raw:
        head = f"POST /api/v1/additions/changes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.token('ann')}\r\n"
        raw.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[: len(body) // 2])
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(1 << 16):
            pass
    assert found(local, "block") == []


def test_a_session_that_ends_in_the_middle_is_renewed(server, local):
    local.accounts.add("cleo", "long-enough")
    store = open_store(server.address, username="cleo", password="long-enough")
    create(store, "block", by="cleo")
    with local._database.write() as transaction:
        transaction.run("DELETE FROM token")
    create(store, "block", by="cleo")
    assert len(found(local, "block", by="cleo")) == 2
    store.close()


def test_a_token_that_ended_is_told(server, local):
    store = server.open("ann")
    with local._database.write() as transaction:
        transaction.run("DELETE FROM token")
    with pytest.raises(AuthenticationFailed):
        create(store, "block")
    assert found(local, "block") == []
