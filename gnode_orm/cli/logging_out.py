"""The command ``logout``: end the token that ``login`` kept."""

from __future__ import annotations

from gnode_orm.cli.options import UrlArgument
from gnode_orm.cli.output import note, say
from gnode_orm.errors import NotFound, StoreUnavailable


def logout(url: UrlArgument) -> None:
    """Log out of a server: its token ends there and leaves your keyring."""
    from gnode_orm.stores.rest.kept_tokens import check_keyring, forget_token, kept_token
    from gnode_orm.stores.rest.logging_in import end_token

    check_keyring()
    token = kept_token(url)
    if token is None:
        raise NotFound(f"The keyring has no token for {url}; gnode-orm login {url} keeps one")
    try:
        end_token(url, token)
    except StoreUnavailable as error:
        note(f"{error}. The token is valid there until it expires, or until the password is changed", style="yellow")
    forget_token(url)
    say(f"Logged out of {url}")
