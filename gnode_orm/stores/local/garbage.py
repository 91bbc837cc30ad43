"""What a lab keeps without any use: found first, then removed, beside running commits.

An array is of use while any version of any object names it. Commits, and the rows and files of arrays, are written
under the lab's write lock; so whoever removes looks again, under that lock, at what was found without it. What was sent
a short time ago is left alone as well, since the commit that will name it may be on its way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from gnode_orm.core.overview import FACTORS
from gnode_orm.core.progress import Progress, silent
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import AccessDenied
from gnode_orm.stores.local.array_files import ArrayFiles
from gnode_orm.stores.local.array_folder import listed_paths
from gnode_orm.stores.local.array_packs import repack
from gnode_orm.stores.local.array_rows import stored_hashes
from gnode_orm.stores.local.array_series import LEFT_OVER, files_of_use
from gnode_orm.stores.local.clock import now_us
from gnode_orm.stores.local.database import Database, Transaction
from gnode_orm.stores.local.hash_sets import HASH_SET, bound_hashes
from gnode_orm.stores.local.pack_garbage import empty, file_packs, forget_packs, names_of_packs
from gnode_orm.stores.local.staged_array import LOCK_FILE, UPLOADS_FOLDER, staging

T = TypeVar("T")

# Files are removed by so many at a time, to let writers in between.
_BATCH = 1000
_ROWS = 10_000
_ARRAY = re.compile(r"[0-9a-f]{2}/(?:[0-9a-f]{64}\.npy|[0-9a-f]{32}\.pack)")
_BESIDE = re.compile(r"[0-9a-f]{2}/([0-9a-f]{64})\.(?:leaves|minmax-(\d+))\.npy")
_TEMPORARY = re.compile(r"tmp-[0-9a-f]{16}")

Files = dict[Path, int]
"""Files of this computer with their sizes; those of arrays go by their names."""


@dataclass
class Garbage:
    """What is of no use.

    Attributes:
        arrays: arrays that no version names, with the bytes that they take inside the database.
        files: array files of these, and of commits that were cut short before a row named them.
        packs: files of small arrays of which half or more is of no use, with how much; the rest is stored once more,
            and the file goes when it was left alone for long enough.
        beside: overviews and digests of arrays that are gone.
        uploads: files of arrays whose sending was given up.
        temporary: files whose writing was cut short.
    """

    arrays: dict[bytes, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    packs: dict[str, int] = field(default_factory=dict)
    beside: dict[str, int] = field(default_factory=dict)
    uploads: Files = field(default_factory=dict)
    temporary: Files = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many there are of each."""
        return {name: len(value) for name, value in vars(self).items()}

    @property
    def nbytes(self) -> int:
        """How much space they take."""
        return sum(sum(value.values()) for value in vars(self).values())

    def __bool__(self) -> bool:
        return any(vars(self).values())


class Collector:
    """Finds and removes what is of no use in one lab.

    Args:
        older_than: how long something must have been left alone.
    """

    def __init__(self, database: Database, files: ArrayFiles, older_than: timedelta, *, readonly: bool = False) -> None:
        self._database = database
        self._files = files
        self._folder = files.scratch
        self._limit = now_us() - int(older_than.total_seconds() * 1_000_000)
        self._readonly = readonly
        self._seen = 0

    def find(self, progress: Progress = silent) -> Garbage:
        """Find what is of no use; nothing is changed."""
        progress(0, 4, "looking at what is named")
        with self._database.snapshot() as transaction:
            ((seq,),) = transaction.query("SELECT max(seq) FROM change_set")
            self._seen = seq or 0
            arrays = self._unnamed(transaction)
            packs = file_packs(transaction, arrays.keys(), _ROWS)
            kept = files_of_use(transaction, arrays, _ROWS)
            kept |= {pack.file for pack in packs if pack.of_use(self._limit)}
            progress(1, 4, "looking at array files")
            old = self._old(kept)
            found = Garbage(arrays, files={name: size for name, size in old.items() if _ARRAY.fullmatch(name)})
            found.packs = {pack.file: pack.size - pack.claimed for pack in packs if pack.thin}
            progress(2, 4, "looking at overviews")
            found.beside = {name: size for name, size in old.items() if name not in found.files}
            stems = {bytes.fromhex(name[3:67]) for name in found.beside}
            of_use = {hash_ for part in _parts(list(stems)) for hash_ in stored_hashes(transaction, part)}
        progress(3, 4, "looking at uploads")
        of_use -= arrays.keys()
        found.beside = {name: size for name, size in found.beside.items() if not _serves(name, of_use)}
        found.temporary = dict(
            self._aged(path for path in listed_paths(self._folder) if _TEMPORARY.fullmatch(path.name))
        )
        found.uploads = {path: size for group in self._abandoned() for path, size in group.items()}
        return found

    def _unnamed(self, transaction: Transaction) -> dict[bytes, int]:
        named = " ".join(f'EXCEPT SELECT "{column}" FROM "{table}"' for table, column in array_columns())
        rows = transaction.query(f'SELECT hash FROM "array" WHERE touched < :limit {named}', limit=self._limit)
        found: dict[bytes, int] = {}
        for part in _parts([bytes(hash_) for (hash_,) in rows]):
            found.update(_inline_sizes(transaction, part))
        return found

    def _old(self, kept: set[str]) -> dict[str, int]:
        """Files of arrays that were left alone, but for those that are kept, and what stands beside any."""

        def concerns(name: str) -> bool:
            return (name not in kept and _ARRAY.fullmatch(name) is not None) or _BESIDE.fullmatch(name) is not None

        return {file.name: file.size for file in self._files.listed(concerns) if file.written < self._limit}

    def _aged(self, paths: Iterable[Path]) -> Iterator[tuple[Path, int]]:
        for path in paths:
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            if status.st_mtime_ns // 1000 < self._limit:
                yield path, status.st_size

    def _abandoned(self) -> list[Files]:
        """The files of each upload of which none was written lately."""
        groups: dict[str, list[Path]] = {}
        for path in listed_paths(self._folder / UPLOADS_FOLDER):
            if path.name != LOCK_FILE:
                groups.setdefault(path.name.partition(".")[0], []).append(path)
        aged = [(len(paths), dict(self._aged(paths))) for paths in groups.values()]
        return [files for count, files in aged if len(files) == count]

    def remove(self, found: Garbage, progress: Progress = silent) -> Garbage:
        """Remove what was found, unless it came to be of use in the meantime; gives what was removed.

        Raises:
            AccessDenied: the lab was opened for reading alone.
        """
        if self._readonly:
            raise AccessDenied("The lab was opened with readonly=True; open it again without to remove anything")
        removed = Garbage(self._remove_rows(found.arrays))
        removed.packs = self._empty_packs(found.packs, progress)
        if found.files:
            with self._database.write() as transaction:  # ended before any file goes, so that no row names what is gone
                forget_packs(transaction, self._limit)
        for number, part in enumerate(_parts(list(found.files))):
            progress(number * _BATCH, len(found.files), "removing array files")
            # Whoever stores an array sees, under the same lock, that its file is there before he names it.
            with self._database.write() as transaction:
                kept = files_of_use(transaction, (), _ROWS) | names_of_packs(transaction)
                removed.files.update(self._files.remove([name for name in part if name not in kept], self._limit))
        # These are made again by whoever misses them.
        removed.beside = self._files.remove(list(found.beside), self._limit)
        removed.temporary = self._unlink(found.temporary)
        if found.uploads:
            with staging(self._folder / UPLOADS_FOLDER, alone=True):
                still = [path for group in self._abandoned() for path in group if path in found.uploads]
                removed.uploads = self._unlink(sorted(still, key=lambda path: path.suffix != ".pieces"))
        return removed

    def _remove_rows(self, arrays: dict[bytes, int]) -> dict[bytes, int]:
        if not arrays:
            return {}
        with self._database.write() as transaction:
            named = self._named_since(transaction)
            gone: list[bytes] = []
            for part in _parts([hash_ for hash_ in arrays if hash_ not in named]):
                gone += self._still_old(transaction, part)
            packs = {pack for part in _parts(gone) for pack in _packs_of(transaction, part)}
            for part in _parts(gone):
                for table, column in (("array_sender", "array"), ("array", "hash")):
                    transaction.run(f'DELETE FROM "{table}" WHERE "{column}" IN {HASH_SET}', **bound_hashes(part))
            transaction.run(LEFT_OVER)
            repack(transaction, sorted(packs))
        return {hash_: arrays[hash_] for hash_ in gone}

    def _empty_packs(self, found: dict[str, int], progress: Progress) -> dict[str, int]:
        if not found:
            return {}
        with self._database.snapshot() as transaction:
            packs = [pack for pack in file_packs(transaction, frozenset(), _ROWS) if pack.file in found]
        emptied = {}
        for number, pack in enumerate(packs):
            progress(number, len(packs), "writing array files anew")
            if empty(self._database, self._files, pack):
                emptied[pack.file] = pack.size - pack.claimed
        return emptied

    def _named_since(self, transaction: Transaction) -> set[bytes]:
        """The arrays that commits named after the snapshot in which the others were found."""
        texts = (
            f'SELECT "{column}" FROM "{table}" WHERE rev > :seen AND "{column}" IS NOT NULL'
            for table, column in array_columns()
        )
        return {bytes(hash_) for text in texts for (hash_,) in transaction.query(text, seen=self._seen)}

    def _still_old(self, transaction: Transaction, hashes: list[bytes]) -> list[bytes]:
        text = f'SELECT hash FROM "array" WHERE hash IN {HASH_SET} AND touched < :limit'
        return [bytes(hash_) for (hash_,) in transaction.query(text, limit=self._limit, **bound_hashes(hashes))]

    def _unlink(self, paths: Iterable[Path]) -> Files:
        gone: Files = {}
        for path, size in self._aged(paths):
            path.unlink(missing_ok=True)
            gone[path] = size
        return gone


def array_columns() -> list[tuple[str, str]]:
    """Every table that names arrays, with the column of the hash."""
    return [
        (table, f"{field.name}_hash")
        for kind, spec in SCHEMA.items()
        for field in spec.arrays
        for table in (kind, f"{kind}_past")
    ]


def _inline_sizes(transaction: Transaction, hashes: list[bytes]) -> dict[bytes, int]:
    text = (
        "SELECT hash, nbytes, pack IS NOT NULL AND pack NOT IN (SELECT id FROM array_pack WHERE file IS NOT NULL) "
        f'FROM "array" WHERE hash IN {HASH_SET}'
    )
    rows = transaction.query(text, **bound_hashes(hashes))
    return {bytes(hash_): size if in_database else 0 for hash_, size, in_database in rows}


def _packs_of(transaction: Transaction, hashes: list[bytes]) -> list[int]:
    text = (
        f'SELECT DISTINCT pack FROM "array" WHERE hash IN {HASH_SET} '
        "AND pack NOT IN (SELECT id FROM array_pack WHERE file IS NOT NULL)"
    )
    return [pack for (pack,) in transaction.query(text, **bound_hashes(hashes))]


def _serves(name: str, hashes: set[bytes]) -> bool:
    """Tell whether an overview or digest is of one of these arrays, and of a resolution that is still made."""
    match = _BESIDE.fullmatch(name)
    assert match is not None
    return bytes.fromhex(match[1]) in hashes and (match[2] is None or int(match[2]) in FACTORS)


def _parts(items: list[T]) -> Iterator[list[T]]:
    return (items[at : at + _BATCH] for at in range(0, len(items), _BATCH))
