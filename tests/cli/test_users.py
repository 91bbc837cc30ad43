"""Accounts and serving from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gnode_orm.server import serving
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.accounts import BEARER
from tests.cli.conftest import Run


@pytest.fixture
def empty(run: Run, tmp_path: Path) -> Path:
    lab = tmp_path / "lab"
    assert run("init", lab, "--default-level", "friendly").exit_code == 0
    return lab


def test_an_account_is_made_listed_and_given_another_password(run: Run, empty: Path) -> None:
    assert run("user", "list", empty).stdout == ""
    assert run("user", "add", empty, "ann", "--password-stdin", input="first-word\n").exit_code == 0
    assert run("user", "add", empty, "ann", "--password-stdin", input="first-word\n").exit_code == 1
    assert json.loads(run("user", "list", empty, "--json").stdout) == [{"name": "ann", "can_log_in": True}]
    assert "ann" in run("user", "list", empty).stdout
    assert run("user", "passwd", empty, "ann", "--password-stdin", input="other-word\n").exit_code == 0
    store = open_local(empty)
    assert [store.accounts.check_password("ann", word) for word in ("first-word", "other-word")] == [False, True]
    assert store.accounts.default_level() == 2
    store.close()


def test_a_token_is_printed_alone(run: Run, empty: Path) -> None:
    run("user", "add", empty, "ann", "--password-stdin", input="first-word\n")
    token = run("user", "token", empty, "ann", "--days", "1").stdout.strip()
    store = open_local(empty)
    assert store.accounts.token_owner(token, BEARER) == "ann"
    store.close()


@pytest.mark.parametrize(
    ("arguments", "given", "status", "said"),
    [
        (["add", "LAB", "a/b", "--password-stdin"], "first-word\n", 1, "account name"),
        (["add", "LAB", "ann", "--password-stdin"], "short\n", 1, "8 to 1024"),
        (["add", "LAB", "ann"], None, 2, "--password-stdin"),
        (["passwd", "LAB", "nobody", "--password-stdin"], "first-word\n", 1, "nobody"),
        (["token", "LAB", "nobody"], None, 1, "nobody"),
        (["list", "NONE"], None, 1, "gnode-orm init"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    run: Run, empty: Path, arguments: list[str], given: str | None, status: int, said: str
) -> None:
    places = {"LAB": str(empty), "NONE": str(empty / "none")}
    result = run("user", *[places.get(word, word) for word in arguments], input=given)
    assert result.exit_code == status
    assert said in result.stderr
    assert result.stderr.strip().count("\n") == 0


def test_serve_hands_its_options_on(run: Run, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: dict[str, Any] = {}

    def serve(target: str, **options: Any) -> None:
        called.update(options, target=target)
        options["announce"]()

    monkeypatch.setattr(serving, "serve", serve)
    result = run("serve", empty, "--host", "0.0.0.0", "--port", 9000, "--workers", 3)
    assert result.exit_code == 0
    assert "http://0.0.0.0:9000/api/" in result.stderr
    assert (called["target"], called["host"], called["port"], called["workers"]) == (str(empty), "0.0.0.0", 9000, 3)


def test_an_unknown_level_is_wrong_use(run: Run, tmp_path: Path) -> None:
    result = run("init", tmp_path / "new", "--default-level", "secret")
    assert (result.exit_code, (tmp_path / "new").exists()) == (2, False)
    assert "friendly" in result.stderr


def test_a_lab_that_is_there_gets_the_level(run: Run, empty: Path) -> None:
    assert "its level is public now" in run("init", empty, "--default-level", "public").stdout
