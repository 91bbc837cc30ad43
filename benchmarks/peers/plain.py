"""The bare machine: the driver of SQLite with the same tables, and nothing around it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

TABLES = """
CREATE TABLE block (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE segment (id INTEGER PRIMARY KEY, name TEXT, "index" INTEGER, description TEXT, block_id INTEGER);
CREATE TABLE event (id INTEGER PRIMARY KEY, label TEXT, time REAL, time_unit TEXT, segment_id INTEGER);
CREATE INDEX segment_block ON segment (block_id);
CREATE INDEX event_segment ON event (segment_id);
"""


def connect(path: Path) -> sqlite3.Connection:
    """Open a SQLite file as durable as ours, with the tables in it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(TABLES)
    return connection


def insert_segments(connection: sqlite3.Connection, count: int) -> None:
    """Insert one block and ``count`` segments of it in one transaction."""
    connection.execute("BEGIN")
    connection.execute("INSERT INTO block VALUES (1, 'b')")
    rows = [(number, f"segment {number}", number, "a trial", 1) for number in range(count)]
    connection.executemany("INSERT INTO segment VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
