"""Opening a lab behind a server: who logs in, and what the server can do."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gnode_orm.errors import AuthenticationFailed, NotFound, StoreUnavailable, UnsupportedByStore, ValidationFailed
from gnode_orm.stores.rest.connection import Connection, Credentials, Patience
from gnode_orm.stores.rest.store import PREFIX, RestStore

if TYPE_CHECKING:
    from gnode_orm.stores.rest.v1.store import V1Store

PROTOCOL = 1


def open_store(
    address: str,
    *,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    readonly: bool = False,
    patience: Patience | None = None,
) -> RestStore | V1Store:
    """Open a lab behind a server.

    Raises:
        ValidationFailed: the address is none of a server, or there is a password without a name.
        AuthenticationFailed: the server does not know the user, the password or the token.
        StoreUnavailable: the server does not answer.
    """
    import_module("gnode_orm.models")  # fills the schema, by which records are read
    if not address.startswith(("http://", "https://")):
        raise ValidationFailed(f"{address!r} is not the address of a server", value=address)
    if password is not None and username is None:
        raise ValidationFailed(f"{address}: a password was given without username=")
    if token is not None and not (token.isascii() and token.isprintable()):
        raise AuthenticationFailed(f"The token for {address} holds characters that none has; copy it again")
    credentials = Credentials(username, password, token)
    connection = Connection(address, credentials, patience or Patience())
    try:
        described = _discover(connection)
        if described is not None:
            return _open(connection, described, username, readonly)
    except BaseException:
        connection.close()
        raise
    connection.close()
    from gnode_orm.stores.rest.v1.opening import open_v1

    return open_v1(address, credentials, patience or Patience(), readonly=readonly)


def _open(connection: Connection, described: dict[str, Any], username: str | None, readonly: bool) -> RestStore:
    user = described.get("user")
    if user is None:
        raise AuthenticationFailed(
            f"{connection.address} does not know who is asking; give username and password, or a token that is valid "
            f"(in a terminal: gnode-orm login {connection.address})"
        )
    if username is not None and user != username:
        raise AuthenticationFailed(f"The token belongs to {user}, not to {username}")
    return RestStore(connection, described, readonly=readonly)


def _discover(connection: Connection) -> dict[str, Any] | None:
    """Log in, and ask what the server is; ``None`` where it knows nothing of the address, as old ones."""
    try:
        connection.log_in()
        described = connection.fetch(f"{PREFIX}/")
    except NotFound:
        return None
    if not isinstance(described, dict) or described.get("server") != "gnode_orm":
        raise StoreUnavailable(f"{connection.address} does not answer as a lab does")
    if described.get("protocol") != PROTOCOL:
        raise UnsupportedByStore(
            f"{connection.address} speaks protocol {described.get('protocol')}; this version speaks {PROTOCOL}. "
            "Install the version of gnode-orm that the server has"
        )
    return described
