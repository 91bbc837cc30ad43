"""Foreign keys and collections: two sides of one thing, loaded or not, before and after a commit."""

from __future__ import annotations

import pytest

from gnode_orm import Block, Event, RecordingChannel, RecordingChannelGroup, Section, Segment
from gnode_orm.errors import ValidationFailed

STORES = ("memory",)


@pytest.fixture
def places(lab):
    """Locations of two blocks: the first with the segments 0, 1 and 2, the second with none."""
    with lab.session() as session:
        one, two = Block("one"), Block("two")
        for number in range(3):
            Segment(str(number), block=one)
        session.add_all([one, two])
        session.commit()
        found = {block.name: block.location for block in (one, two)}
        found.update({segment.name: segment.location for segment in one.segments})
    lab.forget()
    return found


def names(collection):
    return [item.name for item in collection]


def stored_names(lab, place):
    with lab.session() as other:
        return names(other.get(place).segments)


@pytest.mark.statement(39)
def test_changing_the_foreign_key_moves_the_child(lab, session, places):
    one, two = session.get(places["one"]), session.get(places["two"])
    assert (names(one.segments), names(two.segments)) == (["0", "1", "2"], [])
    moved = one.segments[1]
    moved.block = two
    assert (names(one.segments), names(two.segments)) == (["0", "2"], ["1"])
    lab.forget()
    session.commit()
    assert (names(one.segments), names(two.segments)) == (["0", "2"], ["1"])
    assert lab.calls == ["apply"]
    assert (stored_names(lab, places["one"]), stored_names(lab, places["two"])) == (["0", "2"], ["1"])


@pytest.mark.statement(40)
def test_append_sets_the_foreign_key_and_remove_clears_it(session, places):
    one = session.get(places["one"])
    segment = Segment("new")
    one.segments.append(segment)
    assert segment.block is one
    one.segments.append(segment)
    assert names(one.segments) == ["0", "1", "2", "new"]
    one.segments.remove(segment)
    assert segment.block is None
    with pytest.raises(ValueError, match="is not in"):
        one.segments.remove(segment)


@pytest.mark.statement(41)
def test_appending_to_a_collection_that_is_not_loaded_does_not_load_it(lab, session, places):
    one = session.get(places["one"])
    lab.forget()
    one.segments.append(Segment("new"))
    Segment("by key", block=one)
    assert lab.calls == []
    assert names(one.segments) == ["0", "1", "2", "new", "by key"]
    assert lab.calls == ["select"]
    session.commit()
    assert names(one.segments) == ["0", "1", "2", "new", "by key"]


def test_a_commit_before_loading_leaves_a_collection_that_loads_once_and_right(lab, session, places):
    one = session.get(places["one"])
    one.segments.append(Segment("new"))
    session.commit()
    lab.forget()
    assert names(one.segments) == ["0", "1", "2", "new"]
    assert lab.calls == ["select"]


@pytest.mark.statement(42)
@pytest.mark.needs("None for a foreign key")
def test_replacing_a_collection_adds_and_removes_what_differs(lab, session, places):
    one = session.get(places["one"])
    keep, gone = one.segments[0], one.segments[1]
    one.segments = [keep, Segment("new")]
    assert gone.block is None
    assert [(item.op, item.obj.name) for item in session.plan()] == [("create", "new"), ("move", "1"), ("move", "2")]
    session.commit()
    assert stored_names(lab, places["one"]) == ["0", "new"]


@pytest.mark.statement(39)
@pytest.mark.parametrize("old_loaded", [False, True])
@pytest.mark.parametrize("new_loaded", [False, True])
@pytest.mark.parametrize("child_by", ["location", "collection", "key text"])
@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_moves_between_parents_loaded_or_not(lab, session, places, old_loaded, new_loaded, child_by, end):
    one, two = session.get(places["one"]), session.get(places["two"])
    if old_loaded:
        len(one.segments)
    if new_loaded:
        len(two.segments)
    child = one.segments[0] if child_by == "collection" else session.get(places["0"])
    child.block = str(places["two"]) if child_by == "key text" else two
    assert (names(one.segments), names(two.segments)) == (["1", "2"], ["0"])
    getattr(session, end)()
    expected = (["1", "2"], ["0"]) if end == "commit" else (["0", "1", "2"], [])
    assert (names(one.segments), names(two.segments)) == expected
    assert child.block is (two if end == "commit" else one)
    assert (stored_names(lab, places["one"]), stored_names(lab, places["two"])) == expected


@pytest.mark.parametrize("first_look", ["before", "after"])
@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_parents_that_are_loaded_only_after_the_move(lab, session, places, first_look, end):
    child = session.get(places["0"])
    child.block = str(places["two"])
    one, two = session.get(places["one"]), session.get(places["two"])
    if first_look == "before":
        assert (names(one.segments), names(two.segments)) == (["1", "2"], ["0"])
    getattr(session, end)()
    expected = (["1", "2"], ["0"]) if end == "commit" else (["0", "1", "2"], [])
    assert (names(one.segments), names(two.segments)) == expected
    assert child.block is (two if end == "commit" else one)


def test_a_new_child_named_below_a_loaded_parent_by_location_joins_its_collection(session, places):
    one = session.get(places["one"])
    len(one.segments)
    segment = Segment("new", block=str(places["one"]))
    session.add(segment)
    assert names(one.segments) == ["0", "1", "2", "new"]
    assert segment.block is one
    session.commit()
    assert names(one.segments) == ["0", "1", "2", "new"]


def test_a_new_child_below_a_location_appears_when_the_parent_is_loaded(session, places):
    session.add(Segment("new", block=str(places["one"])))
    one = session.get(places["one"])
    assert names(one.segments) == ["0", "1", "2", "new"]
    session.rollback()
    assert names(one.segments) == ["0", "1", "2"]


def test_moving_there_and_back_is_no_change(lab, session, places):
    one, two = session.get(places["one"]), session.get(places["two"])
    child = session.get(places["0"])
    child.block = two
    child.block = one
    assert session.dirty == []
    lab.forget()
    session.commit()
    assert lab.calls == []
    assert (names(one.segments), names(two.segments)) == (["0", "1", "2"], [])


@pytest.mark.statement(75, 85)
def test_collections_are_right_after_a_commit_without_reloading(lab, session):
    block = session.add(Block("b", metadata=Section("m")))
    segments = [Segment(str(number), block=block) for number in range(3)]
    session.commit()
    lab.forget()
    assert block.segments == segments
    assert block.metadata.blocks == [block]
    assert segments[0].block is block
    assert lab.calls == []


@pytest.mark.statement(26)
def test_rollback_restores_both_sides_and_reads_nothing(lab, session, places):
    one, two = session.get(places["one"]), session.get(places["two"])
    order = names(one.segments)
    len(two.segments)
    moved, cleared = one.segments[0], one.segments[2]
    lab.forget()
    moved.block = two
    one.segments.remove(cleared)
    one.segments.append(Segment("new"))
    one.name = "renamed"
    session.delete(two.segments[0]) if False else None
    session.rollback()
    assert lab.calls == []
    assert (names(one.segments), names(two.segments), one.name) == (order, [], "one")
    assert moved.block is one
    assert cleared.block is one
    assert (session.new, session.dirty, session.deleted) == ([], [], [])
    assert lab.calls == []


def test_rollback_of_new_objects_leaves_them_as_they_were_made(session, places):
    one = session.get(places["one"])
    len(one.segments)
    fresh = Segment("new", block=one)
    session.rollback()
    assert names(one.segments) == ["0", "1", "2"]
    assert fresh not in session
    assert fresh.block is one
    session.add(fresh)
    assert names(one.segments) == ["0", "1", "2", "new"]
    session.commit()
    assert names(one.segments) == ["0", "1", "2", "new"]


def test_rollback_takes_a_new_child_out_of_a_collection_that_was_not_loaded(session, places):
    one = session.get(places["one"])
    one.segments.append(Segment("new"))
    session.rollback()
    assert names(one.segments) == ["0", "1", "2"]


@pytest.mark.needs("Channels and their groups")
def test_rollback_parts_what_was_linked(lab, session):
    group, channel, other = RecordingChannelGroup("g"), RecordingChannel("c"), RecordingChannel("d")
    group.recordingchannels.append(channel)
    session.add_all([group, other])
    session.commit()
    group.recordingchannels.append(other)
    group.recordingchannels.remove(channel)
    assert set(session.dirty) == {group, channel, other}
    session.rollback()
    assert list(group.recordingchannels) == [channel]
    assert list(channel.recordingchannelgroups) == [group]
    assert list(other.recordingchannelgroups) == []
    assert session.dirty == []


@pytest.mark.needs("Channels and their groups")
def test_linking_a_new_channel_to_a_stored_group(lab, session):
    group = session.add(RecordingChannelGroup("g"))
    session.commit()
    channel = RecordingChannel("c")
    group.recordingchannels.append(channel)
    assert channel in session
    session.commit()
    with lab.session() as other:
        assert names(other.get(group.location).recordingchannels) == ["c"]
        assert names(other.get(channel.location).recordingchannelgroups) == ["g"]


def test_a_child_moved_from_a_new_parent_back_by_rollback(session, places):
    child = session.get(places["0"])
    fresh = session.add(Block("fresh"))
    child.block = fresh
    session.rollback()
    assert child.block.location == places["one"]
    assert child not in fresh.segments


def test_a_location_set_before_the_parent_is_stored_here_is_the_same_parent(session, places):
    segment = session.add(Segment("new", block=str(places["two"])))
    assert segment.ref("block") == places["two"]
    session.commit()
    assert segment.block is session.get(places["two"])
    assert names(segment.block.segments) == ["new"]


def test_a_member_of_another_kind_is_refused_and_nothing_changes(session, places):
    one = session.get(places["one"])
    with pytest.raises(ValidationFailed, match="holds objects of kind segment"):
        one.segments.append(Block("no"))
    with pytest.raises(ValidationFailed, match="holds objects of kind segment"):
        one.segments = [one.segments[0], Block("no")]
    assert names(one.segments) == ["0", "1", "2"]
    assert session.dirty == []
    assert session.new == []


@pytest.mark.parametrize("unit", ["given", "not given"])
def test_a_new_child_named_below_two_parents_by_location_joins_both_collections(session, unit):
    block, section = session.add(Block("b")), session.add(Section("s"))
    session.commit()
    values = {"time": (5, "ms")} if unit == "given" else {}
    event = Event("e", segment=Segment("s", block=block), metadata=str(section.location), **values)
    segment = session.add(Segment("new", metadata=str(section.location), block=str(block.location)))
    session.add(event)
    assert list(block.segments) == [event.segment, segment]
    assert list(section.segments) == [segment]
    assert event.metadata is section
