"""Asking a server for a token, and ending one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from gnode_orm.errors import AuthenticationFailed, StoreUnavailable
from gnode_orm.stores.rest.connection import Connection, Credentials, Patience
from gnode_orm.stores.rest.transport import Answer

_PATH = "/account/token/"


def new_token(address: str, username: str, password: str) -> str:
    """Ask a server for a token that stands for a user; the password is sent to it once and kept nowhere.

    Raises:
        AuthenticationFailed: the user or the password is wrong.
        StoreUnavailable: the server cannot be reached.
    """
    body = orjson.dumps({"username": username, "password": password})
    with _connection(address, Credentials()) as connection:
        try:
            return connection.exchange("POST", _PATH, _token, body, "application/json")
        except AuthenticationFailed as error:
            raise AuthenticationFailed(f"{address} refused the user or the password: {error}") from None


def end_token(address: str, token: str) -> None:
    """Make a token worthless.

    Raises:
        StoreUnavailable: the server cannot be reached.
    """
    with _connection(address, Credentials(token=token)) as connection:
        connection.exchange("DELETE", _PATH, lambda answer: None)


def _token(answer: Answer) -> str:
    try:
        found: Any = orjson.loads(answer.data)["token"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        found = None
    if not isinstance(found, str):
        raise StoreUnavailable(f"{answer.url} did not answer with a token; is this a server of gnode-orm?")
    return found


@contextmanager
def _connection(address: str, credentials: Credentials) -> Iterator[Connection]:
    connection = Connection(address, credentials, Patience())
    try:
        yield connection
    finally:
        connection.close()
