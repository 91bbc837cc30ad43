"""Records that were read from servers, kept on disk by their revision so that they need not come again.

A revision of an object never changes, so what is kept of it stays right. The server says each time which revisions
there are for the user now; what is in them comes from here, or from a further request for those that are not here.
Every user of every server has a file of his own, beside the arrays that are kept for him.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import threading
import weakref
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from gnode_orm.core.schema import SCHEMA
from gnode_orm.stores.rest import array_cache

LEAST = 100
"""Fewer records of a kind come as fast as their names."""

FILE = "records.sqlite"
_SHARE = 4
_TABLE = """CREATE TABLE IF NOT EXISTS record
    (kind TEXT, id INTEGER, rev INTEGER, checksum INTEGER, content BLOB, PRIMARY KEY (kind, id)) WITHOUT ROWID"""
_KEEP = "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)"
_FIND = "SELECT id, rev, checksum, content FROM record WHERE kind = ? AND id IN (SELECT value FROM json_each(?))"

Row = list[Any]
"""A record as it stands in a message; it begins with its id and revision."""

log = logging.getLogger("gnode_orm")


class RecordCache:
    """The records of one user of one server; safe to use from many threads and processes.

    Args:
        folder: of the whole cache; ``owner`` names the part of this user and server in it.
        limit: bytes that the whole cache may take.
    """

    def __init__(self, folder: Path, owner: str, limit: int) -> None:
        self._whole = folder
        self._path = folder / array_cache.part_of(owner) / FILE
        self._limit = limit
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._closing: weakref.finalize[[], RecordCache] | None = None
        self._usable = True

    def holds(self, kind: str) -> bool:
        """Tell whether any record of a kind is kept."""
        found = self._guarded(lambda file: file.execute("SELECT 1 FROM record WHERE kind = ? LIMIT 1", (kind,)))
        return found is not None and found.fetchone() is not None

    def get(self, kind: str, names: list[Row]) -> dict[int, Row]:
        """Give those of some records, named by id and revision, that are kept."""
        ids = orjson.dumps([id_ for id_, _ in names]).decode()
        rows = self._guarded(lambda file: file.execute(_FIND, (kind, ids)).fetchall()) or []
        wanted = dict(names)
        sound = [
            content for id_, rev, checksum, content in rows
            if wanted[id_] == rev and zlib.crc32(content) == checksum
        ]  # fmt: skip
        return {row[0]: row for row in orjson.loads(b"[" + b",".join(sound) + b"]")}

    def put(self, kind: str, rows: list[Row]) -> None:
        """Keep some records; those of older revisions give way."""
        contents = [(row[0], row[1], orjson.dumps(row)) for row in rows]
        kept = [(kind, id_, rev, zlib.crc32(content), content) for id_, rev, content in contents]
        self._guarded(lambda file: self._written(file, kept))

    def _written(self, file: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
        with file:
            if self._path.stat().st_size > self._limit // _SHARE:
                file.execute("DELETE FROM record")  # its pages are filled anew
            file.executemany(_KEEP, rows)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._let_go()
            self._usable = False

    def _let_go(self) -> None:
        if self._closing is not None:
            self._closing()
        self._connection = None

    def _guarded(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Do something with the file; one that is damaged is begun anew, and with a disk that fails nothing is kept."""
        with self._lock:
            if not self._usable:
                return None
            try:
                return work(self._connection or self._opened())
            except sqlite3.OperationalError as error:
                self._give_up(error)
            except sqlite3.DatabaseError:
                self._let_go()
                self._path.unlink(missing_ok=True)
            except OSError as error:
                self._give_up(error)
            return None

    def _opened(self) -> sqlite3.Connection:
        for folder in (self._whole, self._path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        array_cache.evict(self._whole, self._limit)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        os.utime(self._path)  # the least lately used go first
        self._connection = connection = sqlite3.connect(self._path, check_same_thread=False)
        # Not every session is closed by its user.
        self._closing = weakref.finalize(self, connection.close)
        # A crash of the machine may spoil the file, which the checksums tell.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_TABLE)
        return connection

    def _give_up(self, error: Exception) -> None:
        self._usable = False
        log.info("Records are not kept in %s: %s", self._path, error)


def record_cache(*owner: str) -> RecordCache | None:
    """Give the cache of a user of a server, where there shall be one."""
    limit = array_cache.cache_limit()
    # Records of another layout, as another version of this package reads them, are others.
    layout = repr([(kind, spec.record_columns) for kind, spec in SCHEMA.items()])
    name = "\n".join((*owner, hashlib.sha256(layout.encode()).hexdigest()))
    return RecordCache(array_cache.cache_folder(), name, limit) if limit else None


def count_records(folder: Path) -> int:
    """Count the records that are kept in a whole cache."""
    return sum(map(_count, folder.rglob(FILE)))


def _count(path: Path) -> int:
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT count(*) FROM record").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.Error:
        return 0


class RecordReader:
    """Reads the answers to queries, with records that are kept in their places.

    Args:
        call: sends a message to one of the server's addresses and gives what comes back.
        cache: ``None`` where nothing is kept.
    """

    def __init__(self, call: Callable[[str, Any], Any], cache: RecordCache | None) -> None:
        self._call = call
        self._cache = cache

    def select(self, message: dict[str, Any]) -> Any:
        """Give the answer to a query."""
        limit, cache = message["limit"], self._cache
        if cache is None or (limit is not None and limit < LEAST):
            return self._call("select", message)
        if cache.holds(message["kind"]):
            answer = self._call("select", {**message, "names": LEAST})
            if all(self._fill(cache, kind, rows, message["at"]) for kind, rows in _parts(answer)):
                return answer
            # Something was changed between the two requests, and one answer shows one moment.
        answer = self._call("select", message)
        for kind, rows in _parts(answer):
            if len(rows) >= LEAST:
                cache.put(kind, rows)
        return answer

    def _fill(self, cache: RecordCache, kind: str, rows: list[Row], at: Any) -> bool:
        """Put records where their names stand; tells whether they are those that were named."""
        if len(rows) < LEAST:
            return True
        found = cache.get(kind, rows)
        lacking = [id_ for id_, _ in rows if id_ not in found]
        if lacking:
            fetched = self._call("records", {"kind": kind, "ids": lacking, "at": at})["rows"]
            cache.put(kind, fetched)
            found.update({row[0]: row for row in fetched})
        whole = [found.get(id_, [id_, None]) for id_, _ in rows]
        same = [row[1] for row in whole] == [rev for _, rev in rows]
        rows[:] = whole
        return same


def _parts(answer: Any) -> Iterator[tuple[str, list[Row]]]:
    yield answer["kind"], answer["rows"]
    for _, kind, rows, _ in answer["eager"]:
        yield kind, rows
