"""What the files of small arrays in a backup have to hold, by the database that comes before them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import BinaryIO

from gnode_orm.errors import FormatError, IntegrityError
from gnode_orm.stores.local.array_packs import ref_of
from gnode_orm.stores.local.array_rows import check_content

_EXPECTED = (
    'CREATE TEMP TABLE expected AS SELECT file, hash, dtype, shape, start, nbytes FROM "array" '
    "JOIN array_pack ON array_pack.id = pack WHERE file IS NOT NULL"
)


class UnpackedPacks:
    """Checks files of small arrays against the rows of a database, which stays as it is."""

    def __init__(self, copy: Path) -> None:
        self._copy = copy
        self._database: sqlite3.Connection | None = None

    def check(self, name: str, file: BinaryIO) -> None:
        """See that a file holds every array that should be in it.

        Raises:
            FormatError: it does not.
        """
        rows = self._rows(name)
        for hash_, dtype, shape, start, size in rows:
            file.seek(start)
            try:
                check_content(ref_of(hash_, dtype, shape), file.read(size))
            except IntegrityError as error:
                raise FormatError(f"The array file {name} in the backup is damaged ({error})") from error

    def _rows(self, name: str) -> sqlite3.Cursor:
        if self._database is None:
            if not self._copy.exists():
                raise FormatError(f"The backup holds {name} before its database, and cannot be checked")
            self._database = sqlite3.connect(self._copy)
            self._database.execute(_EXPECTED)
            # Without it every row would be looked at for every file.
            self._database.execute("CREATE INDEX temp.expected_file ON expected (file, start)")
        return self._database.execute(
            "SELECT hash, dtype, shape, start, nbytes FROM expected WHERE file = ? ORDER BY start", (name,)
        )

    def close(self) -> None:
        """Let go of the database."""
        if self._database is not None:
            self._database.close()
