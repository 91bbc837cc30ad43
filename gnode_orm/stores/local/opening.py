"""Opening a lab: which database and which folder, then the lab in it."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gnode_orm.errors import NotFound, ValidationFailed
from gnode_orm.stores.local.array_files import ArrayFiles
from gnode_orm.stores.local.array_folder import ArrayFolder
from gnode_orm.stores.local.arrays import Arrays
from gnode_orm.stores.local.database import Database
from gnode_orm.stores.local.lab import Lab, open_lab
from gnode_orm.stores.local.sqlite import SqliteDatabase
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.local.target import MEMORY, Folder, is_address


def open_store(
    target: str, *, create: bool, readonly: bool, arrays: str | os.PathLike[str] | None, patience: float | None
) -> LocalStore:
    """Open a lab of any target that is not a web address."""
    import_module("gnode_orm.models")  # fills the schema, from which the tables are built
    if is_address(target):
        place = _address_place(target, arrays, readonly)
        return _store(place.shown, place.database, place.arrays, create, readonly)
    if arrays is not None:
        raise _keeps_arrays(target, arrays)
    if target == MEMORY:
        return _open_memory(readonly)
    return _open_folder(Folder(Path(target)), create, readonly, patience)


@dataclass(frozen=True)
class Place:
    """Where a lab is that stays: its database, the files of its large arrays, and a folder for what is kept beside."""

    shown: str
    database: Database
    arrays: ArrayFiles
    folder: Path

    def close(self) -> None:
        """Let go of the database and the files."""
        self.database.close()
        self.arrays.close()


def place_of(target: str, arrays: str | os.PathLike[str] | None = None, *, readonly: bool = False) -> Place:
    """Find the place of a lab that exists, whatever its format.

    Raises:
        NotFound: there is no lab.
        ValidationFailed: the lab is in memory, or the address is not one.
    """
    import_module("gnode_orm.models")
    if target == MEMORY:
        raise ValidationFailed("A lab in memory is of this moment and goes with its program; name a lab that stays")
    if is_address(target):
        return _address_place(target, arrays, readonly)
    if arrays is not None:
        raise _keeps_arrays(target, arrays)
    folder = Folder(Path(target))
    folder.prepare(False, readonly)
    return _folder_place(folder, readonly)


def _folder_place(folder: Folder, readonly: bool, patience: float | None = None) -> Place:
    database = SqliteDatabase(folder.database, readonly=readonly, journal=folder.journal(), patience=patience)
    return Place(str(folder.path), database, ArrayFolder(folder.arrays), folder.path)


def _keeps_arrays(target: str, arrays: str | os.PathLike[str]) -> ValidationFailed:
    return ValidationFailed(f"arrays= goes with a database address; {target} keeps its arrays itself", value=arrays)


def _open_folder(folder: Folder, create: bool, readonly: bool, patience: float | None) -> LocalStore:
    folder.prepare(create, readonly)
    place = _folder_place(folder, readonly, patience)
    store = _store(place.shown, place.database, place.arrays, create, readonly)
    if not readonly:
        folder.complete()
    return store


def _open_memory(readonly: bool) -> LocalStore:
    # Large arrays go to files even here, so that they are mapped and not held twice.
    folder = Path(tempfile.mkdtemp(prefix="gnode-orm-"))
    remove = partial(shutil.rmtree, folder, ignore_errors=True)
    try:
        store = _store(MEMORY, SqliteDatabase(None), ArrayFolder(folder), True, readonly, remove)
    except BaseException:
        remove()
        raise
    # A lab in memory may be dropped without being closed.
    weakref.finalize(store, remove)
    return store


def _address_place(target: str, arrays: str | os.PathLike[str] | None, readonly: bool) -> Place:
    try:
        url = make_url(target)
    except (ArgumentError, ValueError):
        raise ValidationFailed(f"{target!r} is not a database address", value=target) from None
    if url.drivername in ("http", "https"):
        raise ValidationFailed(
            f"{target} is a server: do this where its lab is, with its folder or database", value=target
        )
    if url.drivername not in ("postgresql", "postgresql+psycopg"):
        raise ValidationFailed(
            f"{url.drivername}:// is not supported; use a folder, postgresql+psycopg://user@host/name, or https://host",
            value=target,
        )
    if arrays is None:
        raise ValidationFailed(
            f"A lab at {url.render_as_string()} needs arrays=, the folder for large arrays or s3://bucket/prefix"
        )
    files = _files(arrays)
    from gnode_orm.stores.local.postgres import PostgresDatabase

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    database = PostgresDatabase(address, url.render_as_string(), readonly=readonly)
    return Place(url.render_as_string(), database, files, files.scratch)


def _files(arrays: str | os.PathLike[str]) -> ArrayFiles:
    text = os.fspath(arrays)
    if not is_address(text):
        return ArrayFolder(Path(text))
    if not text.startswith("s3://"):
        raise ValidationFailed(f"arrays={text!r} is not supported; name a folder, or s3://bucket/prefix", value=text)
    from gnode_orm.stores.local.array_bucket import ArrayBucket

    return ArrayBucket(text)


def _store(
    shown: str, database: Database, arrays: ArrayFiles, create: bool, readonly: bool,
    on_close: Callable[[], None] | None = None,
) -> LocalStore:  # fmt: skip
    try:
        lab = _lab(database, shown, arrays, create)
    except BaseException:
        database.close()
        arrays.close()
        raise
    return LocalStore(shown, database, lab, Arrays(database, arrays), readonly=readonly, on_close=on_close)


def _lab(database: Database, shown: str, arrays: ArrayFiles, create: bool) -> Lab:
    try:
        return open_lab(database, shown, False)
    except NotFound:
        if not create:
            raise
    arrays.check()  # no lab is made whose arrays have no place
    return open_lab(database, shown, True)
