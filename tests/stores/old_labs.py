"""Labs as earlier versions made them, from the SQL of those versions."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

FORMAT_1 = Path(__file__).parent / "format_1"
LARGE = "412f18c94d882c020b072f1667006dcb34248ffea897f726ac6f8046642d0efd"

_UNDONE = {
    8: "DROP INDEX array_pack_file; ALTER TABLE array_pack DROP COLUMN file; "
    "ALTER TABLE array_pack DROP COLUMN size; ALTER TABLE array_pack DROP COLUMN freed",
    7: "DROP INDEX array_sender_beginning; ALTER TABLE array_sender DROP COLUMN beginning",
}


def make_older(database: sqlite3.Connection, format_: int) -> None:
    """Make a lab one of format 6 or 7; none of its small arrays may stand in files."""
    for number in range(max(_UNDONE), format_, -1):
        database.executescript(_UNDONE[number])
    database.execute("UPDATE lab SET format = :format", {"format": format_})
    database.commit()


def statements(name: str) -> list[str]:
    return [line for line in (FORMAT_1 / name).read_text().splitlines() if line]


def old_folder(path: Path, *, before_servers: bool = False) -> Path:
    """A lab of format 1 in a folder; ``before_servers`` as it was made before labs could be served."""
    old_arrays(path / "arrays")
    with closing(sqlite3.connect(path / "lab.sqlite")) as connection:
        for statement in [*statements("sqlite.sql"), *statements("rows.sql")]:
            connection.execute(statement)
        if before_servers:
            connection.executescript(
                "DROP TABLE token; DROP TABLE login_failure; DROP TABLE array_sender; "
                "ALTER TABLE lab DROP COLUMN default_level; ALTER TABLE account DROP COLUMN password"
            )
        connection.commit()
    return path


def old_postgres(address: str, arrays: Path) -> None:
    """A lab of format 1 in an empty PostgreSQL database."""
    import psycopg

    old_arrays(arrays)
    rows = [re.sub(r"X'([0-9a-f]*)'", r"'\\x\1'", statement) for statement in statements("rows.sql")]
    with psycopg.connect(address.replace("+psycopg", "")) as connection:
        for statement in [*statements("postgresql.sql"), *rows]:
            connection.execute(statement.encode())


def old_arrays(folder: Path) -> None:
    (folder / LARGE[:2]).mkdir(parents=True)
    np.save(folder / LARGE[:2] / f"{LARGE}.npy", np.arange(10_000.0))
