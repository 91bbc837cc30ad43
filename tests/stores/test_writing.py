"""Change sets are written whole, once, and only onto what they were based on."""

from __future__ import annotations

import pytest

from gnode_orm.core.changes import ChangeSet, Delete, IdTaken, Link, StaleRows, Update
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import CycleError, IntegrityError, NotFound, ValidationFailed
from tests.stores.rows import change, columns, create, field, found, new_id, row, version, where


@pytest.mark.needs("Every field")
def test_every_kind_is_written_and_read_back(store):
    ids = {kind: new_id() for kind in SCHEMA}
    creates = {}
    for kind, spec in SCHEMA.items():
        refs = {ref.name: ids[ref.target] for ref in spec.refs if ref.target != kind}
        creates[kind] = [row(kind, ids[kind], **refs)]
    receipt = store.apply(ChangeSet(creates=creates, message="all"), "ann")
    for kind, id_ in ids.items():
        (record,) = store.get(kind, [id_], "ann")
        assert record[:4] == (id_, receipt.version, receipt.version, "ann")
        assert len(record) == len(SCHEMA[kind].record_columns)
        for ref in SCHEMA[kind].refs:
            if ref.target != kind:
                assert field(kind, record, f"{ref.name}_id") == ids[ref.target]


@pytest.mark.needs("Who, when and why")
def test_a_receipt_names_version_user_and_message(store):
    changes = ChangeSet(creates={"block": [row("block")]}, message="first")
    receipt = store.apply(changes, "ann")
    assert (receipt.id, receipt.user, receipt.message) == (changes.id, "ann", "first")
    assert store.receipt(changes.id, "ann") == receipt
    assert store.receipt(changes.id, "bob") is None
    assert store.version_at(changes.id) == receipt.version
    assert store.version_at("unknown") is None


def test_versions_rise_strictly(store):
    versions = [store.apply(ChangeSet(creates={"block": [row("block")]}), "ann").version for _ in range(20)]
    assert versions == sorted(set(versions))


def test_a_change_set_sent_again_is_written_once(store):
    changes = ChangeSet(creates={"block": [row("block", name="once")]})
    first = store.apply(changes, "ann")
    create(store, "block", name="between")
    assert store.apply(changes, "ann") == first
    assert len(found(store, "block", where("name", "eq", "once"))) == 1


def test_the_same_id_with_other_content_is_refused(store):
    changes = ChangeSet(creates={"block": [row("block", name="a")]})
    store.apply(changes, "ann")
    other = ChangeSet(id=changes.id, creates={"block": [row("block", name="b")]})
    with pytest.raises(IntegrityError, match="another content"):
        store.apply(other, "ann")


@pytest.mark.needs("Ids and versions")
def test_the_same_id_from_another_user_is_refused(store):
    changes = ChangeSet(creates={"block": [row("block", name="a")]})
    store.apply(changes, "ann")
    with pytest.raises(IntegrityError, match="another user"):
        store.apply(changes, "bob")


@pytest.mark.needs("Ids and versions")
def test_an_id_in_use_is_told(store):
    taken = create(store, "block")
    fresh = row("block")
    with pytest.raises(IdTaken):
        store.apply(ChangeSet(creates={"block": [fresh, row("block", taken)]}), "ann")
    assert store.get("block", [fresh[0]], "ann") == []


@pytest.mark.needs("Ids and versions", run=False)
@pytest.mark.parametrize("count", [1, 180, 500, 1001])
def test_many_rows_are_written_in_their_order(store, count):
    block = create(store, "block")
    rows = [row("segment", name=f"s{place}", index=place, block=block) for place in range(count)]
    store.apply(ChangeSet(creates={"segment": rows}), "ann")
    records = sorted(store.get("segment", [item[0] for item in rows], "ann"))
    assert [record[0] for record in records] == [item[0] for item in rows]
    assert [field("segment", record, "index") for record in records] == list(range(count))


@pytest.mark.needs("Ids and versions")
def test_an_id_in_use_among_many_is_told_and_nothing_written(store):
    taken = create(store, "block")
    rows = [row("block") for _ in range(400)]
    rows.insert(250, row("block", taken))
    with pytest.raises(IdTaken):
        store.apply(ChangeSet(creates={"block": rows}), "ann")
    assert found(store, "block") == [taken]


def test_a_dangling_reference_is_refused_and_nothing_written(store):
    block = row("block")
    with pytest.raises(IntegrityError, match=r"Segment\.block names block/"):
        store.apply(ChangeSet(creates={"block": [block], "segment": [row("segment", block=new_id())]}), "ann")
    assert found(store, "block") == []


def test_a_row_of_the_wrong_width_is_refused(store):
    with pytest.raises(ValidationFailed, match="block"):
        store.apply(ChangeSet(creates={"block": [(new_id(), "x")]}), "ann")


def test_an_unknown_kind_is_refused(store):
    with pytest.raises(ValidationFailed, match="blok"):
        store.apply(ChangeSet(creates={"blok": [(new_id(),)]}), "ann")


@pytest.mark.needs("Who, when and why")
def test_an_update_changes_what_it_names_and_nothing_else(store):
    block = create(store, "block", name="a", description="kept")
    receipt = change(store, "block", block, name="b")
    (record,) = store.get("block", [block], "ann")
    assert field("block", record, "name") == "b"
    assert field("block", record, "description") == "kept"
    assert record[1] == receipt.version > record[2]


def test_an_unknown_column_is_refused(store):
    block = create(store, "block")
    with pytest.raises(ValidationFailed, match="did you mean 'name'"):
        store.apply(ChangeSet(updates=[Update("block", block, version(store, "block", block), {"nam": "x"})]), "ann")


@pytest.mark.needs("Who, when and why")
def test_stale_updates_are_told_together_with_the_rows_of_now(store):
    blocks = [create(store, "block", name="old") for _ in range(3)]
    bases = [version(store, "block", block) for block in blocks]
    receipt = change(store, "block", blocks[0], name="theirs")
    removed = store.apply(ChangeSet(deletes=[Delete("block", blocks[1], bases[1])]), "ann")
    mine = [Update("block", block, base, {"name": "mine"}) for block, base in zip(blocks, bases, strict=True)]
    with pytest.raises(StaleRows) as caught:
        store.apply(ChangeSet(updates=mine), "ann")
    changed, deleted = caught.value.stale
    assert (changed.id, changed.base, changed.version, changed.user) == (blocks[0], bases[0], receipt.version, "ann")
    assert field("block", changed.row, "name") == "theirs"
    assert (deleted.id, deleted.row, deleted.version) == (blocks[1], None, removed.version)
    assert [field("block", record, "name") for record in store.get("block", [blocks[2]], "ann")] == ["old"]


@pytest.mark.needs("The past")
def test_changing_what_never_was_is_not_found(store):
    with pytest.raises(NotFound, match="block/"):
        store.apply(ChangeSet(updates=[Update("block", new_id(), 1, {"name": "x"})]), "ann")


def test_one_object_twice_in_a_change_set_is_refused(store):
    block = create(store, "block")
    base = version(store, "block", block)
    with pytest.raises(IntegrityError, match="twice"):
        store.apply(ChangeSet(updates=[Update("block", block, base, {}), Update("block", block, base, {})]), "ann")


def test_sections_cannot_stand_inside_themselves(store):
    outer = create(store, "section", name="outer")
    inner = create(store, "section", name="inner", section=outer)
    with pytest.raises(CycleError, match="inside itself"):
        change(store, "section", outer, section=inner)
    assert field("section", store.get("section", [outer], "ann")[0], "section_id") is None


@pytest.mark.needs("Ids and versions", run=False)
def test_a_deep_tree_of_sections_is_written(store):
    document = row("document")
    rows = [row("section", document=document[0])]
    for _ in range(2000):
        rows.append(row("section", section=rows[-1][0]))
    store.apply(ChangeSet(creates={"document": [document], "section": rows}), "ann")
    preview = store.preview_delete("document", document[0], "ann")
    assert preview.children == {"section": 2001}


@pytest.mark.needs("Ids and versions")
def test_a_child_before_its_parent_is_refused(store):
    parent = row("section")
    child = row("section", section=parent[0])
    with pytest.raises(IntegrityError, match="before its parent"):
        store.apply(ChangeSet(creates={"section": [child, parent]}), "ann")


@pytest.mark.needs("Channels and their groups")
def test_channels_join_and_leave_groups_in_order(store):
    block = create(store, "block")
    groups = [create(store, "recordingchannelgroup", block=block) for _ in range(2)]
    channels = [create(store, "recordingchannel", index=number) for number in range(3)]
    joined = [Link(channel, groups[0], True) for channel in reversed(channels)]
    store.apply(ChangeSet(links=[*joined, Link(channels[0], groups[1], True)]), "ann")
    assert store.links([], [groups[0]], "ann") == [(channel, groups[0]) for channel in reversed(channels)]
    assert store.links([channels[0]], [], "ann") == [(channels[0], groups[0]), (channels[0], groups[1])]
    store.apply(ChangeSet(links=[Link(channels[0], groups[0], False), Link(channels[1], groups[0], True)]), "ann")
    assert store.links([channels[0]], [], "ann") == [(channels[0], groups[1])]
    assert store.links([], [groups[0]], "ann") == [(channels[2], groups[0]), (channels[1], groups[0])]


@pytest.mark.needs("Channels and their groups")
def test_a_membership_of_what_does_not_exist_is_refused(store):
    channel = create(store, "recordingchannel")
    with pytest.raises(IntegrityError, match="recordingchannelgroup/"):
        store.apply(ChangeSet(links=[Link(channel, new_id(), True)]), "ann")


@pytest.mark.needs("Wide values")
def test_text_with_a_nul_character_is_kept_or_refused_clearly(store):
    made = row("block", name="a\0b")
    try:
        store.apply(ChangeSet(creates={"block": [made]}), "ann")
    except ValidationFailed as error:
        told = str(error)
        assert found(store, "block") == []
    else:
        told = field("block", store.get("block", [made[0]], "ann")[0], "name")
    assert told == "a\0b" or "NUL character" in told


def test_columns_of_a_document_named_as_meta_columns_are_apart(store):
    document = create(store, "document", version="2.1")
    (record,) = store.get("document", [document], "ann")
    assert field("document", record, "version") == "2.1"
    assert isinstance(record[1], int)
    assert columns("document", version="2.1") == {"version": "2.1"}
