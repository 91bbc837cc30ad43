"""Bad clients over real sockets: each is refused in words, stores nothing, and keeps nobody else from being served."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from gnode_orm import AnalogSignal, Block, connect
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.accounts import BEARER
from tests.server.conftest import PASSWORD
from tests.server.test_bombs import BOMBS
from tests.server.test_serving import Served
from tests.server.test_uploads import BLOCK, delta, group, section

BLOCKS = "/api/v1/electrophysiology/block/"
BULK = "/api/v1/in_bulk/"
CHANGES = "/api/v1/additions/changes"
IMPATIENT = """
from functools import partial
from gnode_orm.server import app, serving
from gnode_orm.server.context import Limits
serving._HEADER_MILLISECONDS = 300
serving.create_app = partial(app.create_app, limits=Limits(body=10_000, upload=4_000_000, idle_seconds=0.3))
"""


@pytest.fixture(scope="module")
def token_and_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Served]]:
    """One server, which waits for nobody for long and takes little."""
    lab = tmp_path_factory.mktemp("hostile") / "lab"
    store = open_local(lab)
    store.accounts.add("ann", PASSWORD)
    token = store.accounts.new_token("ann", BEARER, 3600)
    store.close()
    server = Served(lab, workers=1, before=IMPATIENT)
    yield token, server
    server.stop()


@pytest.fixture
def served(token_and_server: tuple[str, Served]) -> Served:
    return token_and_server[1]


@pytest.fixture
def token(token_and_server: tuple[str, Served]) -> str:
    return token_and_server[0]


@pytest.fixture
def ann(served: Served, token: str) -> Iterator[requests.Session]:
    """A client like any other; afterwards it is still served, and nothing was stored."""
    with served.client(token) as client:
        yield client
        found = client.get(served.url + BLOCKS, timeout=30)
        assert (found.status_code, found.json()["meta"]["total_count"]) == (200, 0)


def begun(served: Served, token: str, length: int, path: str = BLOCKS) -> socket.socket:
    """Begin a request with a body."""
    raw = socket.create_connection(("127.0.0.1", served.port), timeout=30)
    raw.sendall(
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()
    )
    return raw


def answer_of(raw: socket.socket) -> tuple[int, dict[str, Any]]:
    """Read an answer to its end."""
    received = b""
    with suppress(ConnectionError):
        while piece := raw.recv(1 << 16):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_a_header_that_does_not_end_is_not_waited_for(ann: requests.Session, served: Served) -> None:
    slow = [socket.create_connection(("127.0.0.1", served.port), timeout=30) for _ in range(50)]
    for raw in slow:
        raw.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ")
    assert ann.get(served.url + "/healthz", timeout=30).status_code == 200
    for raw in slow:
        assert raw.recv(1 << 10).split()[1:2] in ([], [b"408"])
        raw.close()


def test_a_body_that_stops_is_answered_408(ann: requests.Session, served: Served, token: str) -> None:
    with begun(served, token, 100) as raw:
        raw.sendall(b'{"name":')
        status, problem = answer_of(raw)
    assert (status, problem["status"]) == (408, 408)
    assert problem["request_id"]


def test_a_body_that_drips_is_answered_408(ann: requests.Session, served: Served, token: str) -> None:
    with begun(served, token, 5_000) as raw:
        sent = 0
        while not select.select([raw], [], [], 0.02)[0] and sent < 5_000:
            raw.sendall(b" ")
            sent += 1
        assert answer_of(raw)[0] == 408
        assert sent < 500


@pytest.mark.parametrize("path", [BLOCKS, BULK, CHANGES])
def test_a_body_that_is_cut_stores_nothing(ann: requests.Session, served: Served, token: str, path: str) -> None:
    with begun(served, token, 3_000, path) as raw:
        raw.sendall(b'{"name": "half"' + b" " * 1000)


def test_a_client_that_hangs_up_within_an_answer_disturbs_nobody(served: Served, token: str) -> None:
    with connect(served.url, token=token) as lab, lab.session() as session:
        block = session.add(Block("b"))
        signal = AnalogSignal(signal=(np.zeros(1 << 22), "mV"), sampling_rate="1 kHz")
        session.add(signal)
        session.commit()
        for _ in range(5):
            with requests.get(
                f"{served.url}{signal.location}signal/", headers={"Authorization": f"Bearer {token}"}, stream=True,
                timeout=30,
            ) as answer:  # fmt: skip
                assert next(answer.iter_content(100))
        assert session.query(AnalogSignal).one() is signal
        session.delete(signal)
        session.delete(block)
        session.commit()


def problem(answer: requests.Response, status: int) -> dict[str, Any]:
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["status"]) == (status, status), answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert told["request_id"] == answer.headers["X-Request-Id"]
    assert told["error"]
    return told


def test_a_body_that_is_too_long_is_413(ann: requests.Session, served: Served) -> None:
    headers = {"Content-Type": "application/json"}
    problem(ann.post(served.url + BLOCKS, data=b" " * 20_000, headers=headers, timeout=30), 413)
    problem(ann.post(served.url + BULK, files={"raw_file": bytes(5_000_000)}, timeout=30), 413)
    problem(ann.post(served.url + BLOCKS, data=iter([b" " * 5_000] * 4), headers=headers, timeout=30), 413)


def test_a_body_of_another_kind_is_415(ann: requests.Session, served: Served) -> None:
    problem(ann.post(served.url + BLOCKS, data=b"name", headers={"Content-Type": "text/plain"}, timeout=30), 415)


def test_a_value_that_does_not_fit_is_422_with_entity_and_field(ann: requests.Session, served: Served) -> None:
    told = problem(ann.post(served.url + BLOCKS, json={"index": "first"}, timeout=30), 422)
    assert (told["entity"], told["field"]) == ("Block", "index")


def test_many_wrong_passwords_are_429(ann: requests.Session, served: Served) -> None:
    form = {"username": "nobody", "password": "guess"}
    answers = [requests.post(served.url + "/account/authenticate/", data=form, timeout=30) for _ in range(8)]
    told = problem(answers[-1], 429)
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert "wait" in told["detail"] or "again" in told["detail"]


MALFORMED = {
    "cycle": delta(BLOCK, section("TEMP1", "TEMP2"), section("TEMP2", "TEMP1")),
    "unknown temporary id": delta(BLOCK, (group("segment", "TEMP2"), {"block": "TEMP9"}, {})),
    "wrong dataset": delta(BLOCK, (group("spiketrain", "TEMP2"), {}, {"times": np.zeros((2, 2))})),
    "truncated": delta(BLOCK)[:-600],
    "no file": b"",
    **BOMBS,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_delta_is_refused_with_nothing_stored(ann: requests.Session, served: Served, name: str) -> None:
    answer = ann.post(served.url + BULK, files={"raw_file": MALFORMED[name]}, timeout=30)
    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code)


def test_what_was_refused_left_no_file(served: Served, ann: requests.Session) -> None:
    ann.post(served.url + BULK, files={"raw_file": BOMBS["many that claim much"]}, timeout=30)
    arrays = Path(str(served.log).removesuffix(".log")) / "arrays"
    assert not [path for path in arrays.rglob("*") if path.name.startswith("tmp-")]
