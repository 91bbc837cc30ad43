"""How a command fails: one line on standard error and an exit status, or the traceback where ``--debug`` is given."""

from __future__ import annotations

import traceback
import warnings
from typing import Any

import typer
from typer.core import TyperGroup

from gnode_orm.cli.output import printable, stderr
from gnode_orm.cli.wording import in_options
from gnode_orm.errors import GnodeError

FAILED = 1
WRONG_USE = 2
INTERRUPTED = 130

DEBUG = "--debug"


class WrongUse(Exception):
    """Arguments that mean nothing, whatever the lab holds."""


class OneLineErrors(TyperGroup):
    """A group of commands whose errors are one line each."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take ``--debug`` from wherever it stands, since it is thought of when a command has just failed."""
        ctx.meta[DEBUG] = DEBUG in args
        return super().parse_args(ctx, [arg for arg in args if arg != DEBUG])

    def invoke(self, ctx: Any) -> Any:
        debug = bool(ctx.meta[DEBUG])
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except KeyboardInterrupt:
            _say("Interrupted; what was stored before is kept", debug)
            raise typer.Exit(INTERRUPTED) from None
        except WrongUse as error:
            _say(str(error), debug)
            raise typer.Exit(WRONG_USE) from None
        except (GnodeError, OSError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            _say(str(error) or type(error).__name__, debug)
            raise typer.Exit(FAILED) from None


def fail(message: str) -> None:
    """Say that one of several things failed, and go on."""
    stderr().print(printable(in_options(message)), style="red")


def _say(message: str, debug: bool) -> None:
    if debug:
        stderr().print(traceback.format_exc().rstrip())
    else:
        fail(message)


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    stderr().print(f"warning: {printable(str(message))}", style="yellow")
