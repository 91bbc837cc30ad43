"""The command ``gnode-orm``. Each command stands in a module of its own and loads what it needs when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from gnode_orm.cli import (
    backing_up,
    caching,
    collecting,
    deleting,
    demo,
    doctor,
    exporting,
    importing,
    listing,
    logging_in,
    logging_out,
    making,
    plotting,
    querying,
    restoring,
    serving,
    sharing,
    showing,
    upgrading,
    users,
    validating,
    versions,
)
from gnode_orm.cli.failures import DEBUG, OneLineErrors
from gnode_orm.cli.output import escape_what_cannot_be_shown, say

app = typer.Typer(
    name="gnode-orm",
    cls=OneLineErrors,
    help="Store electrophysiology recordings and their metadata, find them again, and give them back as they were.",
    epilog="A first look: gnode-orm demo ./demo-lab",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

_START, _LOOK, _CHANGE, _SERVE, _KEEP = "Start", "Look", "Change", "Serve", "Keep"
for _name, _command, _panel in (
    ("demo", demo.demo, _START),
    ("init", making.init, _START),
    ("import", importing.import_files, _START),
    ("validate", validating.validate, _START),
    ("doctor", doctor.doctor, _START),
    ("ls", listing.ls, _LOOK),
    ("show", showing.show, _LOOK),
    ("query", querying.query, _LOOK),
    ("plot", plotting.plot, _LOOK),
    ("history", versions.history, _LOOK),
    ("export", exporting.export, _LOOK),
    ("delete", deleting.delete, _CHANGE),
    ("share", sharing.share, _CHANGE),
    ("unshare", sharing.unshare, _CHANGE),
    ("serve", serving.serve, _SERVE),
    ("login", logging_in.login, _SERVE),
    ("logout", logging_out.logout, _SERVE),
    ("cache", caching.cache, _SERVE),
    ("backup", backing_up.backup, _KEEP),
    ("restore", restoring.restore, _KEEP),
    ("gc", collecting.gc, _KEEP),
    ("upgrade", upgrading.upgrade, _KEEP),
):
    app.command(_name, rich_help_panel=_panel)(_command)
app.add_typer(users.users, name="user", rich_help_panel=_SERVE)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        say(f"gnode-orm {version('gnode-orm')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[bool, typer.Option(DEBUG, help="Show the traceback of an error; may stand anywhere.")] = False,
) -> None:
    # Both are dealt with before this runs: the version by its callback, --debug by the group.
    del version, debug


def main() -> None:
    """Run the command line."""
    escape_what_cannot_be_shown()
    app()


if __name__ == "__main__":
    main()
