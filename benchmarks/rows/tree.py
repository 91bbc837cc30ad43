"""Construct, add and commit a new tree of blocks, segments and events: 10,240 objects in a full run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.measuring import Contestant, Meter, Reach, Row, fresh
from benchmarks.sizes import size

BLOCKS, SEGMENTS, EVENTS = size(10, quick=4), 33, 30
COUNT = BLOCKS * (1 + SEGMENTS * (1 + EVENTS))


def build(session: Any) -> None:
    """Construct the tree of our models and add it."""
    from gnode_orm import Block, Event, Segment

    for b in range(BLOCKS):
        block = Block(f"block {b}")
        for s in range(SEGMENTS):
            segment = Segment(f"segment {s}", index=s, block=block)
            for e in range(EVENTS):
                Event(label=f"event {e}", time=(e * 0.5, "s"), segment=segment)
        session.add(block)


def _ours(folder: Path, meter: Meter) -> None:
    from gnode_orm import Event, Session

    with Session(folder / "lab") as session:
        with meter:
            build(session)
            session.commit()
        assert session.query(Event).count() == BLOCKS * SEGMENTS * EVENTS


def _orm(folder: Path, meter: Meter) -> None:
    from sqlalchemy.orm import Session

    from benchmarks.peers.orm import Block, Event, Segment, engine_at

    engine = engine_at(folder / "orm.sqlite")
    with Session(engine) as session, meter:
        for b in range(BLOCKS):
            block = Block(name=f"block {b}")
            for s in range(SEGMENTS):
                segment = Segment(name=f"segment {s}", index=s, block=block)
                for e in range(EVENTS):
                    Event(label=f"event {e}", time=e * 0.5, time_unit="s", segment=segment)
            session.add(block)
        session.commit()
    engine.dispose()


def _sqlmodel(folder: Path, meter: Meter) -> None:
    from sqlmodel import Session

    from benchmarks.peers.sqlmodels import Block, Event, Segment, engine_at

    engine = engine_at(folder / "sqlmodel.sqlite")
    with Session(engine) as session, meter:
        for b in range(BLOCKS):
            block = Block(name=f"block {b}")
            for s in range(SEGMENTS):
                segment = Segment(name=f"segment {s}", index=s, block=block)
                for e in range(EVENTS):
                    Event(label=f"event {e}", time=e * 0.5, time_unit="s", segment=segment)
            session.add(block)
        session.commit()
    engine.dispose()


def _rows() -> tuple[list[tuple[object, ...]], list[tuple[object, ...]], list[tuple[object, ...]]]:
    blocks: list[tuple[object, ...]] = []
    segments: list[tuple[object, ...]] = []
    events: list[tuple[object, ...]] = []
    for b in range(BLOCKS):
        blocks.append((b, f"block {b}"))
        for s in range(SEGMENTS):
            segment = len(segments)
            segments.append((segment, f"segment {s}", s, None, b))
            events += [(segment * EVENTS + e, f"event {e}", e * 0.5, "s", segment) for e in range(EVENTS)]
    return blocks, segments, events


def _core(folder: Path, meter: Meter) -> None:
    from benchmarks.peers.orm import Block, Event, Segment, engine_at

    engine = engine_at(folder / "core.sqlite")
    with meter, engine.begin() as connection:
        for model, rows in zip((Block, Segment, Event), _rows(), strict=True):
            names = [column.name for column in model.__table__.columns]
            connection.execute(model.__table__.insert(), [dict(zip(names, row, strict=True)) for row in rows])
    engine.dispose()


def _raw(folder: Path, meter: Meter) -> None:
    from benchmarks.peers.plain import connect

    connection = connect(folder / "raw.sqlite")
    blocks, segments, events = _rows()
    with meter:
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO block VALUES (?, ?)", blocks)
        connection.executemany("INSERT INTO segment VALUES (?, ?, ?, ?, ?)", segments)
        connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?)", events)
        connection.execute("COMMIT")
    connection.close()


TREE = Row(
    "tree",
    f"construct, add and commit a new tree of {COUNT:,} objects",
    (
        Contestant("ours", fresh(_ours)),
        Contestant("SQLAlchemy ORM", fresh(_orm)),
        Contestant("SQLModel", fresh(_sqlmodel), needs=("sqlmodel",)),
        Contestant("SQLAlchemy Core", fresh(_core)),
        Contestant("raw sqlite3", fresh(_raw)),
    ),
    (Reach("SQLAlchemy ORM", at_least=5), Reach("raw sqlite3", at_most=4)),
)
