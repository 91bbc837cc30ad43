"""Reading a backup: every file checked against its hash, and the database brought up to the present format."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from gnode_orm.core.arrayhash import ArrayHasher
from gnode_orm.core.progress import Progress
from gnode_orm.errors import FormatError
from gnode_orm.stores.local.array_files import ArrayFiles
from gnode_orm.stores.local.backup import ARRAY_FILES, Backup, opened
from gnode_orm.stores.local.formats import FORMAT
from gnode_orm.stores.local.lab import Lab, check_not_newer
from gnode_orm.stores.local.sqlite import SqliteDatabase
from gnode_orm.stores.local.target import ARRAYS_FOLDER, DATABASE_FILE
from gnode_orm.stores.local.unpacked_packs import UnpackedPacks
from gnode_orm.stores.local.upgrading import run_steps

_ARRAY = re.compile(rf"{ARRAYS_FOLDER}/([0-9a-f]{{2}}/(?:([0-9a-f]{{64}})\.npy|[0-9a-f]{{32}}\.pack))")
_STEP = 8 << 20


def unpack(file: Path, copy: Path, arrays: ArrayFiles, progress: Progress) -> Backup:
    """Write the database of a backup into a file of its own and the arrays into their folder; all is checked.

    Raises:
        FormatError: something is damaged, missing, or of a newer format.
    """
    with opened(file) as (backup, members), closing(UnpackedPacks(copy)) as packs:
        check_not_newer(Lab(backup.format, backup.uuid, 0, backup.package), str(file))
        found: set[str] = set()
        done = 0
        for name, content in members:
            progress(done >> 20, backup.nbytes >> 20, "MB of the backup")
            match = _ARRAY.fullmatch(name)
            if name == DATABASE_FILE:
                _write_database(content, copy, backup.database)
            elif match is not None:
                _write_array(content, arrays, match[1], match[2], packs)
                found.add(match[1])
            else:
                raise FormatError(f"{file} holds {name!r}, which belongs to no lab")
            done += content.tell()
    if not copy.exists():
        raise FormatError(f"{file} is not whole: {DATABASE_FILE} is missing")
    if backup.format < FORMAT:
        _upgrade(copy, backup.format)
    missing = _named(copy) - found
    if missing:
        raise FormatError(f"{file} is not whole: {len(missing)} array files are missing, {min(missing)} for one")
    return backup


def _write_database(content: BinaryIO, copy: Path, expected: str) -> None:
    digest = hashlib.sha256()
    with copy.open("xb") as file:
        for piece in _pieces(content):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != expected:
        raise FormatError(f"{DATABASE_FILE} in the backup is damaged; nothing was restored")


def _write_array(content: BinaryIO, arrays: ArrayFiles, name: str, expected: str | None, packs: UnpackedPacks) -> None:
    temporary = arrays.scratch / f"tmp-{secrets.token_hex(8)}"
    try:
        with temporary.open("xb+") as file:
            for piece in _pieces(content):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            if expected is None:
                packs.check(name, file)
            elif _hash_of(file) != expected:
                raise FormatError(f"The array {expected} in the backup is damaged; nothing was restored")
        arrays.place({name: temporary})
    finally:
        temporary.unlink(missing_ok=True)


def _hash_of(file: BinaryIO) -> str | None:
    """The hash of the array in a file, ``None`` where it holds none."""
    try:
        npy.read_magic(file)
        shape, _, dtype = npy.read_array_header_1_0(file)
    except ValueError:
        return None
    size = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if os.fstat(file.fileno()).st_size - file.tell() != size:
        return None
    with ArrayHasher(dtype, shape) as hasher:
        for piece in _pieces(file):
            hasher.take(memoryview(piece))
            hasher.wait()
        return hasher.digest().hex()


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    while piece := content.read(_STEP):
        yield piece


def _named(copy: Path) -> set[str]:
    with closing(sqlite3.connect(copy)) as database:
        return {name for (name,) in database.execute(ARRAY_FILES)}


def _upgrade(copy: Path, format_: int) -> None:
    database = SqliteDatabase(copy, journal="DELETE")
    try:
        with database.write() as transaction:
            run_steps(transaction, format_)
    finally:
        database.close()
