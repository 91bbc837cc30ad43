from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import keyring
import pytest
from argon2 import PasswordHasher
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringLocked, PasswordDeleteError

from gnode_orm import Session
from gnode_orm.errors import AuthenticationFailed
from gnode_orm.stores.local import accounts, open_local
from tests.stores.rest.serving import Served, served

PASSWORD = "correct horse"


class MemoryKeyring(KeyringBackend):
    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError


class LockedKeyring(MemoryKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        raise KeyringLocked("locked")

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked("locked")


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryKeyring]:
    for name in ("TOKEN", "PASSWORD"):
        monkeypatch.delenv(f"GNODE_ORM_{name}", raising=False)
    before, made = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setattr(accounts, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    store = open_local(":memory:")
    store.accounts.add("anna", PASSWORD)
    store.accounts.add("ben", PASSWORD)
    with served(store) as server:
        yield server
    store.close()


def login(run: Any, server: Served, user: str = "anna", password: str = PASSWORD) -> Any:
    return run("login", server.address, "--user", user, "--password-stdin", input=f"{password}\n")


def tokens(server: Served) -> int:
    with server.store._database.read() as transaction:
        return int(transaction.query("SELECT count(*) FROM token")[0][0])


def test_login_keeps_a_token_that_sessions_use(run, server, ring):
    result = login(run, server)
    assert (result.exit_code, result.stdout) == (0, f"Logged in to {server.address} as anna\n")
    assert list(ring.entries) == [("gnode-orm", server.address)]
    assert PASSWORD not in str(ring.entries)
    with Session(server.address + "/") as session:
        assert session.user == "anna"


def test_login_again_takes_the_place_of_the_first(run, server, ring):
    login(run, server)
    login(run, server, "ben")
    with Session(server.address) as session:
        assert session.user == "ben"
    with pytest.raises(AuthenticationFailed, match="belongs to ben, not to anna"):
        Session(server.address, username="anna")


def test_what_is_given_counts_before_the_environment_and_that_before_the_keyring(run, server, ring, monkeypatch):
    login(run, server)
    monkeypatch.setenv("GNODE_ORM_USERNAME", "ben")
    monkeypatch.setenv("GNODE_ORM_PASSWORD", PASSWORD)
    with Session(server.address) as session:
        assert session.user == "ben"
    with Session(server.address, username="anna", password=PASSWORD) as session:
        assert session.user == "anna"
    monkeypatch.setenv("GNODE_ORM_TOKEN", server.token("eve"))
    with Session(server.address) as session:
        assert session.user == "eve"


def test_a_wrong_password_keeps_nothing(run, server, ring):
    result = login(run, server, password="wrong-password")
    assert result.exit_code == 1
    assert "password" in result.stderr
    assert ring.entries == {}


def test_logout_ends_the_token_everywhere(run, server, ring):
    login(run, server)
    (token,) = ring.entries.values()
    assert run("logout", server.address).exit_code == 0
    assert ring.entries == {}
    for credentials in ({}, {"token": token}):
        with pytest.raises(AuthenticationFailed):
            Session(server.address, **credentials)
    result = run("logout", server.address)
    assert result.exit_code == 1
    assert "has no token" in result.stderr


def test_logout_forgets_the_token_of_a_server_that_does_not_answer(run, ring):
    ring.entries["gnode-orm", "http://127.0.0.1:1"] = "token"
    result = run("logout", "http://127.0.0.1:1")
    assert result.exit_code == 0
    assert "valid there until it expires" in result.stderr
    assert ring.entries == {}


def test_without_a_keyring_login_says_what_to_do_and_sessions_go_on(run, server, ring):
    keyring.set_keyring(NoKeyring())
    result = login(run, server)
    assert result.exit_code == 1
    assert "has no keyring" in result.stderr
    assert "GNODE_ORM_TOKEN" in result.stderr
    assert tokens(server) == 0
    with pytest.raises(AuthenticationFailed, match="username and password, or a token"):
        Session(server.address)


def test_without_the_library_login_names_the_extra(run, server, ring, monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", None)
    result = login(run, server)
    assert result.exit_code == 1
    assert "gnode-orm[keyring]" in result.stderr
    with pytest.raises(AuthenticationFailed):
        Session(server.address)


def test_a_locked_keyring_is_told_and_leaves_no_token_behind(run, server, ring, caplog):
    keyring.set_keyring(LockedKeyring())
    result = login(run, server)
    assert result.exit_code == 1
    assert "did not take the token" in result.stderr
    assert tokens(server) == 0
    with pytest.raises(AuthenticationFailed):
        Session(server.address)
    assert "The keyring does not tell" in caplog.text


def test_login_wants_an_address_and_someone_to_log_in(run, ring):
    assert run("login", "lab.example.org", "--user", "anna", "--password-stdin").exit_code == 2
    assert run("login", "http://127.0.0.1:1", "--password-stdin").exit_code == 2
    result = run("login", "http://127.0.0.1:1", "--user", "anna")
    assert result.exit_code == 2
    assert "--password-stdin" in result.stderr
    assert run("logout", "http://127.0.0.1:1").exit_code == 1


def test_login_beyond_this_computer_without_tls_warns(run, ring, monkeypatch):
    monkeypatch.setattr("gnode_orm.stores.rest.logging_in.new_token", lambda *_: "token")
    result = run("login", "http://lab.example.org", "--user", "anna", "--password-stdin", input="x\n")
    assert result.exit_code == 0
    assert "has no TLS" in result.stderr
    assert "TLS" not in run(
        "login", "https://lab.example.org", "--user", "anna", "--password-stdin", input="x\n"
    ).stderr  # fmt: skip
