"""Asking for a password: on standard input where that is said, else at the terminal."""

from __future__ import annotations

import sys

import typer

from gnode_orm.cli.failures import WrongUse


def password_from_stdin() -> str:
    """Read a password from the first line of standard input."""
    return sys.stdin.readline().rstrip("\r\n")


def check_terminal() -> None:
    """Refuse to ask where nobody can answer.

    Raises:
        WrongUse: there is no terminal.
    """
    if not sys.stdin.isatty():
        raise WrongUse("There is no terminal to ask for a password; give it on standard input with --password-stdin")


def asked_password(*, twice: bool) -> str:
    """Ask for a password at the terminal."""
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=twice))
