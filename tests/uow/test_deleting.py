"""Deleting: parents are protected with counts, cascades are carried out whole, and everything can be taken back."""

from __future__ import annotations

from contextlib import contextmanager, suppress

import pytest

from gnode_orm import AnalogSignal, Block, Document, Property, RecordingChannel, RecordingChannelGroup, Section, Segment
from gnode_orm.errors import IntegrityError, NotFound, SessionError

STORES = ("memory", "postgres")


@pytest.fixture
def block(lab, session):
    """A stored block with two segments, the first one with a signal, in its session."""
    block = session.add(Block("b"))
    block.segments = [Segment("0"), Segment("1")]
    AnalogSignal(signal=([1.0], "mV"), sampling_rate=(1, "Hz"), t_start=(0, "s"), segment=block.segments[0])
    session.commit()
    lab.forget()
    return block


def counts(lab):
    with lab.session() as other:
        return [other.query(model).count() for model in (Block, Segment, AnalogSignal)]


@pytest.mark.statement(43)
def test_a_parent_with_children_is_refused_with_counts_before_any_write(lab, session, block):
    with pytest.raises(IntegrityError, match=r"2 Segment, 1 AnalogSignal.*cascade=True") as failure:
        session.delete(block)
    assert failure.value.counts == {"segment": 2, "analogsignal": 1}
    assert session.deleted == []
    assert "apply" not in lab.calls
    preview = session.preview_delete(block)
    assert preview.children == failure.value.counts


@pytest.mark.statement(44)
def test_a_parent_is_refused_even_where_its_collection_is_not_loaded(lab, block):
    with lab.session() as other:
        with pytest.raises(IntegrityError):
            other.delete(other.get(block.location))
        other.delete(other.get(block.location), cascade=True)
        other.commit()
    assert counts(lab) == [0, 0, 0]


@contextmanager
def undone(session):
    """Undo what is done inside by leaving a part of the work."""
    with suppress(KeyError), session.nested():
        yield
        raise KeyError


@contextmanager
def rolled_back(session):
    """Undo what is done inside by a rollback."""
    yield
    session.rollback()


@pytest.mark.statement(26)
@pytest.mark.parametrize("undoing", [undone, rolled_back])
def test_what_is_set_on_an_object_that_is_to_be_deleted_is_undone_and_can_be_set_again(lab, session, block, undoing):
    segment = block.segments[1]
    with undoing(session):
        session.delete(segment)
        segment.name, segment.annotations["a"] = "set", 1
    assert (segment.name, dict(segment.annotations), session.dirty, session.deleted) == ("1", {}, [], [])
    segment.name = "again"
    assert session.dirty == [segment]
    session.commit()
    with lab.session() as other:
        assert other.get(segment.location).name == "again"


@pytest.mark.statement(49)
def test_what_is_set_on_an_object_that_is_to_be_deleted_is_written_when_it_is_kept(lab, session, block):
    segment = block.segments[1]
    session.delete(segment)
    segment.name = "kept"
    session.add(segment)
    session.commit()
    with lab.session() as other:
        assert other.get(segment.location).name == "kept"


@pytest.mark.statement(43)
def test_a_cascade_takes_everything_below_along(lab, session, block):
    segment, signal = block.segments[0], block.segments[0].analogsignals[0]
    session.delete(block, cascade=True)
    assert session.deleted == [block]
    assert "2 Segment" in str(session.plan())
    commit = session.commit()
    assert commit.counts == {"delete Block": 1, "delete Segment": 2, "delete AnalogSignal": 1}
    assert counts(lab) == [0, 0, 0]
    assert [session.get(item.location) for item in (block, segment, signal)] == [None, None, None]
    assert block not in session
    assert segment not in session


def test_a_cascade_whose_tree_changed_since_the_preview_is_refused(lab, session, block):
    session.delete(block, cascade=True)
    with lab.session() as other:
        other.get(block.location).segments.append(Segment("new"))
        other.commit()
    with pytest.raises(IntegrityError, match="changed since the preview"):
        session.commit()
    session.rollback()
    assert counts(lab) == [1, 3, 1]


def test_deleting_children_first_makes_way_for_the_parent(lab, session, block):
    for segment in list(block.segments):
        for signal in list(segment.analogsignals):
            session.delete(signal)
        session.delete(segment)
    session.delete(block)
    session.commit()
    assert counts(lab) == [0, 0, 0]


def test_children_of_one_kind_that_leave_make_no_way_for_those_of_another(session, block):
    group = session.add(RecordingChannelGroup("g", block=block))
    session.commit()
    for segment in list(block.segments):
        segment.block = None
    with pytest.raises(IntegrityError, match="1 RecordingChannelGroup") as failure:
        session.delete(block)
    assert failure.value.counts == {"recordingchannelgroup": 1}
    session.delete(group)
    session.delete(block)
    assert set(session.deleted) == {group, block}


@pytest.mark.statement(45)
def test_deleting_loads_no_relation(lab, block):
    with lab.session() as other:
        again = other.get(block.location)
        lab.forget()
        other.delete(again, cascade=True)
        other.commit()
        assert lab.calls == ["preview_delete", "apply"]


@pytest.mark.statement(47)
def test_a_child_moved_away_survives_the_deletion_of_its_parent(lab, session, block):
    home = session.add(Block("home"))
    for segment in list(block.segments):
        segment.block = home
    session.delete(block)
    session.commit()
    assert counts(lab) == [1, 2, 1]
    assert [segment.name for segment in home.segments] == ["0", "1"]


@pytest.mark.statement(47)
def test_a_child_moved_away_survives_a_cascade(lab, session, block):
    home = session.add(Block("home"))
    kept = block.segments[0]
    kept.block = home
    session.delete(block, cascade=True)
    session.commit()
    assert counts(lab) == [1, 1, 1]
    assert home.segments == [kept]
    assert kept in session


@pytest.mark.needs("None for a foreign key")
def test_a_child_moved_to_nowhere_makes_way_too(lab, session, block):
    for segment in list(block.segments):
        segment.block = None
    session.delete(block)
    session.commit()
    assert counts(lab) == [0, 2, 1]


@pytest.mark.statement(48)
def test_deleting_a_new_object_asks_nothing(lab, session):
    fresh = session.add(Block("b"))
    child = Segment("s", block=fresh)
    session.delete(fresh)
    assert (session.new, session.deleted) == ([], [])
    assert child not in session
    session.commit()
    assert lab.calls == []


def test_deleting_a_new_child_takes_it_out_of_its_collection(session, block):
    fresh = Segment("new", block=block)
    session.delete(fresh)
    assert fresh not in block.segments
    session.commit()
    assert [segment.name for segment in block.segments] == ["0", "1"]


@pytest.mark.statement(49)
def test_adding_a_deleted_object_again_takes_the_deletion_back(lab, session, block):
    segment = block.segments[1]
    session.delete(segment)
    session.add(segment)
    assert session.deleted == []
    session.commit()
    assert "apply" not in lab.calls
    segment.name = "alive"
    session.commit()
    assert counts(lab) == [1, 2, 1]


@pytest.mark.statement(50)
def test_deleting_twice_is_one_deletion(lab, session, block):
    session.delete(block.segments[1])
    session.delete(block.segments[1])
    assert session.commit().counts == {"delete Segment": 1}
    assert [segment.name for segment in block.segments] == ["0"]


def test_rollback_takes_a_deletion_back(lab, session, block):
    segment = block.segments[1]
    segment.name = "renamed"
    session.delete(segment)
    assert session.dirty == []
    lab.forget()
    session.rollback()
    assert session.deleted == []
    assert segment in block.segments
    assert segment.name == "1"
    assert lab.calls == []
    segment.name = "works"
    session.commit()


def test_a_deleted_object_leaves_loaded_collections(session, block):
    segment = block.segments[1]
    session.delete(segment)
    session.commit()
    assert segment not in block.segments
    assert segment.location not in [item.location for item in block.segments]


@pytest.mark.parametrize("before", ["nothing", "expired", "moved"])
def test_a_deleted_object_leaves_collections_that_were_loaded_from_the_store(lab, block, before):
    with lab.session() as session:
        again = session.get(block.location)
        other = session.add(Block("other"))
        session.commit()
        first, second = again.segments
        if before == "moved":
            second.block = other
        session.delete(second)
        if before == "expired":
            second._expire()
        session.commit()
        assert list(again.segments) == [first]
        assert list(other.segments) == []
        session.rollback()
        assert list(again.segments) == [first]


def test_deleting_with_new_objects_below_needs_the_word(session, block):
    segment = block.segments[1]
    AnalogSignal(signal=([1.0], "mV"), sampling_rate=(1, "Hz"), t_start=(0, "s"), segment=segment)
    with pytest.raises(IntegrityError, match="new objects below"):
        session.delete(segment)
    session.delete(segment, cascade=True)
    assert session.new == []
    session.commit()


def test_a_parent_that_something_was_moved_below_is_refused(lab, session, block):
    other, moved = session.add(Block("other")), block.segments[0]
    session.commit()
    for way in (other, str(other.location)):
        moved.block = way
        for cascade in (False, True):
            with pytest.raises(IntegrityError, match="was moved below") as failure:
                session.delete(other, cascade=cascade)
        assert repr(moved) in str(failure.value)
        session.rollback()
    session.delete(other)
    session.commit()


def test_new_objects_that_name_a_parent_by_location_are_below_it(lab, session):
    block = session.add(Block("b"))
    session.commit()
    with lab.session() as other:
        fresh = other.add(Segment("fresh", block=str(block.location)))
        parent = other.get(block.location)
        with pytest.raises(IntegrityError, match="new objects below"):
            other.delete(parent)
        other.delete(parent, cascade=True)
        assert other.new == []
        other.commit()
        assert other.query(Block).all() == []
    assert fresh.location is None


def test_a_new_parent_that_something_was_moved_below_is_refused(session, block):
    new, moved = session.add(Block("new")), block.segments[0]
    moved.block = new
    with pytest.raises(IntegrityError, match="was moved below"):
        session.delete(new)
    assert session.new == [new]
    moved.block = block
    session.delete(new)
    session.commit()
    assert session.query(Block).all() == [block]


def test_a_new_parent_of_what_had_none_is_refused(session):
    loose = session.add(Segment("loose"))
    session.commit()
    new = session.add(Block("new"))
    loose.block = new
    with pytest.raises(IntegrityError, match="was moved below"):
        session.delete(new)
    session.rollback()
    assert loose.block is None


def test_instances_that_expired_may_go_with_a_cascade(session, block):
    segments = list(block.segments)
    session.expire_all()
    session.delete(block, cascade=True)
    session.commit()
    assert session.query(Segment).all() == []
    with pytest.raises(NotFound, match="not there any more"):
        assert segments[0].name


@pytest.mark.needs("None for a foreign key")
def test_what_others_took_away_does_not_stand_for_what_stays(lab, session, block):
    """One of the two segments is marked for deletion here, and was moved elsewhere by another session."""
    session.delete(block.segments[1])
    with lab.session() as other:
        other.get(block.segments[1].location).block = None
        other.commit()
    with pytest.raises(IntegrityError, match="still has 1 Segment"):
        session.delete(block)


def test_what_was_set_back_and_is_gone_does_not_keep_its_parent(lab, session, block):
    segment = block.segments[1]
    segment.name, was = "other", segment.name
    segment.name = was
    with lab.session() as other:
        other.delete(other.get(segment.location))
        other.commit()
    session.expire_all()
    session.delete(block, cascade=True)
    session.commit()
    assert session.query(Block).all() == []


def test_a_new_object_that_only_refers_to_a_deleted_one_does_not_go_with_it(session, block):
    section = session.add(Section("s"))
    session.commit()
    fresh = Block("new", metadata=section)
    session.delete(section)
    assert session.new == [fresh]
    fresh.metadata = None
    session.commit()
    assert fresh.location is not None


@pytest.mark.statement(43)
@pytest.mark.needs("Deleting what others refer to")
def test_optional_links_to_a_deleted_object_become_null_here_and_there(lab, session, block):
    section = Section("s")
    block.metadata = section
    session.commit()
    assert session.preview_delete(section).unlinked == {"block": 1}
    session.delete(section)
    session.commit()
    assert block.metadata is None
    block.name = "still based on the right version"
    session.commit()
    with lab.session() as other:
        assert other.get(block.location).metadata is None


def test_what_expired_and_is_deleted_elsewhere_does_not_hinder_a_delete(lab, session, block):
    section = Section("s")
    segment = Segment("a", block=block, metadata=section)
    session.commit()
    session.expire_all()
    with lab.session() as other:
        other.delete(other.get(segment.location))
        other.commit()
    session.delete(section)
    session.commit()
    assert session.get(section.location) is None


@pytest.mark.needs("Channels and their groups")
def test_deleting_a_channel_leaves_its_group(lab, session):
    group, channel = RecordingChannelGroup("g"), RecordingChannel("c")
    group.recordingchannels.append(channel)
    session.add(group)
    session.commit()
    session.delete(channel)
    session.commit()
    assert list(group.recordingchannels) == []
    with lab.session() as other:
        assert list(other.get(group.location).recordingchannels) == []
    group.name = "works"
    session.commit()


@pytest.mark.statement(51)
def test_deleting_and_creating_one_of_the_same_name_in_one_commit(lab, session, block):
    session.delete(block, cascade=True)
    fresh = session.add(Block("b"))
    session.commit()
    assert counts(lab) == [1, 0, 0]
    assert fresh.location != block.location


def test_a_deleted_object_cannot_come_back_but_as_a_copy(session, block):
    segment = block.segments[1]
    session.delete(segment)
    session.commit()
    with pytest.raises(SessionError, match="copy it"):
        session.add(segment)
    twin = session.add(segment.model_copy())
    twin.block = block
    session.commit()
    assert block.segments[-1] is twin


def test_hanging_an_object_below_one_that_was_deleted_is_refused(session, block):
    segment = block.segments[1]
    session.delete(segment)
    session.commit()
    section = session.add(Section("lower"))
    signal = AnalogSignal(signal=([1.0], "mV"), sampling_rate=(1, "Hz"), t_start=(0, "s"))
    session.add(signal)
    signal.segment = segment
    with pytest.raises(IntegrityError, match="which is deleted"):
        session.commit()
    session.rollback()
    assert section not in session


def test_trees_of_metadata_go_whole(lab, session):
    document = Document("d")
    section = Section("top", document=document)
    Property("p", section=Section("low", section=section))
    session.add(document)
    session.commit()
    assert session.preview_delete(document).children == {"section": 2, "property": 1}
    session.delete(document, cascade=True)
    session.commit()
    with lab.session() as other:
        assert other.query(Section).count() == other.query(Property).count() == 0


def test_a_changed_child_of_a_cascade_goes_with_it(lab, session, block):
    block.segments[0].name = "renamed"
    session.delete(block, cascade=True)
    session.commit()
    assert counts(lab) == [0, 0, 0]
    assert (session.dirty, session.deleted) == ([], [])


def test_deleting_what_is_not_in_the_session_is_refused(session):
    with pytest.raises(SessionError, match="not in this session"):
        session.delete(Block("b"))


@pytest.mark.needs("The past")
def test_history_outlives_the_object(session, block):
    segment = block.segments[1]
    session.delete(segment)
    session.commit("not needed")
    versions = session.history(segment.location)
    assert [version.deleted for version in versions] == [False, True]
    assert versions[-1].message == "not needed"
