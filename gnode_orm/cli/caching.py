"""The command ``cache``: where arrays from servers are kept on this computer, and how many."""

from __future__ import annotations

from typing import Annotated

import typer

from gnode_orm.cli.options import JsonOption
from gnode_orm.cli.output import say, write_json
from gnode_orm.cli.values import counted

_ClearOption = Annotated[bool, typer.Option("--clear", help="Remove everything that is kept.")]


def cache(empty: _ClearOption = False, json: JsonOption = False) -> None:
    """Show where large arrays that came from servers are kept, how much they take, and how much they may."""
    from gnode_orm.stores.rest.array_cache import cache_folder, cache_limit, clear, usage

    folder, limit = cache_folder(), cache_limit()
    if empty:
        clear(folder)
    found = usage(folder)
    if json:
        write_json({"folder": str(folder), "arrays": found.files, "bytes": found.nbytes, "limit": limit})
    elif not limit:
        say(f"Nothing is kept, since GNODE_ORM_CACHE_MB is 0; {folder} holds {counted(found.files, 'array')}")
    else:
        say(f"{folder}: {counted(found.files, 'array')}, {found.nbytes / 1e6:,.1f} of {limit / 1e6:,.0f} MB")
