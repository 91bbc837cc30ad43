"""The past stays readable: objects, relations, memberships, arrays."""

from __future__ import annotations

import numpy as np
import pytest

from gnode_orm.core.arrayhash import array_hash
from gnode_orm.core.changes import ChangeSet, Delete, Link
from gnode_orm.core.select import AnyOf, Select
from gnode_orm.errors import NotFound
from tests.stores.rows import by, change, create, field, found, inline, new_id, row, version, where

pytestmark = pytest.mark.needs("The past")


def test_a_version_reads_as_it_was(store):
    block = create(store, "block", name="a")
    first = version(store, "block", block)
    second = change(store, "block", block, name="b").version
    gone = store.apply(ChangeSet(deletes=[Delete("block", block, second)]), "ann").version
    names = {
        at: [field("block", record, "name") for record in store.get("block", [block], "ann", at)]
        for at in (first - 1, first, second - 1, second, gone - 1, gone)
    }
    assert names == {first - 1: [], first: ["a"], second - 1: ["a"], second: ["b"], gone - 1: ["b"], gone: []}


def test_queries_of_the_past_join_the_past(store):
    block = create(store, "block", name="old")
    segment = create(store, "segment", block=block, name="s")
    at = version(store, "segment", segment)
    other = create(store, "block", name="other")
    change(store, "block", block, name="new")
    change(store, "segment", segment, block=other)
    old, new = where("block.name", "eq", "old"), where("block.name", "eq", "other")
    assert found(store, "segment", old, at=at) == [segment]
    assert found(store, "segment", new, at=at) == []
    assert found(store, "segment", old) == []
    assert found(store, "segment", new) == [segment]
    members = AnyOf((), "segments", where("name", "eq", "s"))
    assert found(store, "block", members, at=at) == [block]
    assert found(store, "block", members) == [other]
    assert found(store, "segment", order=(by("block.name"),), at=at) == [segment]
    page = store.select(Select("block", eager=("segments",), at=at), "ann")
    assert [field("block", record, "name") for record in page.rows] == ["old"]
    assert [record[0] for record in page.eager[0].rows] == [segment]


def test_paging_works_in_the_past(store):
    blocks = [create(store, "block", name="x") for _ in range(5)]
    at = version(store, "block", blocks[-1])
    for block in blocks[:2]:
        change(store, "block", block, name="y")
    page = store.select(Select("block", where=where("name", "eq", "x"), limit=3, at=at), "ann")
    rest = store.select(Select("block", where=where("name", "eq", "x"), limit=3, at=at, after=page.cursor), "ann")
    assert [record[0] for record in (*page.rows, *rest.rows)] == blocks


def test_memberships_of_the_past(store):
    group = create(store, "recordingchannelgroup")
    channel = create(store, "recordingchannel")
    before = version(store, "recordingchannel", channel)
    linked = store.apply(ChangeSet(links=[Link(channel, group, True)]), "ann").version
    left = store.apply(ChangeSet(links=[Link(channel, group, False)]), "ann").version
    store.apply(ChangeSet(links=[Link(channel, group, True)]), "ann")
    seen = [store.links([channel], [], "ann", at) for at in (before, linked, left, None)]
    assert seen == [[], [(channel, group)], [], [(channel, group)]]
    member = AnyOf((), "recordingchannels", where("id", "eq", channel))
    assert found(store, "recordingchannelgroup", member, at=linked) == [group]
    assert found(store, "recordingchannelgroup", member, at=left) == []


def test_arrays_of_the_past(store):
    first, data = inline(np.arange(3.0), "mV")
    signal = create(store, "analogsignal", signal=first, arrays=data)
    at = version(store, "analogsignal", signal)
    second, data = inline(np.arange(4.0), "mV")
    store.apply(
        ChangeSet(
            updates=[_update(signal, at, second)],
            arrays=data,
        ),
        "ann",
    )
    (record,) = store.get("analogsignal", [signal], "ann", at)
    assert field("analogsignal", record, "signal_hash") == first.hash == array_hash(np.arange(3.0))
    assert store.read_array(first).tolist() == [0, 1, 2]


def _update(signal, base, ref):
    from gnode_orm.core.changes import Update

    return Update("analogsignal", signal, base, {"signal_hash": ref.hash, "signal_type": ref.type_text})


def test_history_tells_every_version_with_its_commit(store):
    made = row("block", name="a")
    first = store.apply(ChangeSet(creates={"block": [made]}, message="made"), "ann")
    store.set_access("block", made[0], {"bob": "write"}, "ann")
    second = change(store, "block", made[0], by="bob", name="b")
    third = store.apply(ChangeSet(deletes=[Delete("block", made[0], second.version)], message="gone"), "ann")
    versions = store.history("block", made[0], "ann")
    assert [(item.commit, item.version, item.user, item.message) for item in versions] == [
        (first.id, first.version, "ann", "made"),
        (second.id, second.version, "bob", None),
        (third.id, third.version, "ann", "gone"),
    ]
    assert [item.row and field("block", item.row, "name") for item in versions] == ["a", "b", None]
    assert versions[0].row == store.get("block", [made[0]], "ann", first.version)[0]


def test_a_deleted_object_can_come_back_under_its_id(store):
    block = create(store, "block", name="a")
    store.apply(ChangeSet(deletes=[Delete("block", block, version(store, "block", block))]), "ann")
    store.apply(ChangeSet(creates={"block": [row("block", block, name="again")]}), "ann")
    assert [item.row and field("block", item.row, "name") for item in store.history("block", block, "ann")] == [
        "a",
        None,
        "again",
    ]


def test_what_never_was_has_no_history(store):
    with pytest.raises(NotFound, match="block/"):
        store.history("block", new_id(), "ann")


def test_an_object_created_and_unlinked_in_one_change_set_has_one_version(store):
    group = create(store, "recordingchannelgroup")
    unit = create(store, "unit", recordingchannelgroup=group)
    train = row("spiketrain", unit=unit)
    store.apply(
        ChangeSet(creates={"spiketrain": [train]}, deletes=[Delete("unit", unit, version(store, "unit", unit))]), "ann"
    )
    assert len(store.history("spiketrain", train[0], "ann")) == 1
