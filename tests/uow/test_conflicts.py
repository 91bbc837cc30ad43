"""Conflicts: nothing is overwritten unasked; base, mine and theirs are told; settled ones can be committed."""

from __future__ import annotations

import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, RecordingChannel, RecordingChannelGroup, Segment
from gnode_orm.errors import ConflictError, SessionError, ValidationFailed
from gnode_orm.sentinels import NOT_GIVEN

STORES = ("memory", "postgres")


@pytest.fixture
def block(lab, session):
    """A stored block in its session."""
    block = session.add(Block("base", description="base", **lab.notes(a=1, b=1)))
    session.commit()
    return block


def theirs(lab, block, user="ann", **fields):
    """Another session changes the same object."""
    with lab.session(user) as other:
        entity = other.get(block.location)
        for name, value in fields.items():
            if name == "annotations":
                entity.annotations.update(value)
            else:
                setattr(entity, name, value)
        other.commit()


def failed(session):
    with pytest.raises(ConflictError) as failure:
        session.commit()
    return failure.value


def stored(lab, block):
    with lab.session() as other:
        entity = other.get(block.location)
        return entity.name, entity.description, dict(entity.annotations)


@pytest.mark.statement(64)
@pytest.mark.needs("Who, when and why")
def test_a_conflict_tells_base_mine_theirs_user_and_time(lab, session, block):
    session.share(block, "jeff", "write")
    block.name = "mine"
    theirs(lab, block, "jeff", name="theirs")
    (conflict,) = failed(session).conflicts
    assert (conflict.obj, conflict.field) == (block, "name")
    assert (conflict.base, conflict.mine, conflict.theirs) == ("base", "mine", "theirs")
    assert conflict.user == "jeff"
    assert conflict.time == session.history(block)[-1].time
    assert block.name == "mine"
    assert session.dirty == [block]


@pytest.mark.needs("Who, when and why")
def test_the_message_names_the_object_the_values_and_the_ways_out(lab, session, block):
    block.name = "mine"
    theirs(lab, block, name="theirs")
    text = str(failed(session))
    assert all(word in text for word in (block.id, "'base'", "'mine'", "'theirs'", ".resolve(", "ann"))


@pytest.mark.statement(64)
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("mine", "mine"),
        ("theirs", "theirs"),
        (lambda conflict: f"{conflict.mine}+{conflict.theirs}", "mine+theirs"),
    ],
)
def test_a_settled_conflict_can_be_committed(lab, session, block, how, expected):
    block.name = "mine"
    theirs(lab, block, name="theirs", description="theirs")
    failed(session).resolve(how)
    session.commit()
    assert stored(lab, block)[:2] == (expected, "theirs")
    assert (block.name, block.description) == (expected, "theirs")
    assert session.dirty == []
    block.name = "goes on"
    session.commit()


@pytest.mark.statement(65)
def test_changes_to_different_fields_conflict_unless_a_merge_is_asked_for(lab, session, block):
    block.name = "mine"
    theirs(lab, block, description="theirs")
    error = failed(session)
    error.resolve("merge")
    session.commit()
    assert stored(lab, block)[:2] == ("mine", "theirs")


def test_a_merge_of_the_same_field_is_refused_and_changes_nothing(lab, session, block):
    block.name = "mine"
    theirs(lab, block, name="theirs")
    error = failed(session)
    with pytest.raises(ConflictError, match="both sides"):
        error.resolve("merge")
    assert block.name == "mine"
    assert session.dirty == [block]
    error.resolve("mine")
    session.commit()
    assert stored(lab, block)[0] == "mine"


def test_the_same_change_on_both_sides_merges(lab, session, block):
    block.name = "same"
    theirs(lab, block, name="same", description="theirs")
    failed(session).resolve("merge")
    session.commit()
    assert stored(lab, block)[:2] == ("same", "theirs")


@pytest.mark.needs("Annotations")
def test_annotations_merge_key_by_key(lab, session, block):
    block.annotations["mine"] = 1
    del block.annotations["a"]
    theirs(lab, block, annotations={"theirs": 2, "b": 5})
    error = failed(session)
    assert {conflict.field for conflict in error.conflicts} == {"annotations"}
    error.resolve("merge")
    session.commit()
    assert stored(lab, block)[2] == {"b": 5, "mine": 1, "theirs": 2}


@pytest.mark.needs("Annotations")
def test_annotations_conflict_key_by_key(lab, session, block):
    block.annotations["a"] = {"deep": [1]}
    block.annotations["mine"] = 1
    del block.annotations["b"]
    theirs(lab, block, annotations={"a": 3, "theirs": 2})
    found = {item.key: (item.field, item.base, item.mine, item.theirs) for item in failed(session).conflicts}
    assert found == {
        "a": ("annotations", 1, {"deep": [1]}, 3),
        "b": ("annotations", 1, NOT_GIVEN, 1),
        "mine": ("annotations", NOT_GIVEN, 1, NOT_GIVEN),
    }


@pytest.mark.needs("Annotations")
def test_the_message_names_the_key(lab, session, block):
    block.annotations["a"] = 2
    theirs(lab, block, annotations={"a": 3})
    assert ".annotations['a']: was 1, here 2, there 3 (by ann)" in str(failed(session))


@pytest.mark.needs("Who, when and why")
def test_the_message_tells_what_is_unchanged_absent_or_deleted_there(lab, session, block):
    theirs(lab, block, description="theirs")
    block.name = "mine"
    assert ".name: was and is 'base' there, here 'mine'" in str(failed(session))
    block.annotations["new"] = 1
    assert ".annotations['new']: was and is absent there, here 1" in str(failed(session))
    with lab.session() as other:
        other.delete(other.get(block.location))
        other.commit()
    del block.annotations["new"]
    assert "was changed here and deleted there (by ann)" in str(failed(session))


@pytest.mark.parametrize("how", ["mine", lambda conflict: conflict.mine])
@pytest.mark.needs("Annotations")
def test_annotations_settled_by_mine_keep_the_keys_that_were_edited_here(lab, session, block, how):
    block.annotations["mine"] = {"deep": [1]}
    block.annotations["a"] = 2
    del block.annotations["b"]
    theirs(lab, block, annotations={"theirs": 2, "a": 3, "b": 3})
    error = failed(session)
    error.resolve(how)
    assert error.conflicts == []
    session.commit()
    assert stored(lab, block)[2] == {"a": 2, "mine": {"deep": [1]}, "theirs": 2}


@pytest.mark.needs("Annotations")
def test_a_function_settles_each_key_and_may_remove_it(lab, session, block):
    block.annotations.update(a=2, b=2, c=2)
    theirs(lab, block, annotations={"a": 3, "b": 3, "c": 3, "d": 3})
    failed(session).resolve(lambda conflict: {"a": conflict.theirs, "b": NOT_GIVEN, "c": 5}[conflict.key])
    session.commit()
    assert stored(lab, block)[2] == {"a": 3, "c": 5, "d": 3}


@pytest.mark.needs("Annotations")
def test_annotations_whose_order_alone_changed_are_one_conflict(lab, session, block):
    block.annotations = {"b": 1, "a": 1}
    theirs(lab, block, name="theirs")
    error = failed(session)
    (conflict,) = error.conflicts
    assert (conflict.field, conflict.key, list(conflict.mine)) == ("annotations", None, ["b", "a"])
    error.resolve("mine")
    session.commit()
    assert list(stored(lab, block)[2]) == ["b", "a"]


@pytest.mark.parametrize(("field", "value"), [("index", "not a number"), ("block", "section/1000000000")])
@pytest.mark.needs("None for a foreign key")
def test_a_value_that_cannot_be_kept_settles_nothing(lab, session, block, field, value):
    segment = session.add(Segment("base", block=block, index=1))
    session.commit()
    segment.name, segment.index, segment.block = "mine", 2, None
    theirs(lab, segment, index=3)
    error = failed(session)
    with pytest.raises(ValidationFailed):
        error.resolve(lambda conflict: value if conflict.field == field else conflict.mine)
    assert (segment.name, segment.index, segment.block) == ("mine", 2, None)
    assert session.dirty == [segment]
    error.resolve("mine")
    session.commit()
    assert (segment.name, segment.index, segment.block) == ("mine", 2, None)


@pytest.mark.needs("Annotations")
def test_an_annotation_that_cannot_be_kept_settles_nothing(lab, session, block):
    block.annotations["a"] = 2
    theirs(lab, block, annotations={"a": 3})
    error = failed(session)
    with pytest.raises(ValidationFailed):
        error.resolve(lambda conflict: object())
    assert block.annotations["a"] == 2
    error.resolve("theirs")
    assert block.annotations["a"] == 3


@pytest.mark.needs("Annotations")
def test_one_key_of_annotations_changed_on_both_sides_does_not_merge(lab, session, block):
    block.annotations["a"] = 2
    theirs(lab, block, annotations={"a": 3})
    error = failed(session)
    with pytest.raises(ConflictError, match="'a'"):
        error.resolve("merge")
    error.resolve("theirs")
    assert block.annotations == {"a": 3, "b": 1}
    assert session.dirty == []


def test_one_wrong_object_refuses_the_whole_commit(lab, session, block):
    fresh = session.add(Block("new"))
    block.name = "mine"
    theirs(lab, block, name="theirs")
    error = failed(session)
    assert session.new == [fresh]
    with lab.session() as other:
        assert other.query(Block).count() == 1
    error.resolve("theirs")
    session.commit()
    assert fresh.location is not None


def test_every_object_concerned_is_told_at_once(lab, session, block):
    second = session.add(Block("second"))
    session.commit()
    block.name = second.name = "mine"
    theirs(lab, block, name="t1")
    theirs(lab, second, name="t2")
    error = failed(session)
    assert {(conflict.obj, conflict.theirs) for conflict in error.conflicts} == {(block, "t1"), (second, "t2")}
    error.resolve("mine")
    session.commit()
    assert stored(lab, second)[0] == "mine"


def test_references_conflict_and_settle(lab, session, block):
    one, two = session.add(Block("one")), session.add(Block("two"))
    segment = session.add(Segment("s", block=block))
    session.commit()
    len(one.segments), len(two.segments)
    segment.block = one
    with lab.session() as other:
        other.get(segment.location).block = other.get(two.location)
        other.commit()
    error = failed(session)
    (conflict,) = error.conflicts
    assert (conflict.base, conflict.mine, conflict.theirs) == (block, one, two.location)
    error.resolve("theirs")
    assert segment.block is two
    assert (list(block.segments), list(one.segments), list(two.segments)) == ([], [], [segment])
    session.commit()
    assert segment.block is two


def test_references_settled_by_mine(lab, session, block):
    one, two = session.add(Block("one")), session.add(Block("two"))
    segment = session.add(Segment("s", block=block))
    session.commit()
    segment.block = one
    with lab.session() as other:
        other.get(segment.location).block = other.get(two.location)
        other.commit()
    failed(session).resolve("mine")
    session.commit()
    assert (list(block.segments), list(one.segments), list(two.segments)) == ([], [segment], [])
    with lab.session() as other:
        assert other.get(segment.location).block.name == "one"


@pytest.mark.parametrize("how", ["mine", "theirs"])
@pytest.mark.needs("Arrays of an earlier version")
def test_arrays_conflict_by_content(lab, session, how):
    signal = session.add(AnalogSignal(signal=([1.0], "mV"), sampling_rate=1 * pq.Hz, t_start=0 * pq.s))
    session.commit()
    signal.signal = ([2.0], "mV")
    theirs(lab, signal, signal=([3.0], "mV"))
    error = failed(session)
    (conflict,) = error.conflicts
    assert [float(side[0]) for side in (conflict.base, conflict.mine, conflict.theirs)] == [1.0, 2.0, 3.0]
    error.resolve(how)
    session.commit()
    assert np.asarray(signal.signal).tolist() == ([2.0] if how == "mine" else [3.0])


def test_equal_arrays_on_both_sides_merge(lab, session):
    signal = session.add(AnalogSignal(signal=([1.0], "mV"), sampling_rate=1 * pq.Hz, t_start=0 * pq.s))
    session.commit()
    signal.signal = ([2.0], "mV")
    theirs(lab, signal, signal=([2.0], "mV"), name="theirs")
    failed(session).resolve("merge")
    session.commit()
    assert signal.name == "theirs"


def test_deleting_what_somebody_changed_is_a_conflict(lab, session, block):
    session.delete(block)
    theirs(lab, block, name="theirs")
    error = failed(session)
    assert session.deleted == [block]
    assert "was deleted here and changed there" in str(error)
    error.resolve("theirs")
    assert session.deleted == []
    assert block.name == "theirs"
    session.commit()
    assert stored(lab, block)[0] == "theirs"


def test_deleting_all_the_same(lab, session, block):
    session.delete(block)
    theirs(lab, block, name="theirs")
    failed(session).resolve("mine")
    session.commit()
    with lab.session() as other:
        assert other.query(Block).count() == 0


def test_changing_what_somebody_deleted_can_be_given_up(lab, session, block):
    block.name = "mine"
    with lab.session() as other:
        other.delete(other.get(block.location))
        other.commit()
    error = failed(session)
    (conflict,) = error.conflicts
    assert (conflict.field, conflict.mine, conflict.theirs) == (None, {"name": "mine"}, None)
    assert "was changed here and deleted there" in str(error)
    with pytest.raises(ConflictError, match="copy it"):
        error.resolve("mine")
    error.resolve("theirs")
    session.commit()
    assert session.get(block.location) is None


@pytest.mark.needs("Channels and their groups")
def test_links_of_a_group_that_somebody_renamed(lab, session):
    group, channel = session.add(RecordingChannelGroup("g")), session.add(RecordingChannel("c"))
    session.commit()
    group.recordingchannels.append(channel)
    theirs(lab, group, name="theirs")
    session.commit()
    with lab.session() as other:
        again = other.get(group.location)
        assert (again.name, len(again.recordingchannels)) == ("theirs", 1)


def test_an_unknown_way_of_settling_is_refused(lab, session, block):
    block.name = "mine"
    theirs(lab, block, name="theirs")
    error = failed(session)
    with pytest.raises(ValidationFailed, match="'mine', 'theirs', 'merge'"):
        error.resolve("mein")
    assert session.dirty == [block]


def test_a_callable_sees_every_conflict_once_and_may_fail(lab, session, block):
    block.name = "mine"
    block.description = "mine"
    theirs(lab, block, name="theirs")
    error = failed(session)
    seen = []

    def settle(conflict):
        seen.append(conflict.field)
        raise RuntimeError("undecided")

    with pytest.raises(RuntimeError):
        error.resolve(settle)
    assert len(seen) == 1
    assert (block.name, session.dirty) == ("mine", [block])
    error.resolve(lambda conflict: conflict.mine)
    session.commit()
    assert stored(lab, block)[:2] == ("mine", "mine")


def test_a_conflict_of_a_closed_session_cannot_be_settled(lab, block):
    session = lab.session()
    again = session.get(block.location)
    again.name = "mine"
    theirs(lab, block, name="theirs")
    error = failed(session)
    session.close()
    with pytest.raises(SessionError):
        error.resolve("mine")


def test_what_was_moved_here_and_deleted_there_leaves_its_collection(lab, session, block):
    moved = session.add(Segment("moved"))
    session.commit()
    block.segments.append(moved)
    with lab.session() as other:
        other.delete(other.get(moved.location))
        other.commit()
    with pytest.raises(ConflictError) as failure:
        session.commit()
    failure.value.resolve("theirs")
    assert moved not in block.segments
    session.commit()
    assert (session.new, session.dirty) == ([], [])
