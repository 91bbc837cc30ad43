"""Backups: one file that holds a lab as it was at one commit, taken while others work in it.

The file is a tar archive: ``backup.json`` says what it is, ``lab.sqlite`` holds every table, and ``arrays/`` the files
of large arrays. Arrays never change, so the copy of the tables fixes the moment and the files may be read after it.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import orjson

from gnode_orm.core.progress import Progress, silent
from gnode_orm.errors import FormatError, GnodeError, StoreUnavailable, ValidationFailed
from gnode_orm.stores.local.array_files import ArrayFiles
from gnode_orm.stores.local.array_series import LEFT_OVER
from gnode_orm.stores.local.copying import copy_database
from gnode_orm.stores.local.durable import sync
from gnode_orm.stores.local.garbage import array_columns
from gnode_orm.stores.local.lab import open_lab
from gnode_orm.stores.local.opening import Place, place_of
from gnode_orm.stores.local.target import ARRAYS_FOLDER, DATABASE_FILE

MANIFEST = "backup.json"
ARRAY_FILES = "SELECT file FROM array_part UNION SELECT file FROM array_pack WHERE file IS NOT NULL ORDER BY file"
"""The files that the rows of a lab name."""
_STEP = 1 << 20


@dataclass(frozen=True)
class Backup:
    """What a backup says of itself.

    Attributes:
        format, uuid, package: of the lab.
        engine: the kind of database that it comes from; the tables of ``postgresql`` are without keys and indexes.
        taken: when it was made, in UTC.
        version: the last commit that it holds.
        database: SHA-256 of ``lab.sqlite``.
        arrays, nbytes: how many array files there are, and how many bytes they and the database take.
    """

    format: int
    uuid: str
    package: str | None
    engine: str
    taken: str
    version: int
    database: str
    arrays: int
    nbytes: int


def backup(
    target: str, file: str | os.PathLike[str], *,
    arrays: str | os.PathLike[str] | None = None, progress: Progress = silent,
) -> Backup:  # fmt: skip
    """Write a backup of a lab that may be in use; whole and on disk when this returns, not there when it fails.

    ``progress`` is called with MB done, MB in all, and what is being done.

    Raises:
        ValidationFailed: there is such a file already.
        NotFound: there is no lab.
        FormatError: the lab has another format.
        StoreUnavailable: the lab cannot be read, or the file not be written.
    """
    path = Path(file)
    if path.exists():
        raise _taken(path)
    place = place_of(target, arrays, readonly=True)
    try:
        return _backup(place, path, progress)
    except OSError as error:
        if isinstance(error, GnodeError):
            raise
        raise place.database.translate(error) or error from error
    finally:
        place.close()


def _backup(place: Place, path: Path, progress: Progress) -> Backup:
    progress(0, 1, "copying the tables")
    lab = open_lab(place.database, place.shown, create=False)
    unfinished = secrets.token_hex(8)
    copy, partial = (path.with_name(f"{path.name}.{unfinished}.{end}") for end in ("sqlite", "tar"))
    try:
        with place.database.snapshot() as transaction:
            copy_database(place.database, transaction, copy)
        version, names = _settled(copy)
        sizes = place.arrays.sizes(names)
        made = Backup(
            lab.format, lab.uuid, lab.package, place.database.compiler.dialect.name,
            datetime.now(UTC).isoformat(timespec="seconds"), version, _sha256(copy), len(names),
            sum(sizes) + copy.stat().st_size,
        )  # fmt: skip
        _write(partial, made, copy, place.arrays, dict(zip(names, sizes, strict=True)), progress)
        os.link(partial, path)  # refuses what came to be there in the meantime
        sync(path.parent)
        return made
    except FileExistsError:
        raise _taken(path) from None
    finally:
        copy.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)


def _taken(path: Path) -> ValidationFailed:
    return ValidationFailed(f"{path} is there already and stays as it is; name a new file", value=str(path))


def _settled(copy: Path) -> tuple[int, list[str]]:
    """Leave arrays out that no version names, whose files may go at any moment; gives version and array files."""
    named = " ".join(f'EXCEPT SELECT "{column}" FROM "{table}"' for table, column in array_columns())
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        database.execute(f'CREATE TEMP TABLE unnamed AS SELECT hash FROM "array" {named}')
        for table, column in (("array_sender", "array"), ("array", "hash")):
            database.execute(f'DELETE FROM "{table}" WHERE "{column}" IN (SELECT hash FROM unnamed)')
        database.execute(LEFT_OVER)
        database.execute('DELETE FROM array_pack WHERE id NOT IN (SELECT pack FROM "array" WHERE pack IS NOT NULL)')
        ((version,),) = database.execute("SELECT max(seq) FROM change_set")
        files = database.execute(ARRAY_FILES).fetchall()
    return version or 0, [name for (name,) in files]


def _write(path: Path, made: Backup, copy: Path, arrays: ArrayFiles, sizes: dict[str, int], progress: Progress) -> None:
    # The database holds hashes of passwords and tokens, so the file is for its maker alone.
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            text = orjson.dumps(asdict(made), option=orjson.OPT_INDENT_2)
            _add(archive, MANIFEST, io.BytesIO(text), len(text))
            with copy.open("rb") as content:
                _add(archive, DATABASE_FILE, content, copy.stat().st_size)
            for name, size in sizes.items():
                progress(archive.offset >> 20, made.nbytes >> 20, "MB of the backup")
                with arrays.content(name) as content:
                    _add(archive, f"{ARRAYS_FOLDER}/{name}", content, size)
        file.flush()
        os.fsync(file.fileno())


def _add(archive: tarfile.TarFile, name: str, content: BinaryIO, size: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o600
    archive.addfile(member, content)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def opened(file: Path) -> Iterator[tuple[Backup, Iterator[tuple[str, BinaryIO]]]]:
    """Read a backup: what it says of itself, and its files one after the other.

    Raises:
        FormatError: the file is no backup, or ends in the middle.
        StoreUnavailable: it cannot be read.
    """
    try:
        with tarfile.open(file, "r:") as archive:
            members = iter(archive)
            first = next(members, None)
            if first is None or first.name != MANIFEST:
                raise FormatError(f"{file} is no backup of a lab")
            made = Backup(**orjson.loads(_content(archive, first).read(_STEP)))
            yield made, ((member.name, _content(archive, member)) for member in members)
    except (tarfile.TarError, orjson.JSONDecodeError, TypeError, EOFError) as error:
        raise FormatError(f"{file} is no backup of a lab, or is damaged ({error})") from error
    except OSError as error:
        if isinstance(error, StoreUnavailable):
            raise
        raise StoreUnavailable(f"{file} cannot be read: {error.strerror or error}") from error


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    content = archive.extractfile(member) if member.isreg() else None
    if content is None:
        raise FormatError(f"The backup holds {member.name!r}, which is no file")
    return content  # type: ignore[return-value]
