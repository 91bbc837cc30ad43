"""Load many objects, and the memory that they take."""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row
from benchmarks.rows.segments import MANY, make_lab, orm_file


@contextmanager
def _collector(on: bool) -> Iterator[None]:
    if not on:
        gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _load_ours(folder: Path, measure: Callable[..., None], collector: bool = True) -> Iterator[Round]:
    from gnode_orm import Segment, Session

    make_lab(folder, MANY)

    def once(meter: Meter) -> None:
        with Session(folder / "lab") as session, _collector(collector):
            query = session.query(Segment)
            query.limit(1).all()
            measure(meter, query.all)

    yield once


@contextmanager
def _load_orm(folder: Path, measure: Callable[..., None], collector: bool = True) -> Iterator[Round]:
    import sqlalchemy as sa
    from sqlalchemy.orm import Session

    from benchmarks.peers.orm import Segment

    with orm_file(folder, MANY) as engine:

        def once(meter: Meter) -> None:
            with Session(engine) as session, _collector(collector):
                session.scalars(sa.select(Segment).limit(1)).all()
                measure(meter, lambda: session.scalars(sa.select(Segment)).all())

        yield once


@contextmanager
def _load_raw(folder: Path, measure: Callable[..., None]) -> Iterator[Round]:
    from benchmarks.peers.plain import connect, insert_segments

    connection = connect(folder / "raw.sqlite")
    insert_segments(connection, MANY)
    yield lambda meter: measure(meter, lambda: connection.execute("SELECT * FROM segment ORDER BY id").fetchall())
    connection.close()


def _time(meter: Meter, work: Callable[[], list[Any]]) -> None:
    with meter:
        found = work()
    assert len(found) == MANY


def _memory(meter: Meter, work: Callable[[], list[Any]]) -> None:
    gc.collect()
    tracemalloc.start()
    try:
        found = work()
        gc.collect()
        meter.note(tracemalloc.get_traced_memory()[0] / len(found))
    finally:
        tracemalloc.stop()


@contextmanager
def _alone(folder: Path, name: str) -> Iterator[Round]:
    """Measure memory in a process of its own: what ran before changes how large instances are."""
    script = (
        "import sys; from pathlib import Path; from benchmarks.measuring import Meter; "
        "from benchmarks.rows import loading; meter = Meter()\n"
        f"with loading.{name}(Path(sys.argv[1]), loading._memory) as once: once(meter)\n"
        "print(meter.figure)"
    )

    def once(meter: Meter) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            run = subprocess.run([sys.executable, "-c", script, place], capture_output=True, text=True, check=True)
        meter.note(float(run.stdout))

    yield once


LOAD = Row(
    "load",
    f"load {MANY:,} segments by one query into instances",
    (
        Contestant("ours", partial(_load_ours, measure=_time)),
        Contestant("SQLAlchemy ORM", partial(_load_orm, measure=_time)),
        Contestant("raw sqlite3, tuples", partial(_load_raw, measure=_time)),
        Contestant("ours, collector off", partial(_load_ours, measure=_time, collector=False)),
        Contestant("SQLAlchemy ORM, collector off", partial(_load_orm, measure=_time, collector=False)),
    ),
    (
        Reach("SQLAlchemy ORM", at_least=3),
        Reach("SQLAlchemy ORM, collector off", contestant="ours, collector off"),
    ),
)
MEMORY = Row(
    "memory",
    f"memory for each of {MANY:,} segments loaded by one query",
    (
        Contestant("ours", partial(_alone, name="_load_ours")),
        Contestant("SQLAlchemy ORM", partial(_alone, name="_load_orm")),
    ),
    (Reach("SQLAlchemy ORM", at_most=0.6),),
    unit="B",
    rounds=2,
    quick_rounds=2,
)
