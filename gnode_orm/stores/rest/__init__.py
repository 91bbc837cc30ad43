"""The REST store: a lab behind a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gnode_orm.stores.rest.store import RestStore
    from gnode_orm.stores.rest.v1.store import V1Store


def open_rest(
    address: str,
    *,
    username: str | None = None,
    password: str | None = None,
    token: str | None = None,
    readonly: bool = False,
) -> RestStore | V1Store:
    """Open a lab behind a server, as the user of the token or the one who logs in.

    Raises:
        AuthenticationFailed: the server does not know the user, the password or the token.
        StoreUnavailable: the server cannot be reached.
        UnsupportedByStore: there is a server, but no lab.
    """
    # The HTTP client is loaded when the first server is asked, not when the package is imported.
    from gnode_orm.stores.rest.opening import open_store

    return open_store(address, username=username, password=password, token=token, readonly=readonly)
