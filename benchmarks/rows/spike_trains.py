"""Commit 20,000 spike trains of 10 to 500 samples."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row, fresh
from benchmarks.sizes import size

COUNT = 20_000
_FEW = size(400, quick=50)


@cache
def trains() -> list[npt.NDArray[np.float64]]:
    """Rising times between 0 and 100 s."""
    numbers = np.random.default_rng(1)
    return [np.sort(numbers.uniform(0, 100, size)) for size in numbers.integers(10, 500, COUNT)]


def _ours(folder: Path, meter: Meter) -> None:
    from gnode_orm import Segment, Session, SpikeTrain

    segment = Segment("s")
    for times in trains():
        SpikeTrain((times, "s"), t_start=(0.0, "s"), t_stop=(100.0, "s"), segment=segment)
    with Session(folder / "lab") as session, meter:
        session.add(segment)
        session.commit()


def _raw(folder: Path, meter: Meter) -> None:
    connection = sqlite3.connect(folder / "raw.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(
        "CREATE TABLE train (id INTEGER PRIMARY KEY, segment INTEGER, t_start REAL, t_stop REAL, n INTEGER, times BLOB)"
    )
    arrays = trains()
    with meter:
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO train (segment, t_start, t_stop, n, times) VALUES (1, 0.0, 100.0, ?, ?)",
            ((len(times), times.tobytes()) for times in arrays),
        )
        connection.execute("COMMIT")
    connection.close()


@contextmanager
def _neo(folder: Path) -> Iterator[Round]:
    """Write a part of them by neo's NixIO, and count up: the whole takes minutes."""
    import neo
    import quantities as pq
    from neo.io import NixIO

    def once(meter: Meter) -> None:
        block = neo.Block()
        segment = neo.Segment()
        block.segments.append(segment)
        segment.spiketrains.extend([neo.SpikeTrain(times * pq.s, t_stop=100 * pq.s) for times in trains()[:_FEW]])
        assert len(segment.spiketrains) == _FEW
        path = folder / "trains.nix"
        with meter:
            writer: Any = NixIO(str(path), mode="ow")
            writer.write_block(block)
            writer.close()
        path.unlink()
        meter.divide(_FEW)
        meter.note(meter.figure * COUNT)

    yield once


SPIKE_TRAINS = Row(
    "spike-trains",
    f"commit {COUNT:,} spike trains of 10 to 500 samples",
    (
        Contestant("ours", fresh(_ours)),
        Contestant("raw SQLite BLOBs", fresh(_raw)),
        Contestant(f"neo NixIO (from {_FEW})", _neo, needs=("neo", "nixio")),
    ),
    (Reach("raw SQLite BLOBs", at_most=2), Reach(f"neo NixIO (from {_FEW})", at_least=50)),
    rounds=5,
)
