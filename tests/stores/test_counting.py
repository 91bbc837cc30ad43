"""Counting rows by the objects above them."""

from __future__ import annotations

import pytest

from gnode_orm.core.changes import ChangeSet, Update
from gnode_orm.core.select import Select
from gnode_orm.errors import QueryError
from gnode_orm.location import Location
from tests.stores.rows import columns, create, version, where


def tree(store, *counts):
    """Blocks with one segment each, and events below them; gives the ids of blocks and segments."""
    blocks, segments = [], []
    for count in counts:
        blocks.append(create(store, "block"))
        segments.append(create(store, "segment", block=blocks[-1]))
        for _ in range(count):
            create(store, "event", segment=segments[-1])
    return blocks, segments


def test_rows_are_counted_by_what_a_foreign_key_leads_to(store):
    blocks, segments = tree(store, 3, 0, 1)
    assert store.count_by(Select("event"), ("segment",), "ann") == {segments[0]: 3, segments[2]: 1}
    assert store.count_by(Select("segment"), ("block",), "ann") == dict.fromkeys(blocks, 1)


def test_rows_are_counted_along_a_path(store):
    blocks, _ = tree(store, 3, 0, 1)
    assert store.count_by(Select("event"), ("segment", "block"), "ann") == {blocks[0]: 3, blocks[2]: 1}


def test_what_leads_nowhere_is_not_counted(store):
    create(store, "event")
    create(store, "event", segment=create(store, "segment"))
    assert store.count_by(Select("event"), ("segment", "block"), "ann") == {}


def test_a_condition_chooses_what_is_counted(store):
    blocks, _ = tree(store, 2, 2)
    create(store, "event", label="x", segment=create(store, "segment", block=blocks[1]))
    assert store.count_by(Select("event", where("label", "eq", "x")), ("segment", "block"), "ann") == {blocks[1]: 1}
    among = where("segment.block", "in", (Location.of_number("block", blocks[0]),))
    assert store.count_by(Select("event", among), ("segment", "block"), "ann") == {blocks[0]: 2}


def test_what_others_keep_private_is_not_counted(store):
    tree(store, 2)
    assert store.count_by(Select("event"), ("segment", "block"), "bob") == {}


@pytest.mark.needs("The past")
def test_the_past_is_counted_as_it_was(store):
    _, segments = tree(store, 1, 0)
    event = store.select(Select("event"), "ann").rows[0][0]
    before = version(store, "event", event)
    moved = Update("event", event, before, columns("event", segment=segments[1]))
    store.apply(ChangeSet(updates=[moved]), "ann")
    assert store.count_by(Select("event"), ("segment",), "ann") == {segments[1]: 1}
    assert store.count_by(Select("event", at=before), ("segment",), "ann") == {segments[0]: 1}


@pytest.mark.parametrize("path", [("name",), ("segment", "label"), ("segmant",)])
def test_a_path_over_anything_but_foreign_keys_is_refused(store, path):
    with pytest.raises(QueryError, match="is not a foreign key"):
        store.count_by(Select("event"), path, "ann")
