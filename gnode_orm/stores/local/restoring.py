"""Putting a lab back from a backup: into a new place, all of it or nothing."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from gnode_orm.core.progress import Progress, silent
from gnode_orm.errors import GnodeError, StoreUnavailable, ValidationFailed
from gnode_orm.stores.local.array_folder import ArrayFolder
from gnode_orm.stores.local.backup import Backup
from gnode_orm.stores.local.database import Database
from gnode_orm.stores.local.durable import sync
from gnode_orm.stores.local.lab import make_tables
from gnode_orm.stores.local.opening import Place, place_of
from gnode_orm.stores.local.sqlite import SqliteDatabase
from gnode_orm.stores.local.tables import lab_tables
from gnode_orm.stores.local.target import MEMORY, Folder, is_address
from gnode_orm.stores.local.unpacking import unpack

_ROWS = 5000

log = logging.getLogger("gnode_orm")


def restore(
    file: str | os.PathLike[str], target: str, *,
    arrays: str | os.PathLike[str] | None = None, progress: Progress = silent,
) -> Backup:  # fmt: skip
    """Make a lab from a backup; a backup of an older format is brought up to the present one.

    The lab may be of the other kind: one from a folder may become one in PostgreSQL, and the other way round.

    ``progress`` is called with MB done, MB in all, and what is being done.

    Raises:
        ValidationFailed: there is something at the target, which stays as it is.
        FormatError: the file is no backup, is damaged, or is of a newer format.
        StoreUnavailable: the target cannot be written.
    """
    path = Path(file)
    try:
        if is_address(target):
            return _to_address(path, target, arrays, progress)
        return _to_folder(path, Path(target), arrays, progress)
    except OSError as error:
        if isinstance(error, GnodeError):
            raise
        raise StoreUnavailable(f"{target}: {error.strerror or error}; nothing was restored") from error


def _to_folder(file: Path, folder: Path, arrays: str | os.PathLike[str] | None, progress: Progress) -> Backup:
    if arrays is not None:
        raise ValidationFailed(f"arrays= goes with a database address; {folder} keeps its arrays itself", value=arrays)
    if str(folder) == MEMORY:
        raise ValidationFailed("A lab in memory goes with its program; name a folder to restore to", value=MEMORY)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValidationFailed(f"{folder} is there already and stays as it is; name a new folder", value=str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Folder(folder.with_name(f".{folder.name}.{secrets.token_hex(8)}"))
    made.path.mkdir()
    try:
        made.arrays.mkdir()
        copy = made.path / "copy.sqlite"
        backup = unpack(file, copy, ArrayFolder(made.arrays), progress)
        if backup.engine == "sqlite":
            copy.rename(made.database)
        else:
            _fill_file(made.database, copy)
            copy.unlink()
        made.complete()
        sync(made.path)
        os.rename(made.path, folder)  # refuses a folder that came to hold something
        sync(folder.parent)
    except BaseException:
        shutil.rmtree(made.path, ignore_errors=True)
        raise
    log.info("Restored %s", folder)
    return backup


def _to_address(file: Path, target: str, arrays: str | os.PathLike[str] | None, progress: Progress) -> Backup:
    place = place_of(target, arrays)
    try:
        _check_empty(place)
        place.arrays.check()
        place.arrays.scratch.mkdir(parents=True, exist_ok=True)
        copy = place.arrays.scratch / f"tmp-{secrets.token_hex(8)}"
        try:
            # Array files that are left when this fails are of no use to anything, and harm nothing.
            backup = unpack(file, copy, place.arrays, progress)
            _fill(place.database, copy)
        finally:
            copy.unlink(missing_ok=True)
    finally:
        place.close()
    log.info("Restored %s", place.shown)
    return backup


def _check_empty(place: Place) -> None:
    with place.database.read() as transaction:
        taken = sorted(transaction.table_names() & set(lab_tables().metadata.tables))
    if taken:
        raise ValidationFailed(
            f"{place.shown} holds a lab already, or tables of the same names ({', '.join(taken[:3])}), which stay as "
            "they are; name an empty database"
        )


def _fill_file(path: Path, copy: Path) -> None:
    path.touch()
    database = SqliteDatabase(path)
    try:
        _fill(database, copy)
    finally:
        database.close()


def _fill(database: Database, copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as source, database.write() as transaction:
        make_tables(transaction)
        for table in lab_tables().metadata.sorted_tables:
            columns = transaction.column_names(table.name)
            listed = ", ".join(f'"{column}"' for column in columns)
            rows = source.execute(f'SELECT {listed} FROM "{table.name}"')
            while page := rows.fetchmany(_ROWS):
                transaction.insert(table.name, columns, page)
