"""The same work on PostgreSQL, beside DataJoint on the same server."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measuring import Contestant, Meter, Preparation, Reach, Round, Row
from benchmarks.rows.tree import BLOCKS, COUNT, EVENTS, SEGMENTS, build

MANY = 20_000
_GETS = 50
_SERVER = os.environ.get("GNODE_ORM_TEST_POSTGRES", "")


def _absent() -> str | None:
    return None if _SERVER else "no server: GNODE_ORM_TEST_POSTGRES names none"


@contextmanager
def _database() -> Iterator[str]:
    """Make a database of its own on the server."""
    import sqlalchemy as sa

    server = sa.create_engine(_SERVER, isolation_level="AUTOCOMMIT")
    name = f"bench_{secrets.token_hex(6)}"
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield sa.make_url(_SERVER).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        server.dispose()


@contextmanager
def _our_lab(folder: Path) -> Iterator[Any]:
    from gnode_orm import connect

    with _database() as target:
        lab = connect(target, arrays=str(folder / "arrays"))
        try:
            yield lab
        finally:
            lab.close()


@contextmanager
def _tree_ours(folder: Path) -> Iterator[Round]:
    with _our_lab(folder) as lab:

        def once(meter: Meter) -> None:
            with lab.session() as session, meter:
                build(session)
                session.commit()

        yield once


@contextmanager
def _tree_datajoint(_: Path) -> Iterator[Round]:
    from benchmarks.peers.datajoint_tables import opened

    offset = 0

    with _database() as target, opened(target) as (connection, *tables):

        def once(meter: Meter) -> None:
            nonlocal offset
            offset += COUNT
            with meter, connection.transaction:
                for table, rows in zip(tables, _dicts(offset), strict=True):
                    table.insert(rows)

        yield once


def _dicts(offset: int) -> tuple[list[Any], list[Any], list[Any]]:
    """Make the rows of one tree; ids begin at an offset."""
    blocks: list[Any] = []
    segments: list[Any] = []
    events: list[Any] = []
    for b in range(offset, offset + BLOCKS):
        blocks.append({"block_id": b, "name": f"block {b}"})
        for s in range(SEGMENTS):
            segment = offset + len(segments)
            segments.append({"segment_id": segment, "name": f"segment {s}", "index": s, "block_id": b})
            events += [
                {"event_id": (segment - offset) * EVENTS + e + offset, "label": f"event {e}", "time": e * 0.5,
                 "time_unit": "s", "segment_id": segment}
                for e in range(EVENTS)
            ]  # fmt: skip
    return blocks, segments, events


def _ours(read: Any) -> Preparation:
    @contextmanager
    def prepare(folder: Path) -> Iterator[Round]:
        from gnode_orm import Block, Segment

        with _our_lab(folder) as lab:
            with lab.session() as session:
                block = Block("b")
                segments = [Segment(f"segment {n}", index=n, block=block) for n in range(MANY)]
                session.add(block)
                session.commit()
                places = [segment.location for segment in segments]

            def once(meter: Meter) -> None:
                with lab.session() as session:
                    read(session, places, meter)

            yield once

    return prepare


def _load_ours(session: Any, _: list[Any], meter: Meter) -> None:
    from gnode_orm import Segment

    with meter:
        found = session.query(Segment).all()
    assert len(found) == MANY


def _get_ours(session: Any, places: list[Any], meter: Meter) -> None:
    chosen = random.sample(places, _GETS)
    with meter:
        for place in chosen:
            assert session.get(place) is not None
    meter.divide(_GETS)


def _datajoint(read: Any) -> Preparation:
    @contextmanager
    def prepare(_: Path) -> Iterator[Round]:
        from benchmarks.peers.datajoint_tables import opened

        with _database() as target, opened(target) as (_connection, block, segment, _event):
            block.insert1({"block_id": 1, "name": "b"})
            segment.insert({"segment_id": n, "name": f"segment {n}", "index": n, "block_id": 1} for n in range(MANY))
            yield lambda meter: read(segment, meter)

    return prepare


def _load_datajoint(segment: Any, meter: Meter) -> None:
    with meter:
        found = segment.to_dicts()
    assert len(found) == MANY


def _get_datajoint(segment: Any, meter: Meter) -> None:
    chosen = random.sample(range(MANY), _GETS)
    with meter:
        for number in chosen:
            assert (segment & {"segment_id": number}).fetch1()["index"] == number
    meter.divide(_GETS)


def _row(name: str, work: str, ours: Preparation, datajoint: Preparation) -> Row:
    return Row(
        name,
        f"{work}, on PostgreSQL",
        (
            Contestant("ours", ours, needs=("psycopg",), absent=_absent),
            Contestant("DataJoint", datajoint, needs=("datajoint", "psycopg2"), absent=_absent),
        ),
        (Reach("DataJoint"),),
    )


POSTGRES = (
    _row("postgres-tree", f"construct, add and commit a new tree of {COUNT:,} objects", _tree_ours, _tree_datajoint),
    _row("postgres-load", f"load {MANY:,} segments by one query", _ours(_load_ours), _datajoint(_load_datajoint)),
    _row("postgres-get", "get one segment by its address", _ours(_get_ours), _datajoint(_get_datajoint)),
)
