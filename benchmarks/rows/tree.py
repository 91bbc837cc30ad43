"""Construct, add and commit a new tree of blocks, segments and events: 10,240 objects in a full run."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from benchmarks.measuring import Contestant, Meter, Reach, Row, fresh
from benchmarks.sizes import size

BLOCKS, SEGMENTS, EVENTS = size(10, quick=4), 33, 30
COUNT = BLOCKS * (1 + SEGMENTS * (1 + EVENTS))
FIRST = 32**9  # the lowest id
_VERSION, _OWNER = 1_790_000_000_000_000, "ann"


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


_COLUMNS = {
    "block": "id, name, safety_level",
    "segment": 'id, name, "index", block_id',
    "event": "id, label, time, time_unit, time_si, segment_id",
}


def _rows_of_a_lab() -> dict[str, list[tuple[object, ...]]]:
    """The rows that ours writes, with version, owner and root of each, and what a lab keeps beside them."""
    rows: dict[str, list[tuple[object, ...]]] = {"block": [], "segment": [], "event": []}
    meta = (_VERSION, _VERSION, _OWNER)
    for b in range(BLOCKS):
        block = FIRST + b
        rows["block"].append((block, f"block {b}", 3, *meta, block))
        for s in range(SEGMENTS):
            segment = FIRST + len(rows["segment"])
            rows["segment"].append((segment, f"segment {s}", s, block, *meta, block))
            first = FIRST + len(rows["event"])
            rows["event"] += [
                (first + e, f"event {e}", e * 0.5, "s", e * 0.5, segment, *meta, block) for e in range(EVENTS)
            ]
    return rows


def _raw_all_columns(folder: Path, meter: Meter) -> None:
    from gnode_orm import Event, Session

    Session(folder / "lab").close()
    connection = sqlite3.connect(folder / "lab" / "lab.sqlite", isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    with meter:
        rows = _rows_of_a_lab()
        connection.execute("BEGIN")
        connection.execute("INSERT INTO account (name) VALUES (?)", (_OWNER,))
        change_set = (_VERSION, "0" * 32, bytes(32), _OWNER)
        connection.execute("INSERT INTO change_set (seq, id, digest, actor) VALUES (?, ?, ?, ?)", change_set)
        for kind, columns in _COLUMNS.items():
            places = ", ".join("?" * len(rows[kind][0]))
            text = f"INSERT INTO {kind} ({columns}, rev, born, owner, root) VALUES ({places})"
            connection.executemany(text, rows[kind])
            run = (kind, _VERSION, rows[kind][0][0], rows[kind][-1][0])
            connection.execute("INSERT INTO run VALUES (?, ?, ?, ?)", run)
        roots = [("block", row[0], _OWNER, 3) for row in rows["block"]]
        connection.executemany("INSERT INTO root VALUES (?, ?, ?, ?)", roots)
        connection.execute("COMMIT")
    connection.close()
    with Session(folder / "lab", username=_OWNER) as session:
        assert len(session.query(Event).all()) == BLOCKS * SEGMENTS * EVENTS


TREE = Row(
    "tree",
    f"construct, add and commit a new tree of {COUNT:,} objects",
    (
        Contestant("ours", fresh(_ours)),
        Contestant("SQLAlchemy ORM", fresh(_orm)),
        Contestant("SQLModel", fresh(_sqlmodel), needs=("sqlmodel",)),
        Contestant("SQLAlchemy Core", fresh(_core)),
        Contestant("raw sqlite3", fresh(_raw)),
        Contestant("raw sqlite3, all columns", fresh(_raw_all_columns)),
    ),
    (
        Reach("SQLAlchemy ORM", at_least=5),
        Reach("raw sqlite3", at_most=4),
        Reach("raw sqlite3, all columns", at_most=4),
    ),
)
