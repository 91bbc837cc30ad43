"""Deleting protects children, unlinks optional references, and keeps everything as past."""

from __future__ import annotations

import pytest

from gnode_orm.core.changes import ChangeSet, Delete, Link, StaleRows
from gnode_orm.errors import AccessDenied, IntegrityError
from tests.stores.rows import change, create, field, found, row, version


def delete(store, kind, id_, cascade=None, by="ann"):
    return store.apply(ChangeSet(deletes=[Delete(kind, id_, version(store, kind, id_, by), cascade)]), by)


def recording(store):
    block = create(store, "block")
    segments = [create(store, "segment", block=block) for _ in range(2)]
    group = create(store, "recordingchannelgroup", block=block)
    unit = create(store, "unit", recordingchannelgroup=group)
    trains = [create(store, "spiketrain", segment=segments[0], unit=unit) for _ in range(3)]
    return block, segments, group, unit, trains


def test_a_parent_with_children_is_protected(store):
    block, segments, *_ = recording(store)
    with pytest.raises(IntegrityError, match="2 Segment, 1 RecordingChannelGroup") as caught:
        delete(store, "block", block)
    assert caught.value.counts == {"segment": 2, "recordingchannelgroup": 1}
    with pytest.raises(IntegrityError, match="3 SpikeTrain"):
        delete(store, "segment", segments[0])
    assert len(found(store, "block")) == 1


def test_a_leaf_is_deleted(store):
    *_, trains = recording(store)
    delete(store, "spiketrain", trains[0])
    assert found(store, "spiketrain") == trains[1:]


def test_parents_go_with_children_deleted_in_the_same_change_set(store):
    block = create(store, "block")
    segment = create(store, "segment", block=block)
    gone = [Delete(kind, id_, version(store, kind, id_)) for kind, id_ in (("segment", segment), ("block", block))]
    store.apply(ChangeSet(deletes=gone), "ann")
    assert found(store, "segment") == found(store, "block") == []


def test_a_cascading_delete_takes_the_tree_that_its_preview_counted(store):
    block, *_ = recording(store)
    preview = store.preview_delete("block", block, "ann")
    assert preview.children == {"segment": 2, "recordingchannelgroup": 1, "unit": 1, "spiketrain": 3}
    assert (preview.unlinked, preview.owners) == ({}, {"ann": 7})
    delete(store, "block", block, preview)
    for kind in ("block", "segment", "recordingchannelgroup", "unit", "spiketrain"):
        assert found(store, kind) == []


@pytest.mark.parametrize("happening", ["changed", "added", "removed"])
def test_a_tree_that_changed_since_its_preview_is_not_deleted(store, happening):
    block, segments, *_ = recording(store)
    preview = store.preview_delete("block", block, "ann")
    if happening == "changed":
        change(store, "segment", segments[1], name="x")
    elif happening == "added":
        create(store, "segment", block=block)
    else:
        delete(store, "segment", segments[1])
    with pytest.raises(IntegrityError, match="changed since the preview"):
        delete(store, "block", block, preview)
    assert found(store, "block") == [block]


@pytest.mark.needs("Deleting what others refer to")
def test_optional_references_become_null_and_never_cascade(store):
    _, _, _, unit, trains = recording(store)
    before = version(store, "spiketrain", trains[0])
    assert store.preview_delete("unit", unit, "ann").unlinked == {"spiketrain": 3}
    receipt = delete(store, "unit", unit)
    (record,) = store.get("spiketrain", [trains[0]], "ann")
    assert field("spiketrain", record, "unit_id") is None
    assert record[1] == receipt.version > before
    (then,) = store.get("spiketrain", [trains[0]], "ann", before)
    assert field("spiketrain", then, "unit_id") == unit


@pytest.mark.needs("Deleting what others refer to")
def test_metadata_is_unlinked_from_every_kind(store):
    document = create(store, "document")
    section = create(store, "section", document=document)
    block = create(store, "block", metadata=section)
    segment = create(store, "segment", block=block, metadata=section)
    preview = store.preview_delete("document", document, "ann")
    assert (preview.children, preview.unlinked) == ({"section": 1}, {"block": 1, "segment": 1})
    delete(store, "document", document, preview)
    assert field("block", store.get("block", [block], "ann")[0], "metadata_id") is None
    assert field("segment", store.get("segment", [segment], "ann")[0], "metadata_id") is None


@pytest.mark.needs("Channels and their groups")
def test_memberships_of_deleted_channels_and_groups_end(store):
    block = create(store, "block")
    groups = [create(store, "recordingchannelgroup", block=block) for _ in range(2)]
    channels = [create(store, "recordingchannel") for _ in range(2)]
    store.apply(ChangeSet(links=[Link(channel, group, True) for channel in channels for group in groups]), "ann")
    at = store.apply(ChangeSet(creates={"block": [row("block")]}), "ann").version
    delete(store, "recordingchannel", channels[0])
    assert store.links(channels, groups, "ann") == [(channels[1], group) for group in groups]
    delete(store, "recordingchannelgroup", groups[0])
    assert store.links(channels, groups, "ann") == [(channels[1], groups[1])]
    assert len(store.links(channels, groups, "ann", at)) == 4


def test_nested_sections_are_deleted_together(store):
    top = create(store, "section")
    inner = create(store, "section", section=top)
    create(store, "property", section=inner)
    with pytest.raises(IntegrityError, match="1 Section"):
        delete(store, "section", top)
    delete(store, "section", top, store.preview_delete("section", top, "ann"))
    assert found(store, "section") == found(store, "property") == []


def test_an_outdated_delete_is_stale(store):
    block = create(store, "block")
    base = version(store, "block", block)
    change(store, "block", block, name="x")
    with pytest.raises(StaleRows):
        store.apply(ChangeSet(deletes=[Delete("block", block, base)]), "ann")


def test_deleting_needs_writing(store):
    block = create(store, "block", safety_level=1)
    with pytest.raises(AccessDenied):
        delete(store, "block", block, by="bob")


@pytest.mark.needs("Ids and versions")
def test_creating_updating_and_deleting_go_together_in_one_change_set(store):
    block, segments, *_ = recording(store)
    other = row("block")
    base = version(store, "segment", segments[1])
    from gnode_orm.core.changes import Update

    store.apply(
        ChangeSet(
            creates={"block": [other]},
            updates=[Update("segment", segments[1], base, {"block_id": other[0]})],
            deletes=[
                Delete("spiketrain", id_, version(store, "spiketrain", id_)) for id_ in found(store, "spiketrain")
            ],
        ),
        "ann",
    )
    assert found(store, "spiketrain") == []
    assert store.preview_delete("block", other[0], "ann").children == {"segment": 1}
    assert block in found(store, "block")


@pytest.mark.needs("Rights and lists")
@pytest.mark.needs("Deleting what others refer to")
def test_what_the_deleter_cannot_read_is_unlinked_and_not_told(store):
    document = create(store, "document", safety_level=1)
    section = create(store, "section", document=document)
    theirs, mine = create(store, "block", by="bob", metadata=section), create(store, "block", metadata=section)
    told = store.preview_delete("section", section, "ann")
    assert told.unlinked == {"block": 1}
    another = create(store, "block", by="bob", metadata=section)
    assert store.preview_delete("section", section, "ann") == told
    store.apply(ChangeSet(deletes=[Delete("section", section, version(store, "section", section), told)]), "ann")
    rows = [store.get("block", [id_], by)[0] for id_, by in ((theirs, "bob"), (another, "bob"), (mine, "ann"))]
    assert [field("block", row, "metadata_id") for row in rows] == [None] * 3


@pytest.mark.needs("Rights and lists")
def test_children_that_the_deleter_cannot_read_stand_in_the_way_and_are_not_counted(store):
    block = create(store, "block")
    store.set_access("block", block, {"bob": "write"}, "ann")
    segment = create(store, "segment", block=block)
    create(store, "event", by="bob", segment=segment, label="secret")
    change(store, "segment", segment, block=None)
    told = store.preview_delete("segment", segment, "ann")
    assert (told.children, told.owners) == ({}, {})
    with pytest.raises(IntegrityError, match="what others made") as caught:
        delete(store, "segment", segment)
    assert caught.value.counts == {}
    delete(store, "segment", segment, cascade=told)
    assert found(store, "event", by="bob") == []
