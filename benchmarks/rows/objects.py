"""Load many objects, the children of one parent, and one object by its location."""

from __future__ import annotations

import atexit
import gc
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row
from benchmarks.sizes import size

MANY = size(100_000, quick=20_000)
_LOOKUPS = 500


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


@contextmanager
def _collector(on: bool) -> Iterator[None]:
    if not on:
        gc.disable()
    try:
        yield
    finally:
        gc.enable()


# ---- loading


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
        "from benchmarks.rows import objects; meter = Meter()\n"
        f"with objects.{name}(Path(sys.argv[1]), objects._memory) as once: once(meter)\n"
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


# ---- children


@contextmanager
def _children(folder: Path, how: str) -> Iterator[Round]:
    from gnode_orm import Block, Segment, Session

    location = make_lab(folder, MANY)

    def once(meter: Meter) -> None:
        with Session(folder / "lab") as session:
            block = session.get(location)
            work: dict[str, Callable[[], Any]] = {
                "flat": lambda: session.query(Segment).all(),
                "lazy": lambda: list(block.segments),
                "eager": lambda: session.query(Block).with_("segments").all()[0].segments[0],
            }
            with meter:
                found = work[how]()
            assert how == "eager" or len(found) == MANY

    yield once


CHILDREN = Row(
    "children",
    f"{MANY:,} children of one parent, lazily and eagerly, beside the flat query",
    (
        Contestant("ours", partial(_children, how="lazy")),
        Contestant("ours, eager", partial(_children, how="eager")),
        Contestant("flat query", partial(_children, how="flat")),
    ),
    (Reach("flat query", at_most=1.2), Reach("flat query", at_most=1.2, contestant="ours, eager")),
)


# ---- one object


@contextmanager
def _get_ours(folder: Path) -> Iterator[Round]:
    from gnode_orm import Segment, connect

    make_lab(folder, MANY)
    with connect(folder / "lab") as lab:
        with lab.session() as session:
            rows = session.query(Segment).all()
            locations = [str(row.location) for row in random.Random(1).sample(rows, _LOOKUPS)]

        def once(meter: Meter) -> None:
            with lab.session() as session:
                with meter:
                    for location in locations:
                        session.get(location)
                meter.divide(_LOOKUPS)

        yield once


@contextmanager
def _get_raw(folder: Path) -> Iterator[Round]:
    """Look up the row of our own table: the same file, the same columns, no rights."""
    from gnode_orm.core.schema import SCHEMA

    make_lab(folder, MANY)
    connection = sqlite3.connect(folder / "lab" / "lab.sqlite", isolation_level=None)
    numbers = [number for (number,) in connection.execute("SELECT id FROM segment")]
    numbers = random.Random(1).sample(numbers, _LOOKUPS)
    columns = ["id", "rev", "born", "owner", *(name for item in SCHEMA["segment"].fields for name in item.read_columns)]
    names = ", ".join(f'"{name}"' for name in columns)
    text = f"SELECT {names} FROM segment WHERE id = ?"

    def once(meter: Meter) -> None:
        with meter:
            for number in numbers:
                connection.execute(text, (number,)).fetchall()
        meter.divide(_LOOKUPS)

    yield once
    connection.close()


@contextmanager
def _get_orm(folder: Path) -> Iterator[Round]:
    from sqlalchemy.orm import Session

    from benchmarks.peers.orm import Segment

    numbers = random.Random(1).sample(range(1, MANY), _LOOKUPS)
    with orm_file(folder, MANY) as engine:

        def once(meter: Meter) -> None:
            with Session(engine) as session:
                with meter:
                    for number in numbers:
                        session.get(Segment, number)
                meter.divide(_LOOKUPS)

        yield once


GET = Row(
    "get",
    f"get one of {MANY:,} segments by location, with a cold map",
    (
        Contestant("ours", _get_ours),
        Contestant("raw sqlite3", _get_raw),
        Contestant("SQLAlchemy ORM", _get_orm),
    ),
    (Reach("raw sqlite3", at_most=2.5),),
    rounds=9,
)
