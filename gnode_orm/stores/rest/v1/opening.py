"""Opening a server that has not the discovery address of ours: is it one of API v1, and who logs in?"""

from __future__ import annotations

from typing import Any

from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import AuthenticationFailed, StoreUnavailable, UnsupportedByStore
from gnode_orm.location import ELECTROPHYSIOLOGY
from gnode_orm.stores.rest.connection import Credentials, Patience
from gnode_orm.stores.rest.v1.connection import Refused, V1Connection
from gnode_orm.stores.rest.v1.store import V1Store


def open_v1(address: str, credentials: Credentials, patience: Patience, *, readonly: bool = False) -> V1Store:
    """Open a server of API v1.

    Raises:
        UnsupportedByStore: it is none, or a token was given.
        AuthenticationFailed: it does not know the user.
    """
    connection = V1Connection(address, credentials, patience)
    try:
        _check_is_one(connection)
        if credentials.token is not None:
            raise UnsupportedByStore(
                f"{connection.address} speaks API v1 alone, which knows no tokens; give username and password"
            )
        if credentials.username is None or credentials.password is None:
            raise AuthenticationFailed(
                f"{connection.address} speaks API v1 alone, where one logs in by name; give username and password"
            )
        connection.log_in()
        return V1Store(connection, credentials.username, readonly=readonly)
    except BaseException:
        connection.close()
        raise


def _check_is_one(connection: V1Connection) -> None:
    """Look at the index of a namespace, which needs no login."""
    try:
        index: Any = connection.get(f"/api/v1/{ELECTROPHYSIOLOGY}/")
    except (Refused, StoreUnavailable) as error:
        if isinstance(error, Refused) and error.status >= 500:
            raise error.error(connection.address) from None
        index = None
    kinds = {kind for kind, spec in SCHEMA.items() if spec.namespace == ELECTROPHYSIOLOGY}
    if not isinstance(index, dict) or not kinds <= index.keys():
        raise UnsupportedByStore(
            f"{connection.address} is no lab: it answers neither as gnode-orm serves one, nor as a server of API v1"
        )
