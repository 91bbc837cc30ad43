"""The cost of a commit, an indexed query, opening, and of the disk, as a lab grows."""

from __future__ import annotations

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row
from benchmarks.sizes import is_quick

_BATCH = 1000
_CHILDREN = 10
_APPENDS = 10
_SEGMENTS = 10_000


@cache
def _lab(count: int) -> Path:
    """Make a lab of ``count`` objects: blocks of ten segments each."""
    from gnode_orm import Block, Segment, Session

    folder = Path(tempfile.mkdtemp(prefix="bench-growth-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    blocks = count // (1 + _CHILDREN) + 1
    for start in range(0, blocks, 20_000):
        with Session(folder / "lab") as session:
            for number in range(start, min(start + 20_000, blocks)):
                block = Block(f"block {number}")
                for index in range(_CHILDREN):
                    Segment(f"segment {index}", index=index, block=block)
                session.add(block)
            session.commit()
    return folder / "lab"


@contextmanager
def _copied(folder: Path, count: int) -> Iterator[Path]:
    shutil.copytree(_lab(count), folder / "lab")
    yield folder / "lab"


@contextmanager
def _commit(folder: Path, count: int) -> Iterator[Round]:
    from gnode_orm import Block, Segment, Session

    with _copied(folder, count) as lab, Session(lab) as session:

        def once(meter: Meter) -> None:
            block = Block("new")
            for index in range(_BATCH - 1):
                Segment(f"segment {index}", index=index, block=block)
            session.add(block)
            with meter:
                session.commit()
            meter.divide(_BATCH)

        yield once


@contextmanager
def _query(folder: Path, count: int) -> Iterator[Round]:
    from gnode_orm import Block, Segment, Session

    with _copied(folder, count) as lab, Session(lab) as session:
        blocks = session.query(Block).limit(50).all()

        def once(meter: Meter) -> None:
            for block in blocks:
                with meter:
                    found = session.query(Segment).where(Segment.block.is_(block)).all()
                assert len(found) == _CHILDREN
            meter.divide(len(blocks))

        yield once


@contextmanager
def _open(folder: Path, count: int) -> Iterator[Round]:
    from gnode_orm import Block, Session

    with _copied(folder, count) as lab:

        def once(meter: Meter) -> None:
            with meter, Session(lab) as session:
                session.query(Block).limit(1).all()

        yield once


@contextmanager
def _append(folder: Path, times: int) -> Iterator[Round]:
    """Append 0.1 s of 32 channels at 30 kHz, committed each time, to a signal that grew so many times before."""
    import numpy as np

    from gnode_orm import AnalogSignalArray, Session

    numbers = np.random.default_rng(1)

    def piece() -> tuple[object, str]:
        return numbers.integers(-500, 500, (3_000, 32), dtype=np.int16), "uV"

    with Session(folder / "lab") as session:
        signal = session.add(AnalogSignalArray(piece(), sampling_rate=(30, "kHz")))
        session.commit()

        def append(meter: AbstractContextManager[object]) -> None:
            signal.signal = signal.signal.extended(piece())
            with meter:
                session.commit()

        for _ in range(times):
            append(nullcontext())

        def once(meter: Meter) -> None:
            for _ in range(_APPENDS):
                append(meter)
            meter.divide(_APPENDS)

        yield once


@contextmanager
def _bytes(folder: Path, versions: int) -> Iterator[Round]:
    """Bytes of the database for each segment, and, with ``versions``, for each old version of one."""
    from gnode_orm import Block, Segment, Session

    with Session(folder / "lab") as session:
        block = Block("b")
        segments = [Segment(f"segment {number}", index=number, block=block) for number in range(_SEGMENTS)]
        session.add(block)
        session.commit()
        before = _size(folder / "lab" / "lab.sqlite")
        for version in range(versions):
            for segment in segments:
                segment.index = -version - 1
            session.commit()
    after = _size(folder / "lab" / "lab.sqlite")
    figure = (after - before) / versions if versions else before - _empty(folder)
    yield lambda meter: meter.note(figure / len(segments))


def _empty(folder: Path) -> int:
    from gnode_orm import Session

    Session(folder / "empty").close()
    return _size(folder / "empty" / "lab.sqlite")


@contextmanager
def _raw_bytes(folder: Path) -> Iterator[Round]:
    """Bytes of a table with the same columns, the same values and an index on the parent, and nothing else."""
    from gnode_orm import Block, Segment, Session

    with Session(folder / "lab") as session:
        block = Block("b")
        for number in range(_SEGMENTS):
            Segment(f"segment {number}", index=number, block=block)
        session.add(block)
        session.commit()
    path = folder / "raw.sqlite"
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("ATTACH ? AS lab", (str(folder / "lab" / "lab.sqlite"),))
    ((definition,),) = raw.execute("SELECT sql FROM lab.sqlite_master WHERE name = 'segment'").fetchall()
    raw.execute(definition)
    raw.execute("CREATE INDEX by_block ON segment (block_id)")
    raw.execute("INSERT INTO segment SELECT * FROM lab.segment")
    raw.close()
    figure = path.stat().st_size / _SEGMENTS
    yield lambda meter: meter.note(figure)


def _size(path: Path) -> int:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.stat().st_size


def _growth() -> tuple[Row, ...]:
    sizes = (1_000, 10_000, 30_000) if is_quick() else (1_000, 10_000, 100_000, 1_000_000)
    most = sizes[-1]
    bounds = {"commit": 1.3, "query": 3.0, "open": 1.3}
    works = {
        "commit": (_commit, "commit one object of 1,000 new ones into a lab of n"),
        "query": (_query, "query 10 segments of a block by the indexed key in a lab of n"),
        "open": (_open, "open a lab of n and read one object"),
    }
    rows = [
        Row(
            f"growth-{name}",
            text,
            tuple(Contestant(f"{size:,}", partial(work, count=size)) for size in sizes),
            (Reach(f"{sizes[0]:,}", at_most=bounds[name], contestant=f"{most:,}"),),
        )
        for name, (work, text) in works.items()
    ]
    disk = Row(
        "growth-bytes",
        "bytes on disk for a segment, and for each old version of it",
        (
            Contestant("ours", partial(_bytes, versions=0)),
            Contestant("raw SQLite table", _raw_bytes),
            Contestant("ours, each old version", partial(_bytes, versions=3)),
        ),
        (
            Reach("raw SQLite table", at_most=1.2),
            Reach("raw SQLite table", at_most=1.2, contestant="ours, each old version"),
        ),
        unit="B",
        rounds=2,
        quick_rounds=2,
    )
    few, many = 10, 100 if is_quick() else 1_000
    appending = Row(
        "growth-append",
        f"append 0.1 s of 32 channels to a signal that was appended to {few} and {many:,} times",
        tuple(Contestant(f"{times:,}", partial(_append, times=times)) for times in (few, many)),
        (Reach(f"{few}", at_most=1.3, contestant=f"{many:,}"),),
    )
    return (*rows, appending, disk)


GROWTH = _growth()
