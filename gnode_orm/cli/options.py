"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

LabOption = Annotated[
    str | None,
    typer.Option(
        "--lab",
        metavar="TARGET",
        help="A folder, or a database address (with GNODE_ORM_ARRAYS naming a place for arrays). Without it: "
        "GNODE_ORM_TARGET, the configuration file, then ./lab.",
        show_default=False,
    ),
]
UserOption = Annotated[
    str | None,
    typer.Option(
        "--user", metavar="NAME", help="Act as this user; without it, your name on this computer.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else, to standard output.")]
LabArgument = Annotated[
    str, typer.Argument(metavar="LAB", help="The folder of a lab, or its database address.", show_default=False)
]
ArraysOption = Annotated[
    str | None,
    typer.Option(
        "--arrays",
        metavar="PLACE",
        help="Where a lab at a database address has its arrays: a folder, or s3://bucket/prefix. Without it: "
        "GNODE_ORM_ARRAYS.",
        show_default=False,
    ),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
UrlArgument = Annotated[
    str, typer.Argument(metavar="URL", help="Address of a server, such as https://lab.example.org.", show_default=False)
]
StdinOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking.")
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="List at most N.")]
LocationArgument = Annotated[
    str, typer.Argument(metavar="LOCATION", help="Address of an object, such as block/2DFA548ESC.", show_default=False)
]
