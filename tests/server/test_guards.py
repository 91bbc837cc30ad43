"""What is refused before it reaches a lab: foreign sites, bodies that are too large or never end, odd requests."""

from __future__ import annotations

import asyncio
import gzip
import logging
import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from gnode_orm.errors import StoreUnavailable
from gnode_orm.server.app import create_app
from gnode_orm.server.context import Limits
from gnode_orm.stores.local.store import LocalStore
from tests.server.asgi_client import Client
from tests.server.conftest import PASSWORD

LIST = "/api/v1/electrophysiology/block/"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
    ],
)
def test_a_page_of_another_site_changes_nothing(ann: Client, headers: dict[str, str]) -> None:
    assert ann.post(LIST, json={"name": "x"}, headers=headers).status_code == 403
    assert ann.get(LIST).json()["meta"]["total_count"] == 0


def test_no_address_takes_a_change_from_a_page_of_another_site(app: Starlette, ann: Client) -> None:
    paths = {re.sub(r"\{[^}]*\}", "1234567890", route.path) for route in app.routes if isinstance(route, Route)}
    assert len(paths) > 90
    taken = [
        (method, path)
        for path in sorted(paths)
        for method in ("POST", "PUT", "PATCH", "DELETE")
        if ann.request(method, path, json={}, headers={"Origin": "http://evil.example"}).status_code != 403
    ]
    assert taken == []


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://127.0.0.1:8010"}, {"Sec-Fetch-Site": "none"}]
)
def test_programs_and_the_own_pages_may_change(ann: Client, headers: dict[str, str]) -> None:
    assert ann.post(LIST, json={"name": "x"}, headers=headers).status_code == 201


def test_another_site_cannot_log_a_user_out(ann: Client) -> None:
    assert ann.get("/account/logout/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert ann.get(LIST).status_code == 200


def test_no_other_site_may_read_answers(ann: Client) -> None:
    answer = ann.get(LIST, headers={"Origin": "http://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("path", [LIST, "/api/v1/in_bulk/"])
def test_a_body_beyond_the_limit_is_413(store: LocalStore, path: str) -> None:
    app = create_app(store, Limits(body=1000, upload=1000))
    with Client(app) as client:
        client.login("ann", PASSWORD)
        if path == LIST:
            answer = client.post(path, content=b'"' + b"x" * 2000, headers={"Content-Type": "application/json"})
        else:
            answer = client.post(path, files={"raw_file": b"x" * 2000})
        assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/account/authenticate/", "/account/token/"])
@pytest.mark.parametrize(
    "body",
    [{"data": {"username": "ann", "password": "x" * 70_000}}, {"files": {"file": b"x" * 70_000}}],
    ids=["form", "file"],
)
def test_nobody_unknown_makes_the_server_take_much(stranger: Client, path: str, body: dict[str, Any]) -> None:
    assert stranger.post(path, **body).status_code == 413


def test_text_in_a_form_with_files_is_short(ann: Client) -> None:
    answer = ann.post("/api/v1/in_bulk/", files={"text": (None, "x" * 70_000)})
    assert (answer.status_code, "maximum size" in answer.json()["error"]) == (400, True)


@pytest.mark.parametrize(
    ("path", "kind"),
    [(LIST, "application/json"), ("/api/v1/in_bulk/", "multipart/form-data; boundary=x"),
     ("/api/v1/additions/select", "application/json")],
)  # fmt: skip
def test_a_body_that_is_announced_as_too_long_is_refused_before_any_of_it_comes(
    store: LocalStore, path: str, kind: str
) -> None:
    headers = {"Content-Type": kind, "Content-Length": "20000000000"}
    assert asyncio.run(_unsent(create_app(store), store.accounts.new_token("ann", "bearer", 60), path, headers)) == 413


@pytest.mark.parametrize("path", [LIST, "/api/v1/additions/select", "/account/authenticate/"])
def test_a_packed_body_is_415(ann: Client, path: str) -> None:
    answer = ann.post(path, content=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "identity")


def test_an_address_without_its_last_slash_leads_to_the_same_with_it(ann: Client) -> None:
    answer = ann.get("/api/v1/user/user/a%3Fb%23%C3%A4?limit=1")
    assert answer.headers["location"].endswith("/api/v1/user/user/a%3Fb%23%C3%A4/?limit=1")


def test_a_client_that_stops_in_the_middle_is_answered_408(store: LocalStore) -> None:
    app = create_app(store, Limits(idle_seconds=0.01))
    assert asyncio.run(_silent(app, store.accounts.new_token("ann", "bearer", 60))) == 408


async def _silent(app: Starlette, token: str) -> int:
    """Send the first half of a body, then nothing; gives the status of the answer."""
    first = [{"type": "http.request", "body": b'{"name":', "more_body": True}]

    async def receive() -> dict[str, Any]:
        if first:
            return first.pop()
        return await asyncio.get_running_loop().create_future()

    return await _posted(app, token, LIST, {"Content-Type": "application/json"}, receive)


async def _unsent(app: Starlette, token: str, path: str, headers: dict[str, str]) -> int:
    """Announce a body that may not be asked for; gives the status of the answer."""

    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was asked for")

    return await _posted(app, token, path, headers, receive)


async def _posted(app: Starlette, token: str, path: str, headers: dict[str, str], receive: Any) -> int:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    given = {**headers, "Host": "x", "Authorization": f"Bearer {token}"}
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()], "scheme": "http",
        "server": ("x", 80), "client": ("127.0.0.1", 1), "http_version": "1.1",
    }  # fmt: skip
    await app(scope, receive, send)
    return int(sent[0]["status"])


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"", "application/json", 400),
        (b"--x", "multipart/form-data", 400),
        (b"junk", "multipart/form-data; boundary=x", 400),
    ],
)
def test_bodies_that_are_none(ann: Client, body: bytes, kind: str, status: int) -> None:
    answer = ann.post(LIST, content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_failure_of_ours_is_logged_under_the_id_that_the_client_sees(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Client(create_app(store)) as client:
        client.login("ann", PASSWORD)
        monkeypatch.setattr(store, "count", lambda *args: 1 / 0)
        with caplog.at_level(logging.ERROR, "gnode_orm.server"):
            answer = client.get(LIST)
    assert answer.status_code == 500
    assert "division" not in answer.text
    (record,) = [item for item in caplog.records if item.exc_info]
    assert record.__dict__["request_id"] == answer.json()["request_id"]


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("/srv/our labs/a/lab.sqlite: database is locked; try again", "database is locked; try again"),
        (
            "lab/lab.sqlite: No space left on device; nothing was written",
            "No space left on device; nothing was written",
        ),
        ("postgresql+psycopg://gnode@db.example:5432/lab: the server closed the connection", "closed the connection"),
        ('connection to server at "db.example" (192.0.2.1), port 5432 failed: Connection refused', "refused"),
    ],
)
@pytest.mark.parametrize("path", [LIST, "/api/v1/additions/count"])
def test_clients_do_not_learn_where_the_lab_is_kept_and_the_log_has_it(
    store: LocalStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    path: str,
    said: str,
    heard: str,
) -> None:
    def fail(*given: Any) -> None:
        raise StoreUnavailable(said)

    with Client(create_app(store)) as client:
        client.login("ann", PASSWORD)
        monkeypatch.setattr(store, "count", fail)
        with caplog.at_level(logging.ERROR, "gnode_orm.server"):
            answer = client.get(path) if path == LIST else client.post(path, json={"kind": "block"})
    assert answer.status_code == 503
    assert answer.json()["error"].endswith(heard)
    assert not [word for word in ("srv", "labs", "lab.sqlite", "example", "5432", "192.0") if word in answer.text]
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [said]


def test_every_request_leaves_one_line(ann: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "gnode_orm.server"):
        ann.get(LIST, headers={"X-Request-Id": "mine-1"})
    (record,) = caplog.records
    said = record.__dict__
    assert (said["request_id"], said["user"], said["status"], said["method"]) == ("mine-1", "ann", 200, "GET")


def test_health_and_pages_need_no_login_and_load_nothing_from_elsewhere(stranger: Client) -> None:
    assert stranger.get("/healthz").json() == {"status": "ok"}
    page = stranger.get("/api/").text
    assert "/api/v1/electrophysiology/block/" in page
    assert "src=" not in page
    assert stranger.get("/account/login/").status_code == 200
    assert stranger.get("/api/openapi.json").json()["openapi"] == "3.1.0"


def test_other_addresses_and_methods(ann: Client) -> None:
    assert ann.get("/etc/passwd").status_code == 404
    assert ann.get("/api/v1/electrophysiology/document/").status_code == 404
    answer = ann.delete(LIST)
    assert (answer.status_code, "GET" in answer.headers["allow"]) == (405, True)
    assert ann.request("OPTIONS", LIST).headers["allow"].startswith("GET")
