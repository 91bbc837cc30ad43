"""The order of creation, kept by runs of consecutive ids."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gnode_orm.core.changes import ChangeSet, Delete
from gnode_orm.core.select import Select
from gnode_orm.ids import FIRST
from gnode_orm.location import Location
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.runs import runs_of
from tests.stores.rows import by, change, create, found, row, version, where

MANY = 2500


@pytest.fixture
def local(tmp_path) -> Iterator[Any]:
    store = open_local(tmp_path / "lab")
    yield store
    store.close()


def plan(store: Any, select: Select) -> list[str]:
    """What SQLite does for a query."""
    (text,) = store.explain(select, "ann")
    names = dict.fromkeys(("actor", "at", "limit", "offset", *(f"v{number}" for number in range(9))))
    with store._database.read() as transaction:
        return [step for *_, step in transaction.rows(f"EXPLAIN QUERY PLAN {text}", names)]


def pages(store: Any, select: Select) -> list[list[int]]:
    cut = []
    while True:
        page = store.select(select, "ann")
        cut.append([record[0] for record in page.rows])
        if page.cursor is None:
            return cut
        select = replace(select, after=page.cursor)


@pytest.mark.parametrize(
    ("ids", "runs"),
    [
        ([5], [(5, 5)]),
        ([7, 5, 6], [(5, 7)]),
        ([5, 6, 8, 9, 11], [(5, 6), (8, 9), (11, 11)]),
        (range(MANY), [(0, MANY - 1)]),
    ],
)
def test_consecutive_ids_are_one_run(ids, runs):
    assert runs_of(ids) == runs


@pytest.mark.parametrize("at", [False, True])
def test_pages_go_over_runs_commits_and_gaps(local, at):
    """The later commit has the lower ids, with gaps; every page begins where the last one ended."""
    late = range(FIRST + 10_000, FIRST + 10_000 + MANY)
    early = [FIRST + 3 * number for number in range(10)]
    for ids in (late, early):
        local.apply(ChangeSet(creates={"block": [row("block", id_) for id_ in ids]}), "ann")
    moment = version(local, "block", early[0])
    gone = late[1200]
    local.apply(ChangeSet(deletes=[Delete("block", gone, version(local, "block", gone))]), "ann")
    change(local, "block", late[3], name="changed")
    whole = [*late, *early] if at else [id_ for id_ in (*late, *early) if id_ != gone]
    select = Select("block", limit=700, at=moment if at else None)
    cut = pages(local, select)
    assert [len(page) for page in cut] == [700, 700, 700, len(whole) - 2100]
    assert [id_ for page in cut for id_ in page] == whole
    assert found(local, "block", at=select.at) == whole


def test_an_id_that_is_made_again_is_listed_once(local):
    block, other = create(local, "block"), create(local, "block")
    local.apply(ChangeSet(deletes=[Delete("block", block, version(local, "block", block))]), "ann")
    local.apply(ChangeSet(creates={"block": [row("block", block)]}), "ann")
    assert found(local, "block") == [other, block]


@pytest.mark.parametrize("condition", [None, where("index", "gt", 3)])
@pytest.mark.parametrize("at", [None, 1])
def test_lists_and_their_pages_are_read_in_order_without_sorting(local, condition, at):
    after = (1, 1) if at is None else (1, 1, 1)
    for select in (
        Select("segment", where=condition, at=at),
        Select("segment", where=condition, at=at, limit=1),
        Select("segment", where=condition, at=at, limit=1, after=after),
    ):
        steps = plan(local, select)
        assert not [step for step in steps if "ORDER BY" in step or step.startswith("SCAN segment")]


def test_children_of_a_parent_are_read_in_order_without_sorting(local):
    of_parent = where("block", "eq", Location.of_number("block", FIRST))
    steps = plan(local, Select("segment", where=of_parent, limit=1))
    assert "SEARCH segment_1 USING INDEX segment_block (block_id=?)" in steps
    assert not [step for step in steps if "ORDER BY" in step]


def test_children_in_the_past_are_found_by_an_index(local):
    of_parent = where("block", "eq", Location.of_number("block", FIRST))
    steps = plan(local, Select("segment", where=of_parent, at=1))
    assert {
        "SEARCH segment_1 USING INDEX segment_block (block_id=?)",
        "SEARCH segment_past_1 USING INDEX segment_past_block (block_id=?)",
    } <= set(steps)


def test_an_object_in_the_past_is_found_by_an_index(local):
    steps = plan(local, Select("segment", where=where("id", "eq", "1000000000"), at=1))
    assert "SEARCH segment_past_1 USING INDEX segment_past_id (id=?)" in steps


def test_another_order_is_sorted(local):
    assert "USE TEMP B-TREE FOR ORDER BY" in plan(local, Select("segment", order=(by("name"),)))
