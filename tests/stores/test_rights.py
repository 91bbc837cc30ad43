"""Who may read and write what follows the block or document above."""

from __future__ import annotations

import pytest

from gnode_orm.core.changes import ChangeSet, Delete, Link, Update
from gnode_orm.core.select import AnyOf, Not, Select
from gnode_orm.errors import AccessDenied, IntegrityError, NotFound, ValidationFailed
from tests.stores.rows import behind_a_server, change, create, field, found, new_id, row, version, where

PUBLIC, FRIENDLY = 1, 2


def tree(store, owner="ann", **fields):
    block = create(store, "block", by=owner, **fields)
    segment = create(store, "segment", by=owner, block=block, name="s")
    event = create(store, "event", by=owner, segment=segment, label="e")
    return block, segment, event


def sees(store, who, kind, id_):
    return bool(store.get(kind, [id_], who)) and id_ in found(store, kind, by=who)


def test_a_private_tree_is_its_owners_alone(store):
    for kind, id_ in zip(("block", "segment", "event"), tree(store), strict=True):
        assert sees(store, "ann", kind, id_)
        assert not sees(store, "bob", kind, id_)


@pytest.mark.needs("Rights and lists")
def test_a_public_tree_is_everybodys_to_read(store):
    block, _, event = tree(store, safety_level=PUBLIC)
    assert sees(store, "stranger", "event", event)
    with pytest.raises(AccessDenied, match="bob"):
        change(store, "event", event, by="bob", label="x")
    with pytest.raises(AccessDenied, match="nothing can be added"):
        create(store, "segment", by="bob", block=block)


@pytest.mark.needs("Rights and lists")
def test_a_friendly_tree_is_for_accounts_of_the_lab(store):
    block, _, event = tree(store, safety_level=FRIENDLY)
    # Whoever speaks to a server has an account.
    assert sees(store, "bob", "event", event) == behind_a_server(store)
    create(store, "block", by="bob")
    assert sees(store, "bob", "event", event)
    change(store, "block", block, safety_level=3)
    assert not sees(store, "bob", "event", event)


@pytest.mark.needs("Rights and lists")
def test_sharing_gives_reading_or_writing_at_once(store):
    block, segment, event = tree(store)
    store.set_access("block", block, {"bob": "read"}, "ann")
    assert sees(store, "bob", "event", event)
    with pytest.raises(AccessDenied):
        change(store, "event", event, by="bob", label="x")
    store.set_access("block", block, {"bob": "write"}, "ann")
    change(store, "event", event, by="bob", label="x")
    added = create(store, "event", by="bob", segment=segment)
    assert sees(store, "ann", "event", added)
    assert field("event", store.get("event", [added], "ann")[0], "label") is None
    assert store.access("block", block, "ann") == {"bob": "write"}
    store.set_access("block", block, {}, "ann")
    assert not sees(store, "bob", "event", added)


def test_only_the_owner_shares_and_only_roots(store):
    block, segment, _ = tree(store, safety_level=PUBLIC)
    for level in ("read", "write"):
        store.set_access("block", block, {"bob": level}, "ann")
        with pytest.raises(AccessDenied, match="belongs to ann"):
            store.set_access("block", block, {"bob": "write"}, "bob")
        with pytest.raises(AccessDenied, match="belongs to ann"):
            store.access("block", block, "bob")
    with pytest.raises(ValidationFailed, match="share the one above"):
        store.set_access("segment", segment, {}, "ann")
    with pytest.raises(ValidationFailed, match="'read' or 'write'"):
        store.set_access("block", block, {"bob": "all"}, "ann")
    with pytest.raises(NotFound):
        store.access("block", new_id(), "ann")


def test_an_orphan_is_its_creators_alone(store):
    segment = create(store, "segment", by="bob")
    event = create(store, "event", by="bob", segment=segment)
    assert sees(store, "bob", "event", event)
    assert not sees(store, "ann", "event", event)
    with pytest.raises(IntegrityError, match="does not exist"):
        create(store, "event", by="ann", segment=segment)


@pytest.mark.needs("Rights and lists")
def test_what_cannot_be_read_does_not_exist(store):
    block, segment, event = tree(store)
    base = version(store, "event", event)
    with pytest.raises(NotFound):
        change_blindly(store, "event", event, base)
    with pytest.raises(NotFound):
        store.apply(ChangeSet(deletes=[Delete("event", event, base)]), "bob")
    with pytest.raises(IntegrityError, match="does not exist"):
        create(store, "event", by="bob", segment=segment)
    with pytest.raises(NotFound):
        store.history("event", event, "bob")
    with pytest.raises(NotFound):
        store.preview_delete("block", block, "bob")
    assert store.count(Select("event"), "bob") == 0


def change_blindly(store, kind, id_, base):
    store.apply(ChangeSet(updates=[Update(kind, id_, base, {"label": "x"})]), "bob")


@pytest.mark.needs("Rights and lists")
def test_what_cannot_be_read_is_as_good_as_null_in_conditions(store):
    document = create(store, "document", by="ann")
    section = create(store, "section", by="ann", document=document, name="secret")
    block = create(store, "block", by="ann", metadata=section, safety_level=PUBLIC)
    secret = where("metadata.name", "eq", "secret")
    assert found(store, "block", secret) == [block]
    assert found(store, "block", secret, by="bob") == []
    assert found(store, "block", Not(secret), by="bob") == [block]
    assert found(store, "block", where("metadata.name", "is_null", True), by="bob") == [block]
    page = store.select(Select("block", eager=("metadata",)), "bob")
    assert [len(page.rows), page.eager[0].rows] == [1, []]


def test_private_members_are_not_found_through_collections(store):
    document = create(store, "document", by="ann", safety_level=PUBLIC)
    section = create(store, "section", by="ann", document=document)
    create(store, "block", by="ann", metadata=section, name="hidden")
    hidden = AnyOf((), "blocks", where("name", "eq", "hidden"))
    assert found(store, "section", hidden) == [section]
    assert found(store, "section", hidden, by="bob") == []


def test_optional_references_need_reading_alone(store):
    document = create(store, "document", by="ann", safety_level=PUBLIC)
    section = create(store, "section", by="ann", document=document)
    block = create(store, "block", by="bob", metadata=section)
    assert sees(store, "bob", "block", block)
    assert not sees(store, "ann", "block", block)


@pytest.mark.needs("Ids and versions")
def test_moving_below_another_root_moves_the_rights_of_the_whole_tree(store):
    block, segment, event = tree(store)
    shared = create(store, "block", by="ann")
    store.set_access("block", shared, {"bob": "read"}, "ann")
    before = version(store, "event", event)
    change(store, "segment", segment, block=shared)
    assert sees(store, "bob", "event", event)
    assert version(store, "event", event) == before
    change(store, "segment", segment, block=block)
    assert not sees(store, "bob", "event", event)


@pytest.mark.needs("Rights and lists")
def test_moving_needs_writing_on_both_sides(store):
    _, segment, _ = tree(store)
    public = create(store, "block", by="bob", safety_level=PUBLIC)
    with pytest.raises(AccessDenied, match="nothing can be added"):
        change(store, "segment", segment, block=public)
    base = version(store, "segment", segment)
    mine = create(store, "block", by="bob")
    stolen = ChangeSet(updates=[Update("segment", segment, base, {"block_id": mine})])
    with pytest.raises(NotFound):
        store.apply(stolen, "bob")


@pytest.mark.needs("None for a foreign key")
def test_taking_an_object_out_of_its_tree_leaves_it_to_its_creator(store):
    block, segment, event = tree(store)
    store.set_access("block", block, {"bob": "write"}, "ann")
    change(store, "segment", segment, by="bob", block=None)
    assert sees(store, "ann", "event", event)
    assert not sees(store, "bob", "event", event)


@pytest.mark.needs("Ids and versions")
def test_sections_carry_their_subtree_along(store):
    documents = [create(store, "document", by="ann") for _ in range(2)]
    top = create(store, "section", document=documents[0])
    rows = [row("section", section=top)]
    for _ in range(5):
        rows.append(row("section", section=rows[-1][0]))
    property_ = row("property", section=rows[-1][0])
    value = row("value", property=property_[0], data="x")
    store.apply(ChangeSet(creates={"section": rows, "property": [property_], "value": [value]}), "ann")
    store.set_access("document", documents[1], {"bob": "read"}, "ann")
    assert not sees(store, "bob", "value", value[0])
    change(store, "section", top, document=documents[1])
    assert sees(store, "bob", "value", value[0])


@pytest.mark.needs("Ids and versions")
def test_a_channel_belongs_to_the_root_of_its_first_group(store):
    blocks = [create(store, "block", by="ann") for _ in range(2)]
    groups = [create(store, "recordingchannelgroup", block=block) for block in blocks]
    channel = row("recordingchannel", index=1)
    store.apply(
        ChangeSet(creates={"recordingchannel": [channel]}, links=[Link(channel[0], group, True) for group in groups]),
        "ann",
    )
    signal = create(store, "analogsignal", recordingchannel=channel[0])
    store.set_access("block", blocks[1], {"bob": "read"}, "ann")
    assert not sees(store, "bob", "recordingchannel", channel[0])
    assert store.links([channel[0]], [], "bob") == []
    store.apply(ChangeSet(links=[Link(channel[0], groups[0], False)]), "ann")
    assert sees(store, "bob", "recordingchannel", channel[0])
    assert sees(store, "bob", "analogsignal", signal)
    assert store.links([channel[0]], [], "bob") == [(channel[0], groups[1])]


@pytest.mark.needs("Channels and their groups")
def test_a_group_that_moves_takes_its_channels_along(store):
    blocks = [create(store, "block", by="ann") for _ in range(2)]
    group = create(store, "recordingchannelgroup", block=blocks[0])
    channel = create(store, "recordingchannel")
    store.apply(ChangeSet(links=[Link(channel, group, True)]), "ann")
    store.set_access("block", blocks[1], {"bob": "read"}, "ann")
    assert not sees(store, "bob", "recordingchannel", channel)
    change(store, "recordingchannelgroup", group, block=blocks[1])
    assert sees(store, "bob", "recordingchannel", channel)


@pytest.mark.needs("The past")
def test_rights_of_now_hold_for_the_past(store):
    block, _, event = tree(store)
    at = version(store, "event", event)
    change(store, "event", event, label="later")
    assert store.get("event", [event], "bob", at) == []
    store.set_access("block", block, {"bob": "read"}, "ann")
    assert field("event", store.get("event", [event], "bob", at)[0], "label") == "e"
    assert found(store, "event", where("segment.block", "is_null", False), by="bob", at=at) == [event]
