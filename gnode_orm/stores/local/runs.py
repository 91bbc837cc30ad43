"""The order of creation. A run is what one commit made of one kind with consecutive ids.

SQLite lists objects by walking over the runs, in the order of their commits, and over the ids within each: it needs no
index of every row by its commit, neither the space for it nor the time to write it. PostgreSQL would not see that such
a walk is in order and has that index instead; runs are kept there too, for a lab may move.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from gnode_orm.stores.local.database import Transaction
from gnode_orm.stores.local.tables import lab_tables


def record_runs(transaction: Transaction, kind: str, born: int, ids: Iterable[int]) -> None:
    """Write the runs of new objects."""
    rows = [(kind, born, first, last) for first, last in runs_of(ids)]
    transaction.insert("run", ("kind", "born", "first", "last"), rows)


def runs_of(ids: Iterable[int]) -> list[tuple[int, int]]:
    """Give first and last of each run of consecutive ids."""
    numbers = sorted(ids)
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return [(numbers[0], numbers[-1])]
    gaps = [place for place, (one, other) in enumerate(pairwise(numbers), 1) if other != one + 1]
    return [(numbers[start], numbers[end - 1]) for start, end in pairwise([0, *gaps, len(numbers)])]


@dataclass(frozen=True)
class Cursor:
    """The version and the id, both bound, behind which a page begins."""

    born: ColumnElement[Any]
    id: ColumnElement[Any]


def walk(table: FromClause, kind: str, behind: Cursor | None) -> tuple[FromClause, list[ColumnElement[bool]]]:
    """Lead to the rows of a table by their runs; gives the runs and the conditions that join them.

    Ordered by ``born`` and ``first`` of the run and the id, they come without sorting.
    """
    run = lab_tables().run.alias()
    first: ColumnElement[Any] = run.c.first
    conditions = [run.c.kind == sa.literal_column(f"'{kind}'")]
    if behind is not None:
        started = sa.and_(run.c.born == behind.born, run.c.first <= behind.id)
        first = sa.case((started, behind.id + sa.literal_column("1")), else_=run.c.first)
        conditions += [run.c.born >= behind.born, sa.or_(run.c.born > behind.born, run.c.last > behind.id)]
    # An id may be made again after its object was deleted, and then belongs to two runs. With an equality, which is as
    # good as a key, SQLite would no longer see that what was comes in order.
    conditions += [table.c.id.between(first, run.c.last), table.c.born.between(run.c.born, run.c.born)]
    return run, conditions
