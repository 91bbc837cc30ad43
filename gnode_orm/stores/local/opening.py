"""Opening a lab: which database and which folder, then the lab in it."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gnode_orm.errors import ValidationFailed
from gnode_orm.stores.local.arrays import Arrays
from gnode_orm.stores.local.database import Database
from gnode_orm.stores.local.lab import open_lab
from gnode_orm.stores.local.sqlite import SqliteDatabase
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.local.target import MEMORY, Folder, is_address


def open_store(target: str, *, create: bool, readonly: bool, arrays: str | os.PathLike[str] | None) -> LocalStore:
    """Open a lab of any target that is not a web address."""
    import_module("gnode_orm.models")  # fills the schema, from which the tables are built
    if is_address(target):
        return _open_address(target, create, readonly, arrays)
    if arrays is not None:
        raise ValidationFailed(f"arrays= goes with a database address; {target} keeps its arrays itself", value=arrays)
    if target == MEMORY:
        return _open_memory(readonly)
    return _open_folder(Folder(Path(target)), create, readonly)


def _open_folder(folder: Folder, create: bool, readonly: bool) -> LocalStore:
    folder.prepare(create, readonly)
    database = SqliteDatabase(folder.database, readonly=readonly, journal=folder.journal())
    store = _store(str(folder.path), database, folder.arrays, create, readonly)
    if not readonly:
        folder.complete()
    return store


def _open_memory(readonly: bool) -> LocalStore:
    # Large arrays go to files even here, so that they are mapped and not held twice.
    folder = Path(tempfile.mkdtemp(prefix="gnode-orm-"))
    remove = partial(shutil.rmtree, folder, ignore_errors=True)
    try:
        store = _store(MEMORY, SqliteDatabase(None), folder, True, readonly, remove)
    except BaseException:
        remove()
        raise
    # A lab in memory may be dropped without being closed.
    weakref.finalize(store, remove)
    return store


def _open_address(target: str, create: bool, readonly: bool, arrays: str | os.PathLike[str] | None) -> LocalStore:
    try:
        url = make_url(target)
    except (ArgumentError, ValueError):
        raise ValidationFailed(f"{target!r} is not a database address", value=target) from None
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise ValidationFailed(
            f"{url.drivername}:// is not supported; use a folder, or postgresql+psycopg://user@host/name", value=target
        )
    if arrays is None:
        raise ValidationFailed(f"A lab at {url.render_as_string()} needs arrays=, the folder for large arrays")
    from gnode_orm.stores.local.postgres import PostgresDatabase

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    database = PostgresDatabase(address, url.render_as_string(), readonly=readonly)
    return _store(url.render_as_string(), database, Path(arrays), create, readonly)


def _store(
    shown: str, database: Database, arrays: Path, create: bool, readonly: bool,
    on_close: Callable[[], None] | None = None,
) -> LocalStore:  # fmt: skip
    try:
        lab = open_lab(database, shown, create)
    except BaseException:
        database.close()
        raise
    return LocalStore(shown, database, lab, Arrays(database, arrays), readonly=readonly, on_close=on_close)
