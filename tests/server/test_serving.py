"""A real server: several worker processes on one lab, killed in the middle and stopped gently."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, cast

import pytest
import requests
from requests.adapters import HTTPAdapter
from starlette.applications import Starlette
from urllib3 import Retry

from gnode_orm import Block, connect
from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.select import Select
from gnode_orm.errors import NotFound, ValidationFailed
from gnode_orm.server import serving
from gnode_orm.server.app import create_app
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.accounts import BEARER
from tests.server.asgi_client import Client
from tests.server.conftest import PASSWORD

BLOCKS = "/api/v1/electrophysiology/block/"


class Served:
    """A server process over a lab."""

    def __init__(
        self, lab: Path, workers: int, *, certificate: Path | None = None, key: Path | None = None,
        proxies: list[str] | None = None, before: str = "",
    ) -> None:  # fmt: skip
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.port = port
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
        self.log = lab.with_suffix(".log")
        options: dict[str, Any] = {"port": port, "workers": workers, "certificate": certificate, "key": key}
        options["proxies"] = proxies or []
        script = (
            f"from pathlib import Path, PosixPath; from gnode_orm.server.serving import serve; {before}\n"
            f"serve({str(lab)!r}, **{options!r})"
        )
        with self.log.open("w") as log:
            self.process = subprocess.Popen([sys.executable, "-c", script], stderr=log, start_new_session=True)
        # Connecting is tried until the server listens.
        self.client(retries=12).get(self.url + "/healthz", verify=False).close()

    def client(self, token: str = "", retries: int = 0) -> requests.Session:
        client = requests.Session()
        for scheme in ("http://", "https://"):
            client.mount(scheme, HTTPAdapter(max_retries=Retry(connect=retries, backoff_factor=0.1)))
        if token:
            client.headers["Authorization"] = f"Bearer {token}"
        return client

    def signal(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
        self.process.wait(30)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    folder = tmp_path / "lab"
    with_accounts = open_local(folder)
    with_accounts.accounts.add("ann", PASSWORD)
    with_accounts.close()
    return folder


@pytest.fixture
def token(lab: Path) -> str:
    store = open_local(lab)
    made = store.accounts.new_token("ann", BEARER, 3600)
    store.close()
    return made


@pytest.fixture
def served(lab: Path, token: str) -> Iterator[Served]:
    server = Served(lab, workers=2)
    yield server
    server.stop()


def names(lab: Path) -> set[str]:
    store = open_local(lab)
    try:
        place = SCHEMA["block"].record_columns.index("name")
        return {row[place] for row in store.select(Select("block"), "ann").rows}
    finally:
        store.close()


def workers(served: Served) -> set[int]:
    """The processes that the server started."""
    started = Path(f"/proc/{served.process.pid}/task").glob("*/children")
    return {int(child) for listed in started for child in listed.read_text().split()}


def write(served: Served, token: str, number: int, done: set[str], stop: threading.Event) -> None:
    """Make blocks one after the other, remembering those that were acknowledged."""
    with served.client(token) as client:
        for count in range(10_000):
            if stop.is_set():
                return
            name = f"{number}-{count}"
            try:
                answer = client.post(served.url + BLOCKS, json={"name": name}, timeout=30)
            except requests.RequestException:
                return
            if answer.status_code == 201:
                done.add(name)


def test_killing_the_server_at_any_moment_loses_nothing_that_was_acknowledged(
    served: Served, lab: Path, token: str
) -> None:
    done: set[str] = set()
    stop = threading.Event()
    writers = [threading.Thread(target=write, args=(served, token, n, done, stop)) for n in range(3)]
    for writer in writers:
        writer.start()
    with served.client(token) as client:
        while len(done) < 20:
            client.get(served.url + BLOCKS, timeout=30).raise_for_status()
    served.signal(signal.SIGKILL)
    stop.set()
    for writer in writers:
        writer.join(30)
    assert done <= names(lab)


def test_workers_may_be_killed_at_any_time_and_as_often(served: Served, lab: Path, token: str) -> None:
    with connect(served.url, token=token) as opened, opened.session() as session:
        for number in range(4):
            killed = workers(served)
            for worker in killed:
                os.kill(worker, signal.SIGKILL)
            session.add(Block(str(number)))
            session.commit()
            while not workers(served).isdisjoint(killed):
                assert session.query(Block).count() == number + 1
    assert names(lab) == {"0", "1", "2", "3"}
    assert served.process.poll() is None
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(30) == 0


def test_a_server_whose_workers_cannot_start_stops_and_says_so(lab: Path, token: str) -> None:
    served = Served(lab, workers=1)
    try:
        lab.rename(lab.with_name("elsewhere"))
        os.kill(workers(served).pop(), signal.SIGKILL)
        assert served.process.wait(120) == 1
    finally:
        served.stop()
    assert "one after the other" in served.log.read_text()


def test_a_gentle_stop_finishes_and_leaves_one_line_of_json_a_request(served: Served, lab: Path, token: str) -> None:
    with served.client(token) as client:
        made = client.post(served.url + BLOCKS, json={"name": "x"}, headers={"X-Request-Id": "mine"}, timeout=30)
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(30) == 0
    assert made.json()["name"] in names(lab)
    lines: list[dict[str, Any]] = [json.loads(line) for line in served.log.read_text().splitlines()]
    (line,) = [line for line in lines if line.get("request_id") == "mine"]
    assert (line["status"], line["user"], line["path"]) == (201, "ann", BLOCKS)


def test_a_request_that_runs_when_the_server_is_stopped_is_finished(served: Served, lab: Path, token: str) -> None:
    body = json.dumps({"name": "finished"}).encode()
    head = f"POST {BLOCKS} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nAuthorization: Bearer {token}\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as running:
        running.sendall(f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        running.sendall(body[:5])
        served.process.send_signal(signal.SIGTERM)
        with suppress(ConnectionError):  # the server takes no more connections, but goes on with this one
            while True:
                socket.create_connection(("127.0.0.1", served.port), timeout=30).close()
        running.sendall(body[5:])
        assert running.recv(1 << 16).startswith(b"HTTP/1.1 201")
    assert served.process.wait(60) == 0
    assert "finished" in names(lab)


@pytest.mark.parametrize(("proxies", "believed"), [(["127.0.0.1"], True), (["192.0.2.1"], False), ([], False)])
def test_a_proxy_is_believed_about_who_asks_where_it_was_named(lab: Path, proxies: list[str], believed: bool) -> None:
    server = Served(lab, workers=1, proxies=proxies)
    said = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "Host": "lab.example"}
    try:
        with server.client() as client:
            login = {"username": "ann", "password": PASSWORD}
            made = client.post(server.url + "/account/authenticate/", login, headers=said, timeout=30)
            out = client.get(server.url + "/account/logout/", headers=said, timeout=30, allow_redirects=False)
    finally:
        server.stop()
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    assert ("Secure" in made.headers["set-cookie"]) is believed
    assert out.headers["location"] == f"{'https' if believed else 'http'}://lab.example/account/login/"
    assert {line["client"] for line in lines if line.get("path", "").startswith("/account/")} == {
        "203.0.113.7" if believed else "127.0.0.1"
    }


def test_a_lab_that_is_not_there_is_said_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="gnode-orm init"):
        serving.serve(str(tmp_path / "none"))


def test_half_a_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed, match="certificate and its key"):
        serving.serve(str(tmp_path), certificate=tmp_path / "cert.pem")


def test_a_lab_that_another_program_keeps_locked_is_503_before_clients_give_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = open_local(tmp_path / "lab")
    lab.accounts.add("ann", PASSWORD)
    lab.close()
    for name, value in ((serving._TARGET, str(tmp_path / "lab")), (serving._ARRAYS, ""), (serving._PROXIES, "")):
        monkeypatch.setenv(name, value)
    assert serving._PATIENCE_SECONDS < 30
    monkeypatch.setattr(serving, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(serving, "write_log", lambda: None)
    closers: list[Any] = []
    monkeypatch.setattr(serving, "create_app", lambda store, on_close: closers.append(on_close) or create_app(store))
    other = sqlite3.connect(tmp_path / "lab" / "lab.sqlite")
    with Client(cast(Starlette, serving.worker())) as client, closing(other):
        client.login("ann", PASSWORD)
        other.execute("BEGIN IMMEDIATE")
        answer = client.post(BLOCKS, json={"name": "b"})
        assert (answer.status_code, "try again" in answer.text) == (503, True)
        other.rollback()
        assert client.post(BLOCKS, json={"name": "b"}).status_code == 201
    closers[0]()
