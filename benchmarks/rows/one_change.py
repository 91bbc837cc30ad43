"""Commit one change among many loaded objects, beside the same statements on the driver alone."""

from __future__ import annotations

import itertools
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row
from benchmarks.rows.segments import MANY, make_lab, orm_file

_STEPS = 25
_numbers = itertools.count()


@contextmanager
def _ours(folder: Path, count: int) -> Iterator[Round]:
    from gnode_orm import Segment, Session

    make_lab(folder, count)
    with Session(folder / "lab") as session:
        loaded = session.query(Segment).all()

        def once(meter: Meter) -> None:
            for segment in loaded[:_STEPS]:
                segment.name = f"changed {next(_numbers)}"
                with meter:
                    session.commit()
            meter.divide(len(loaded[:_STEPS]))

        yield once


@contextmanager
def _orm(folder: Path, count: int) -> Iterator[Round]:
    import sqlalchemy as sa
    from sqlalchemy.orm import Session

    from benchmarks.peers.orm import Segment

    with orm_file(folder, count) as engine, Session(engine, expire_on_commit=False) as session:
        loaded = session.scalars(sa.select(Segment)).all()

        def once(meter: Meter) -> None:
            for segment in loaded[:_STEPS]:
                segment.name = f"changed {next(_numbers)}"
                with meter:
                    session.commit()
            meter.divide(_STEPS)

        yield once


class _Recorder:
    """Stands in for a connection, and takes down what runs on it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.statements: list[tuple[str, str, Any]] = []

    def execute(self, text: str, params: Any = ()) -> Any:
        self.statements.append(("execute", text, params))
        return self._connection.execute(text, params)

    def executemany(self, text: str, rows: Any) -> Any:
        self.statements.append(("executemany", text, rows))
        return self._connection.executemany(text, rows)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def _raw(folder: Path) -> Iterator[Round]:
    from gnode_orm import Segment, Session

    make_lab(folder, MANY)
    with Session(folder / "lab") as session:
        segment = session.query(Segment).limit(1).one()
        segment.name = "first"
        session.commit()
        database: Any = session.store._database  # type: ignore[attr-defined]
        recorder = database._idle[-1] = _Recorder(database._idle[-1])
        base = segment._state.version
        segment.name = "second"
        commit = session.commit()
        values = {"version": segment._state.version, "base": base, "id": commit.id, "name": "second"}
    raw = sqlite3.connect(folder / "lab" / "lab.sqlite", isolation_level=None)
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA synchronous = FULL")

    def once(meter: Meter) -> None:
        for _ in range(_STEPS):
            new = {
                "version": values["version"] + 1, "base": values["version"], "id": secrets.token_hex(16),
                "name": f"changed {next(_numbers)}",
            }  # fmt: skip
            ready = _renewed(recorder.statements, values, new)
            with meter:
                for method, text, params in ready:
                    found = getattr(raw, method)(text, params)
                    if method == "execute":
                        found.fetchall()
            recorder.statements[:], _ = ready, values.update(new)
        meter.divide(_STEPS)

    yield once
    raw.close()


def _renewed(statements: list[Any], old: dict[str, Any], new: dict[str, Any]) -> list[Any]:
    """Give the statements with the values of the next commit in place of those of the last."""
    table = {old[name]: new[name] for name in ("id", "name", "base", "version")}

    def renew(params: Any) -> Any:
        if isinstance(params, dict):
            return {name: renew(value) for name, value in params.items()}
        if isinstance(params, list | tuple):
            return type(params)(renew(value) for value in params)
        return table.get(params, params)

    return [(method, text, renew(params)) for method, text, params in statements]


ONE_CHANGE = Row(
    "one-change",
    f"commit 1 change among {MANY:,} loaded objects",
    (
        Contestant("ours", partial(_ours, count=MANY)),
        Contestant("ours, 10 loaded", partial(_ours, count=10)),
        Contestant("SQLAlchemy ORM, without expiry", partial(_orm, count=MANY)),
        Contestant("the same statements by raw sqlite3", _raw),
    ),
    (
        Reach("ours, 10 loaded", at_most=1.2),
        Reach("the same statements by raw sqlite3", over=0.3e-3),
    ),
    rounds=9,
)
