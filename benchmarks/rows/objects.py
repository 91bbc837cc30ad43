"""Load the children of one parent, and one object by its location."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row
from benchmarks.rows.segments import MANY, make_lab, orm_file

_LOOKUPS = 500


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
