"""What ``doctor`` looks at in a lab: format, rights, file system, journal, integrity, folder of arrays."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from stat import S_ISREG

from gnode_orm.cli.doctor import BAD, GOOD, NOTE, Check
from gnode_orm.errors import GnodeError, NotFound

_ENOUGH_BYTES = 1 << 30


def lab_checks(lab: str | None) -> Iterator[Check]:
    """Look at the lab that is named or that would be used."""
    from gnode_orm.session.lab import default_arrays, default_target

    if lab is None:
        try:
            lab = default_target()
        except NotFound:
            yield Check("lab", NOTE, "none is named, and there is no ./lab", "Make a lab: gnode-orm init lab")
            return
    opened = _opened(lab)
    yield opened
    if opened.state == BAD:
        return
    if Path(lab).is_dir():
        yield from _folder_checks(Path(lab))
    elif arrays := default_arrays(lab):
        yield _arrays_answer(lab, arrays)


def _opened(lab: str) -> Check:
    from gnode_orm.session import Session

    try:
        with Session(lab, create=False, readonly=True) as session:
            return Check("lab", GOOD, f"{session.store.target}, opened as {session.user}")
    except GnodeError as error:
        return Check("lab", BAD, str(error), f"See what is wrong with {lab}: {error}")


def _arrays_answer(lab: str, arrays: str) -> Check:
    from gnode_orm.stores.local.opening import place_of

    try:
        place = place_of(lab, arrays, readonly=True)
        try:
            place.arrays.check()
        finally:
            place.close()
    except GnodeError as error:
        return Check("arrays", BAD, str(error), f"See what is wrong with {arrays}: {error}")
    return Check("arrays", GOOD, f"{arrays} answers")


def _folder_checks(path: Path) -> Iterator[Check]:
    from gnode_orm.stores.local.target import Folder, filesystem_of

    folder = Folder(path)
    with closing(sqlite3.connect(f"{folder.database.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        yield _format(connection)
        yield _journal(connection, filesystem_of(path))
        yield _integrity(connection, folder.database)
        yield _arrays(connection, folder.arrays)
    yield _writable(folder.path, folder.database)
    yield _space(path)


def _format(connection: sqlite3.Connection) -> Check:
    from gnode_orm.stores.local.formats import FORMAT

    (found,) = connection.execute("SELECT format FROM lab").fetchone()
    return Check("format", GOOD, f"version {found}; this gnode-orm reads and writes version {FORMAT}")


def _journal(connection: sqlite3.Connection, filesystem: str) -> Check:
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    finding = f"SQLite journal {mode} on {filesystem or 'a file system of unknown kind'}"
    if mode.upper() == "WAL":
        return Check("journal", GOOD, finding)
    return Check(
        "journal", NOTE, finding, "Without a write-ahead log reading waits for writing; a local disk is faster"
    )


def _integrity(connection: sqlite3.Connection, database: Path) -> Check:
    try:
        problems = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    except sqlite3.DatabaseError as error:
        problems = [str(error)]
    if problems == ["ok"]:
        return Check("database", GOOD, f"{database.stat().st_size / 1e6:,.1f} MB, quick check passed")
    return Check("database", BAD, "; ".join(problems), f"{database} is damaged; put back a copy of the lab")


def _writable(folder: Path, database: Path) -> Check:
    if os.access(folder, os.W_OK) and os.access(database, os.W_OK):
        return Check("rights", GOOD, "you may read and write the lab")
    return Check(
        "rights", NOTE, "you may only read the lab", f"To change the lab you need write permission on {folder}"
    )


def _arrays(connection: sqlite3.Connection, folder: Path) -> Check:
    from gnode_orm.stores.local.backup import ARRAY_FILES

    if not folder.is_dir():
        return Check("arrays", BAD, f"{folder} is missing", f"Put back the folder {folder}, which holds large arrays")
    named = set(connection.execute(ARRAY_FILES))  # before the files, which commits add beside
    sizes = _sizes(folder)
    missing = {name for (name,) in named if name not in sizes}
    if missing:
        # Somebody may be removing what is of no use: its rows go before the files.
        missing.intersection_update(name for (name,) in connection.execute(ARRAY_FILES))
    if missing:
        finding = f"{len(missing):,} files are missing in {folder}, {min(missing)} for one"
        return Check("arrays", BAD, finding, "Put the files back, or restore a backup of the lab")
    return Check("arrays", GOOD, f"{len(sizes):,} files, {sum(sizes.values()) / 1e6:,.1f} MB")


def _sizes(folder: Path) -> dict[str, int]:
    """The files in a folder of arrays by name, but for those that go while they are looked at."""
    sizes = {}
    for item in folder.rglob("*"):
        with suppress(FileNotFoundError):
            status = item.stat()
            if S_ISREG(status.st_mode):
                sizes[item.relative_to(folder).as_posix()] = status.st_size
    return sizes


def _space(path: Path) -> Check:
    import shutil

    free = shutil.disk_usage(path).free
    if free > _ENOUGH_BYTES:
        return Check("disk", GOOD, f"{free / 1e9:,.1f} GB free")
    return Check("disk", NOTE, f"{free / 1e6:,.0f} MB free", f"The disk of {path} is almost full")
