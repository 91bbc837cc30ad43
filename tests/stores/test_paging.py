"""Order, pages and eager paths."""

from __future__ import annotations

import pytest

from gnode_orm.core.changes import ChangeSet, Link
from gnode_orm.core.select import Select
from gnode_orm.errors import QueryError
from tests.stores.rows import by, change, create, found, ms, row, where


def pages(store, select, between=lambda: None):
    from dataclasses import replace

    ids = []
    while True:
        page = store.select(select, "ann")
        ids.append([record[0] for record in page.rows])
        if page.cursor is None:
            return ids
        select = replace(select, after=page.cursor)
        between()


@pytest.mark.needs("Ids and versions")
def test_objects_come_in_the_order_of_creation(store):
    rows = [row("block", name=name) for name in "cab"]
    store.apply(ChangeSet(creates={"block": rows}), "ann")
    later = create(store, "block")
    change(store, "block", rows[0][0], name="moved")
    assert found(store, "block") == [*(made[0] for made in rows), later]


def test_nulls_come_last_in_both_directions(store):
    blocks = {name: create(store, "block", name=name) for name in ("b", None, "a", "B", "ä")}
    rising = [blocks[name] for name in ("B", "a", "b", "ä")]
    assert found(store, "block", order=(by("name"),)) == [*rising, blocks[None]]
    assert found(store, "block", order=(by("name", descending=True),)) == [*reversed(rising), blocks[None]]


def test_several_keys_and_ties_by_creation(store):
    blocks = [
        create(store, "block", name=name, index=index) for name, index in (("a", 1), ("b", 1), ("a", 2), ("a", 1))
    ]
    order = (by("index", descending=True), by("name"))
    assert found(store, "block", order=order) == [blocks[2], blocks[0], blocks[3], blocks[1]]


def test_limit_and_offset_cut(store):
    blocks = [create(store, "block") for _ in range(5)]
    assert found(store, "block", limit=2, offset=1) == blocks[1:3]
    assert found(store, "block", offset=3) == blocks[3:]
    assert found(store, "block", limit=0) == []
    assert store.count(Select("block", limit=2, offset=1), "ann") == 5


@pytest.mark.parametrize(
    "order",
    [
        (),
        (by("name"),),
        pytest.param((by("name", descending=True), by("time")), marks=pytest.mark.needs("Order")),
    ],
)
def test_pages_join_to_the_whole_in_every_order(store, order):
    for number in range(11):
        create(store, "event", name=[None, "x", "y"][number % 3], time=None if number % 4 == 0 else ms(number))
    whole = found(store, "event", order=order)
    cut = pages(store, Select("event", order=order, limit=2))
    assert [len(page) for page in cut] == [2, 2, 2, 2, 2, 1]
    assert [id_ for page in cut for id_ in page] == whole


def test_the_last_full_page_has_no_cursor(store):
    for _ in range(4):
        create(store, "block")
    assert [len(page) for page in pages(store, Select("block", limit=2))] == [2, 2]


def test_pages_neither_repeat_nor_lose_while_others_write(store):
    blocks = [create(store, "block", name="x") for _ in range(6)]
    select = Select("block", where=where("name", "eq", "x"), limit=2)
    cut = pages(store, select, lambda: create(store, "block", name="y"))
    assert [id_ for page in cut for id_ in page] == blocks


def test_a_cursor_of_another_order_is_refused(store):
    with pytest.raises(QueryError, match="another order"):
        store.select(Select("block", order=(by("name"),), after=(1, 2)), "ann")


def recording(store):
    blocks = [create(store, "block", name=str(number)) for number in range(3)]
    segments = [create(store, "segment", block=block) for block in blocks for _ in range(2)]
    events = [create(store, "event", segment=segment) for segment in segments]
    return blocks, segments, events


def test_eager_paths_follow_collections_of_the_page_alone(store):
    blocks, segments, events = recording(store)
    page = store.select(Select("block", limit=1, offset=1, eager=("segments.events",)), "ann")
    assert [record[0] for record in page.rows] == blocks[1:2]
    assert [(rows.path, rows.kind, rows.links) for rows in page.eager] == [
        ("segments", "segment", None),
        ("segments.events", "event", None),
    ]
    assert [[record[0] for record in rows.rows] for rows in page.eager] == [segments[2:4], events[2:4]]


def test_eager_paths_follow_references_once(store):
    blocks, segments, _ = recording(store)
    page = store.select(Select("event", eager=("segment.block", "segment")), "ann")
    assert [[record[0] for record in rows.rows] for rows in page.eager] == [segments, blocks]


@pytest.mark.needs("Channels and their groups")
def test_eager_many_to_many_gives_the_pairs(store):
    block = create(store, "block")
    groups = [create(store, "recordingchannelgroup", block=block) for _ in range(2)]
    channels = [create(store, "recordingchannel") for _ in range(2)]
    pairs = [(groups[1], channels[1]), (groups[0], channels[1]), (groups[0], channels[0])]
    store.apply(ChangeSet(links=[Link(channel, group, True) for group, channel in pairs]), "ann")
    page = store.select(Select("recordingchannelgroup", eager=("recordingchannels",)), "ann")
    assert page.eager[0].links == pairs
    assert sorted(record[0] for record in page.eager[0].rows) == channels
    back = store.select(Select("recordingchannel", eager=("recordingchannelgroups",)), "ann")
    assert back.eager[0].links == [(channel, group) for group, channel in pairs]


def test_an_eager_path_without_meaning_is_refused(store):
    with pytest.raises(QueryError, match="did you mean 'segments'"):
        store.select(Select("block", eager=("segment",)), "ann")


@pytest.mark.needs("Conditions")
def test_explaining_gives_one_statement_for_each_step(store):
    texts = store.explain(Select("block", eager=("segments.events", "recordingchannelgroups")), "ann")
    statements = [text for text in texts if "SELECT" in text]
    requests = [text for text in texts if text not in statements]
    assert len(statements) == 4
    if requests:
        (request,) = requests
        assert request.startswith(f"POST {store.target}/api/v1/additions/select ")
        assert "segments.events" in request
