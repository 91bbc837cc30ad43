"""The command ``login``: keep a token of a server in the keyring."""

from __future__ import annotations

from typing import Annotated

import typer

from gnode_orm.cli.failures import WrongUse
from gnode_orm.cli.options import StdinOption, UrlArgument
from gnode_orm.cli.output import note, say
from gnode_orm.cli.passwords import asked_password, check_terminal, password_from_stdin

_NameOption = Annotated[
    str | None,
    typer.Option("--user", metavar="NAME", help="Your account there.", show_default=False),
]


def login(url: UrlArgument, user: _NameOption = None, stdin: StdinOption = False) -> None:
    """Log in to a server: its token is kept in your keyring and used from then on. The password is kept nowhere."""
    from gnode_orm.stores.rest.kept_tokens import check_keyring, keep_token
    from gnode_orm.stores.rest.logging_in import end_token, new_token

    check_keyring()
    _check_way(url)
    name, password = _asked(user, stdin)
    token = new_token(url, name, password)
    try:
        keep_token(url, token)
    except BaseException:
        end_token(url, token)
        raise
    say(f"Logged in to {url} as {name}")


def _check_way(url: str) -> None:
    from urllib.parse import urlsplit

    from gnode_orm.stores.rest.addresses import is_open

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WrongUse(f"{url!r} is not the address of a server; it begins with https://")
    if is_open(url):
        note(f"Warning: {url} has no TLS; the password can be read on its way there", style="yellow")


def _asked(user: str | None, stdin: bool) -> tuple[str, str]:
    if stdin:
        if user is None:
            raise WrongUse("--password-stdin needs --user NAME as well")
        return user, password_from_stdin()
    check_terminal()
    return user or str(typer.prompt("User")), asked_password(twice=False)
