"""The commands ``user add|list|passwd|token``: who may log in to a lab that is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gnode_orm.cli.lab_access import open_accounts
from gnode_orm.cli.options import ArraysOption, JsonOption, StdinOption
from gnode_orm.cli.output import Column, note, say, write_json, write_table
from gnode_orm.cli.passwords import asked_password, check_terminal, password_from_stdin

if TYPE_CHECKING:
    pass

users = typer.Typer(help="Accounts of a lab that is served.", no_args_is_help=True)

_DAY = 86400
_LabArgument = Annotated[str, typer.Argument(metavar="LAB", help="A folder or a database address.")]
_NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the account.")]


@users.command("add")
def add(lab: _LabArgument, name: _NameArgument, stdin: StdinOption = False, arrays: ArraysOption = None) -> None:
    """Make an account, or give a password to a name that has worked in the lab without one."""
    with open_accounts(lab, arrays) as accounts:
        accounts.add(name, _password(stdin))
    say(f"Made the account {name}")


@users.command("list")
def list_users(lab: _LabArgument, as_json: JsonOption = False, arrays: ArraysOption = None) -> None:
    """List the accounts."""
    with open_accounts(lab, arrays, readonly=True) as accounts:
        found = accounts.all()
    if as_json:
        write_json([{"name": item.name, "can_log_in": item.has_password} for item in found])
    elif found:
        rows = [(item.name, "yes" if item.has_password else "no password") for item in found]
        write_table([Column("name", whole=True), Column("can log in")], rows)
    else:
        note(f"No accounts yet; make one: gnode-orm user add {lab} NAME")


@users.command("passwd")
def passwd(lab: _LabArgument, name: _NameArgument, stdin: StdinOption = False, arrays: ArraysOption = None) -> None:
    """Change a password; every login and token of the account ends."""
    with open_accounts(lab, arrays) as accounts:
        accounts.set_password(name, _password(stdin))
    say(f"Changed the password of {name}; its logins and tokens have ended")


@users.command("token")
def token(
    lab: _LabArgument,
    name: _NameArgument,
    days: Annotated[int, typer.Option("--days", min=1, max=3650, help="How long it is valid.")] = 365,
    arrays: ArraysOption = None,
) -> None:
    """Make a token, with which programs act as the account. It is shown once and cannot be read again."""
    from gnode_orm.stores.local.accounts import BEARER

    with open_accounts(lab, arrays) as accounts:
        say(accounts.new_token(name, BEARER, days * _DAY))


def _password(stdin: bool) -> str:
    if stdin:
        return password_from_stdin()
    check_terminal()
    return asked_password(twice=True)
