"""Logging in: sessions, tokens, throttling, and what of them is kept."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest
from starlette.applications import Starlette

from gnode_orm import Block, Session
from gnode_orm.errors import IntegrityError, NotFound, ValidationFailed
from gnode_orm.server.login import SLOTS
from gnode_orm.stores.local import accounts as accounts_module
from gnode_orm.stores.local.accounts import BEARER, SESSION, LoginThrottled
from gnode_orm.stores.local.store import LocalStore
from tests.server.asgi_client import HOST, Client
from tests.server.conftest import PASSWORD

LIST = "/api/v1/electrophysiology/block/"


class Clock:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1_700_000_000
        monkeypatch.setattr(accounts_module, "now_us", lambda: self.seconds * 1_000_000)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_session_lasts_until_logout(stranger: Client) -> None:
    assert stranger.get(LIST).status_code == 401
    assert stranger.login("ann", PASSWORD).status_code == 202
    cookie = stranger.cookies["sessionid"]
    assert stranger.get(LIST).status_code == 200
    assert stranger.get("/account/logout/").status_code == 302
    assert stranger.get(LIST, headers={"Cookie": f"sessionid={cookie}"}).status_code == 401


def test_a_session_expires(ann: Client, clock: Clock) -> None:
    assert ann.login("ann", PASSWORD).status_code == 202
    clock.seconds += 14 * 86400 + 1
    assert ann.get(LIST).status_code == 401


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("nobody", PASSWORD), ("", ""), ("ann", "")])
def test_wrong_credentials_are_all_refused_alike(stranger: Client, name: str, password: str) -> None:
    answer = stranger.login(name, password)
    assert (answer.status_code, answer.json()["error"]) == (401, "Invalid credentials")


def test_a_token_is_made_used_and_ended(stranger: Client) -> None:
    made = stranger.post("/account/token/", json={"username": "ann", "password": PASSWORD})
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    assert made.status_code == 201
    assert stranger.get(LIST, headers=headers).status_code == 200
    assert stranger.delete("/account/token/", headers=headers).status_code == 204
    assert stranger.get(LIST, headers=headers).status_code == 401


def test_a_cookie_is_no_token_and_a_token_no_cookie(stranger: Client, store: LocalStore) -> None:
    session, token = (store.accounts.new_token("ann", purpose, 60) for purpose in (SESSION, BEARER))
    assert stranger.get(LIST, headers={"Authorization": f"Bearer {session}"}).status_code == 401
    assert stranger.get(LIST, headers={"Cookie": f"sessionid={token}"}).status_code == 401


def test_many_failures_make_a_name_wait_longer_and_longer(stranger: Client, clock: Clock) -> None:
    answers = [stranger.login("ann", "wrong") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].headers["retry-after"] == "1"
    assert stranger.login("ben", PASSWORD).status_code == 202
    clock.seconds += 2
    assert stranger.login("ann", "wrong").status_code == 401
    assert stranger.login("ann", PASSWORD).headers["retry-after"] == "2"
    clock.seconds += 3
    assert stranger.login("ann", PASSWORD).status_code == 202


def test_a_crowd_of_logins_keeps_nobody_waiting_and_is_counted(
    app: Starlette, store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    monkeypatch.setattr(store.accounts, "check_password", lambda *given: not go.wait(60))

    async def crowd() -> list[int]:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1234))
        async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
            wrong = {"username": "ann", "password": "wrong"}
            logins = [asyncio.create_task(client.post("/account/authenticate/", data=wrong)) for _ in range(60)]
            try:
                async with asyncio.timeout(30):
                    assert (await client.get("/healthz")).status_code == 200
            finally:
                go.set()
            return [(await login).status_code for login in logins]

    statuses = asyncio.run(crowd())
    assert 5 <= statuses.count(401) < 5 + SLOTS
    assert statuses.count(429) == 60 - statuses.count(401)


def test_an_address_that_tries_many_names_waits(stranger: Client, store: LocalStore, clock: Clock) -> None:
    for _ in range(100):
        store.accounts.count_failure(["127.0.0.1"])
    assert stranger.login("ann", PASSWORD).status_code == 429


def test_neither_passwords_nor_tokens_are_kept(store: LocalStore) -> None:
    secret = store.accounts.new_token("ann", BEARER, 60)
    with store._database.read() as transaction:
        kept = repr(transaction.query("SELECT * FROM account")) + repr(transaction.query("SELECT * FROM token"))
    assert "$argon2id$" in kept
    assert PASSWORD not in kept
    assert secret not in kept


def test_a_new_password_ends_every_login(ann: Client, store: LocalStore) -> None:
    store.accounts.set_password("ann", "another-one")
    assert ann.get(LIST).status_code == 401
    assert ann.login("ann", PASSWORD).status_code == 401
    assert ann.login("ann", "another-one").status_code == 202


def test_a_name_that_worked_in_the_lab_gets_its_password_later(stranger: Client, store: LocalStore) -> None:
    session = Session(store=store, username="old.hand")
    session.add(Block("x"))
    session.commit()
    assert stranger.login("old.hand", PASSWORD).status_code == 401
    store.accounts.add("old.hand", PASSWORD)
    assert stranger.login("old.hand", PASSWORD).status_code == 202
    assert stranger.get(LIST).json()["meta"]["total_count"] == 1


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b", "ä", "-x", "x" * 65])
def test_names_that_would_not_fit_an_address_are_refused(store: LocalStore, name: str) -> None:
    with pytest.raises(ValidationFailed, match="account name"):
        store.accounts.add(name, PASSWORD)


def test_refusals_of_the_account_calls(store: LocalStore) -> None:
    with pytest.raises(IntegrityError, match="already"):
        store.accounts.add("ann", PASSWORD)
    with pytest.raises(ValidationFailed, match="characters"):
        store.accounts.add("new", "short")
    with pytest.raises(NotFound, match="nobody"):
        store.accounts.set_password("nobody", PASSWORD)
    with pytest.raises(NotFound, match="nobody"):
        store.accounts.new_token("nobody", BEARER, 60)
    with pytest.raises(ValidationFailed, match="level"):
        store.accounts.set_default_level(4)


def test_waiting_is_said_with_its_length(store: LocalStore, clock: Clock) -> None:
    for _ in range(30):
        store.accounts.count_failure(["x"])
    with pytest.raises(LoginThrottled) as caught:
        store.accounts.check_attempts({"x": 5})
    assert caught.value.seconds == 900
    clock.seconds += 86401
    store.accounts.count_failure(["y"])
    store.accounts.check_attempts({"x": 5})
