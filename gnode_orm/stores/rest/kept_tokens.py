"""Tokens of servers, kept in the keyring of the operating system; loaded when one is needed."""

from __future__ import annotations

import logging
from types import ModuleType

from gnode_orm.errors import AuthenticationFailed, UnsupportedByStore

_SERVICE = "gnode-orm"
_OTHERWISE = "set GNODE_ORM_TOKEN to a token instead, which gnode-orm user token makes where the lab is"

log = logging.getLogger("gnode_orm")


def kept_token(address: str) -> str | None:
    """Give the token of a server, if there is a keyring that has one and is open."""
    try:
        import keyring
        from keyring.errors import KeyringError, NoKeyringError
    except ModuleNotFoundError:
        return None
    try:
        return keyring.get_password(_SERVICE, _entry(address))
    except NoKeyringError:
        return None
    except KeyringError as error:
        log.warning("The keyring does not tell whether it has a token for %s: %s", address, error)
        return None


def check_keyring() -> None:
    """See that there is a keyring, before anybody is asked for a password.

    Raises:
        UnsupportedByStore: there is none, or the library is missing.
    """
    backend = _keyring().get_keyring()
    if backend.priority <= 0:
        raise UnsupportedByStore(f"This computer has no keyring in which a token could be kept; {_OTHERWISE}")


def keep_token(address: str, token: str) -> None:
    """Keep the token of a server, in the place of one that was kept before.

    Raises:
        AuthenticationFailed: the keyring does not take it.
        UnsupportedByStore: there is no keyring.
    """
    library = _keyring()
    try:
        library.set_password(_SERVICE, _entry(address), token)
    except library.errors.KeyringError as error:
        raise AuthenticationFailed(f"The keyring did not take the token ({error}); {_OTHERWISE}") from error


def forget_token(address: str) -> None:
    """Remove the token of a server.

    Raises:
        AuthenticationFailed: the keyring does not let it go.
        UnsupportedByStore: there is no keyring.
    """
    library = _keyring()
    try:
        library.delete_password(_SERVICE, _entry(address))
    except library.errors.KeyringError as error:
        raise AuthenticationFailed(f"The keyring did not let the token go ({error})") from error


def _entry(address: str) -> str:
    return address.rstrip("/")


def _keyring() -> ModuleType:
    try:
        import keyring
    except ModuleNotFoundError:
        raise UnsupportedByStore(f"keyring is missing: pip install 'gnode-orm[keyring]'; or {_OTHERWISE}") from None
    return keyring
