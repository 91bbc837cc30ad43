"""The command ``cache``: where arrays and records from servers are kept on this computer, and how many."""

from __future__ import annotations

from typing import Annotated

import typer

from gnode_orm.cli.options import JsonOption
from gnode_orm.cli.output import say, write_json
from gnode_orm.cli.values import counted

_ClearOption = Annotated[bool, typer.Option("--clear", help="Remove everything that is kept.")]


def cache(empty: _ClearOption = False, json: JsonOption = False) -> None:
    """Show where arrays and records that came from servers are kept, how much they take, and how much they may."""
    from gnode_orm.stores.rest.array_cache import cache_folder, cache_limit, clear, usage
    from gnode_orm.stores.rest.record_cache import count_records

    folder, limit = cache_folder(), cache_limit()
    if empty:
        clear(folder)
    found, records = usage(folder), count_records(folder)
    held = f"{counted(found.arrays, 'array')} and {counted(records, 'record')}"
    if json:
        write_json({
            "folder": str(folder), "arrays": found.arrays, "records": records, "bytes": found.nbytes, "limit": limit,
        })  # fmt: skip
    elif not limit:
        say(f"Nothing is kept, since GNODE_ORM_CACHE_MB is 0; {folder} holds {held}")
    else:
        say(f"{folder}: {held}, {found.nbytes / 1e6:,.1f} of {limit / 1e6:,.0f} MB")
