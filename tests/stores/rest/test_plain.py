"""Slices are asked for over connections that are open already, whatever a server and those between make of it."""

from __future__ import annotations

import socket
from io import BytesIO
from shutil import copyfileobj

import numpy as np
import pytest

from gnode_orm.errors import StoreUnavailable
from gnode_orm.stores.rest.connection import Patience
from tests.stores.test_arrays import Pieces

ARRAY = np.arange(40_000.0).reshape(-1, 4)
ONCE = Patience(connect=5, read=30, attempts=1)


class Lab:
    """A store with one array in it, and what urllib3 was asked for."""

    def __init__(self, server, monkeypatch):
        self.server = server
        self.store = server.open("ann")
        self.ref = self.store.put_arrays([(Pieces(ARRAY, 10_000), "mV")])[0]
        self.pool = self.store._connection._transport._way.pool
        self.by_urllib3 = []
        urlopen = self.pool.urlopen
        monkeypatch.setattr(self.pool, "urlopen", lambda *a, **k: (self.by_urllib3.append(a[1]), urlopen(*a, **k))[1])

    def reads(self, first: int) -> bool:
        return np.array_equal(self.store.read_array(self.ref, slice(first, first + 100)), ARRAY[first : first + 100])

    def limit(self, patience: Patience) -> None:
        self.store._connection._patience = patience

    def asked(self) -> int:
        return sum(path.endswith("/arrays/read") for path in self.server.requests)


@pytest.fixture
def lab(server, monkeypatch):
    return Lab(server, monkeypatch)


def saying(head: str, body: bytes = b""):
    """Something between says this, and no more."""

    def fault(exchange):
        exchange.handler.rfile.read(exchange.left)
        exchange.left = 0
        exchange.handler.wfile.write(head.encode("latin-1") + body)
        exchange.drop()

    return fault


def in_chunks(exchange):
    """Something between sends the answer on in chunks."""
    exchange.streaming = False
    exchange.handle()
    exchange.head = [item for item in exchange.head if item[0] != b"content-length"]
    exchange.head.append((b"Transfer-Encoding", b"chunked"))
    exchange.send_head()
    body = b"".join(exchange.body)
    for start in range(0, len(body), 1000):
        piece = body[start : start + 1000]
        exchange.handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
    exchange.handler.wfile.write(b"0\r\n\r\n")


def test_one_connection_takes_one_slice_after_the_other(lab):
    before = lab.pool.num_connections
    assert all(lab.reads(first) for first in range(0, 1000, 100))
    assert lab.pool.num_connections == before
    assert lab.by_urllib3 == []


def test_a_connection_is_made_where_none_is_open(lab):
    while (connection := lab.pool._get_conn()) and not connection.is_closed:
        connection.close()
    assert lab.reads(0)
    assert len(lab.by_urllib3) == 1
    assert lab.reads(100)
    assert len(lab.by_urllib3) == 1


def test_a_connection_that_the_server_has_closed_is_not_asked(lab):
    connection = lab.pool._get_conn()
    connection.sock.shutdown(socket.SHUT_RDWR)
    lab.pool._put_conn(connection)
    before = lab.asked()
    assert lab.reads(0)
    assert lab.asked() == before + 1


def test_an_answer_in_chunks_is_read_as_well(lab):
    lab.server.fault("/arrays/read", in_chunks)
    before = lab.asked()
    assert lab.reads(0)
    assert lab.reads(100)
    assert lab.asked() == before + 2


@pytest.fixture
def cut(lab):
    lab.server.fault("/arrays/read", saying("HTTP/1.1 200 OK\r\nContent-Length: 3300\r\n\r\n", b"GNO1\0\0"))


def test_arrays_that_end_with_their_connection_are_asked_for_again(lab, cut):
    before = lab.asked()
    assert lab.reads(0)
    assert lab.asked() == before + 2


def test_arrays_that_end_with_their_connection_are_told_by_who_asks_once(lab, cut):
    lab.limit(ONCE)
    with pytest.raises(StoreUnavailable, match="3294 bytes of the answer are missing"):
        lab.reads(0)
    assert lab.reads(100)


def test_an_answer_that_ends_with_its_connection_is_never_taken_for_whole(lab, cut):
    lab.limit(ONCE)
    kept = BytesIO()
    with pytest.raises(StoreUnavailable, match="3294 bytes of the answer are missing"):
        lab.store._connection.exchange("GET", "/arrays/read", lambda answer: copyfileobj(answer, kept), stream=True)


def test_cookies_are_kept(lab):
    def with_a_cookie(exchange):
        exchange.streaming = False
        exchange.handle()
        exchange.head.append((b"Set-Cookie", b"place=2; Path=/"))
        exchange.send_head()
        exchange.handler.wfile.write(b"".join(exchange.body))

    lab.server.fault("/arrays/read", with_a_cookie)
    assert lab.reads(0)
    assert [cookie.value for cookie in lab.store._connection._transport._cookies] == ["2"]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("", "Remote end closed connection without response"),
        ("nonsense\r\n\r\n", "nonsense"),
        ("HTTP/1.1 fine\r\nContent-Length: 0\r\n\r\n", "fine"),
        ("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "ended in the middle"),
        ("HTTP/1.1 200 OK\r\nnothing\r\n\r\n", "ended in the middle"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10", "10 bytes of the answer are missing"),
        ("HTTP/1.1 200 OK\r\n" + "X: y\r\n" * 101 + "\r\n", "more than 100 headers"),
    ],
)
def test_what_is_no_answer_counts_as_a_lost_connection(lab, head, said):
    lab.limit(ONCE)
    lab.server.fault("/arrays/read", saying(head))
    with pytest.raises(StoreUnavailable, match=rf"The connection to {lab.server.address} was lost \(.*({said})"):
        lab.reads(0)
    assert lab.reads(0)


def test_silence_within_an_array_is_told_after_the_time_allowed(lab):
    def silent(exchange):
        exchange.handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3300\r\n\r\nGNO1")
        exchange.handler.wfile.flush()
        exchange.owner.stopping.wait(30)
        exchange.drop()

    lab.server.fault("/arrays/read", silent)
    lab.limit(Patience(connect=5, read=0.3, attempts=1))
    with pytest.raises(StoreUnavailable, match=r"silent for 0\.3 s"):
        lab.reads(0)
    lab.limit(ONCE)
    assert lab.reads(0)


def test_another_page_in_place_of_arrays_is_told(lab):
    lab.server.fault("/arrays/read", saying("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n", b"<html></html"))
    with pytest.raises(StoreUnavailable, match="did not answer with arrays"):
        lab.reads(0)
    assert lab.reads(0)


def test_a_closed_lab_is_told(lab):
    lab.store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        lab.reads(0)
