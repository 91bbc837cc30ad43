"""A lab of one block with many segments, and the same as a file of the ORM."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.sizes import size

MANY = size(100_000, quick=20_000)


@cache
def _template(count: int) -> tuple[Path, str]:
    from gnode_orm import Block, Segment, Session

    folder = Path(tempfile.mkdtemp(prefix="bench-lab-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with Session(folder / "lab") as session:
        block = Block("b")
        for number in range(count):
            Segment(f"segment {number}", index=number, description="a trial", block=block)
        session.add(block)
        session.commit()
        return folder / "lab", str(block.location)


def make_lab(folder: Path, count: int) -> str:
    """Make a lab of one block with ``count`` segments; gives the location of the block."""
    lab, location = _template(count)
    shutil.copytree(lab, folder / "lab")
    return location


@contextmanager
def orm_file(folder: Path, count: int) -> Iterator[Any]:
    """Make the same as a file of the ORM; gives its engine."""
    from benchmarks.peers.orm import engine_at
    from benchmarks.peers.plain import insert_segments

    engine = engine_at(folder / "orm.sqlite")
    connection = sqlite3.connect(folder / "orm.sqlite", isolation_level=None)
    insert_segments(connection, count)
    connection.close()
    yield engine
    engine.dispose()
