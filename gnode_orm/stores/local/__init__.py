"""The local store: a folder, memory, or PostgreSQL with a folder for arrays."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gnode_orm.stores.local.store import LocalStore


def open_local(
    target: str | os.PathLike[str],
    *,
    create: bool = True,
    readonly: bool = False,
    arrays: str | os.PathLike[str] | None = None,
    patience: float | None = None,
) -> LocalStore:
    """Open a lab, or make it.

    Args:
        target: a folder, ``":memory:"``, or an address such as ``postgresql+psycopg://user@host/name``.
        create: make the lab when there is none; never done when ``readonly``.
        readonly: never write, so that a folder without write permission will do.
        arrays: the folder for large arrays; needed with an address, and only there.
        patience: seconds that a write to a folder waits for others before it fails; without, a minute or more.

    Raises:
        NotFound: there is no lab, and none shall be made.
        FormatError: the lab is of another format, or the target is something else.
        StoreUnavailable: the lab cannot be reached or written.
    """
    # SQL is loaded when the first lab is opened, not when the package is imported.
    from gnode_orm.stores.local.opening import open_store

    return open_store(
        os.fspath(target), create=create and not readonly, readonly=readonly, arrays=arrays, patience=patience
    )
