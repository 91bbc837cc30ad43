"""A savepoint in memory: a failure inside restores exactly what was pending before; success folds into it."""

from __future__ import annotations

import pytest

from gnode_orm import Block, RecordingChannel, RecordingChannelGroup, Segment
from gnode_orm.errors import SessionError

STORES = ("memory",)


@pytest.fixture
def block(lab, session):
    """A stored block with the segments 0 and 1 and annotations, in its session."""
    block = session.add(Block("b", annotations={"n": {"deep": [1]}}))
    block.segments = [Segment("0"), Segment("1")]
    session.commit()
    lab.forget()
    return block


def pending(session):
    """Everything that a savepoint must bring back."""
    objects = [*session.new, *session.dirty, *session.deleted]
    registers = [list(map(id, items)) for items in (session.new, session.dirty, session.deleted)]
    changes = [(id(item), {name: str(pair) for name, pair in session.changes(item).items()}) for item in objects]
    return registers, changes, [str(item) for item in session.plan()]


def names(block):
    return [segment.name for segment in block.segments]


def fail(session, work):
    with pytest.raises(ZeroDivisionError), session.nested():  # noqa: PT012
        work()
        raise ZeroDivisionError


@pytest.mark.statement(86)
def test_success_folds_into_what_is_pending(session, block):
    block.name = "outer"
    with session.nested():
        block.description = "inner"
        Segment("new", block=block)
    assert set(session.changes(block)) == {"name", "description"}
    session.commit()
    assert names(block) == ["0", "1", "new"]


@pytest.mark.statement(86)
def test_a_failure_restores_values_annotations_and_registers(lab, session, block):
    block.name = "outer"
    block.annotations["n"]["deep"].append(2)
    fresh = session.add(Block("fresh"))
    before = pending(session)

    def work():
        block.name = "inner"
        block.description = "inner"
        block.annotations["n"]["deep"].append(3)
        fresh.name = "inner"
        fresh.annotations["x"] = 1
        session.add(Block("inner"))

    fail(session, work)
    assert pending(session) == before
    assert (block.name, block.description, block.annotations) == ("outer", None, {"n": {"deep": [1, 2]}})
    assert (fresh.name, fresh.annotations) == ("fresh", {})
    assert "apply" not in lab.calls
    session.rollback()
    assert (block.name, block.annotations) == ("b", {"n": {"deep": [1]}})


@pytest.mark.statement(86)
def test_a_failure_restores_collections_and_moves(session, block):
    fresh = session.add(Block("fresh"))
    first, second = block.segments
    first.block = fresh
    before = pending(session)

    def work():
        second.block = fresh
        first.block = None
        fresh.segments.append(Segment("inner"))
        block.segments.append(Segment("inner too"))

    fail(session, work)
    assert pending(session) == before
    assert (names(block), names(fresh)) == (["1"], ["0"])
    assert (first.block, second.block) == (fresh, block)
    session.rollback()
    assert names(block) == ["0", "1"]


@pytest.mark.statement(86)
def test_a_failure_restores_deletions(session, block):
    first, second = block.segments
    session.delete(first)
    fresh = session.add(Block("fresh"))
    before = pending(session)

    def work():
        session.add(first)
        session.delete(second)
        session.delete(fresh)

    fail(session, work)
    assert pending(session) == before
    session.commit()
    assert names(block) == ["1"]
    assert fresh.location is not None


def test_a_failure_restores_children_of_a_new_parent_without_any(session):
    fresh = session.add(Block("fresh"))
    fail(session, lambda: Segment("inner", block=fresh))
    assert list(fresh.segments) == []
    assert session.new == [fresh]


def test_a_new_object_moved_below_a_clean_parent_goes_back(session, block):
    loose = session.add(Segment("loose"))
    assert names(block) == ["0", "1"]
    fail(session, lambda: setattr(loose, "block", block))
    assert names(block) == ["0", "1"]
    assert loose.block is None
    assert session.new == [loose]


def test_a_collection_loaded_inside_stays_right(lab, block):
    with lab.session() as session:
        again = session.get(block.location)
        again.segments.append(Segment("outer"))

        def work():
            assert names(again) == ["0", "1", "outer"]
            again.segments.append(Segment("inner"))
            again.segments[0].block = None

        fail(session, work)
        assert names(again) == ["0", "1", "outer"]
        session.rollback()
        assert names(again) == ["0", "1"]


def test_a_failure_restores_links(session):
    group, one, two = RecordingChannelGroup("g"), RecordingChannel("1"), RecordingChannel("2")
    group.recordingchannels = [one]
    session.add_all([group, two])
    session.commit()
    group.recordingchannels.append(two)
    before = pending(session)
    fail(session, lambda: group.recordingchannels.clear())
    assert pending(session) == before
    assert list(group.recordingchannels) == [one, two]
    assert list(two.recordingchannelgroups) == [group]


def test_what_was_clean_before_is_clean_again(lab, session, block):
    fail(session, lambda: (setattr(block, "name", "x"), session.delete(block.segments[0])))
    assert (session.new, session.dirty, session.deleted) == ([], [], [])
    lab.forget()
    session.commit()
    assert lab.calls == []


def test_levels_stand_in_each_other(session, block):
    with session.nested():
        block.name = "one"
        fail(session, lambda: setattr(block, "name", "two"))
        assert block.name == "one"
        before = pending(session)
        with pytest.raises(ZeroDivisionError), session.nested():  # noqa: PT012
            with session.nested():
                block.name = "three"
            assert block.name == "three"
            raise ZeroDivisionError
        assert pending(session) == before
    assert session.changes(block) == {"name": ("b", "one")}


def test_an_expunged_object_comes_back(session, block):
    block.name = "outer"
    before = pending(session)
    fail(session, lambda: session.expunge(block))
    assert pending(session) == before
    assert session.get(block.location) is block


def test_nothing_can_be_written_inside(session, block):
    block.name = "outer"
    with pytest.raises(SessionError, match="commit after it"), session.nested():
        session.commit()
    assert session.dirty == [block]
    session.commit()


def test_a_rollback_inside_undoes_everything(session, block):
    block.name = "outer"

    def work():
        session.rollback()
        block.description = "after"

    fail(session, work)
    assert (block.name, block.description) == ("b", None)
    assert session.dirty == []


def test_beginning_reads_nothing_of_objects_that_expired(lab, session, block):
    """One that is to be deleted may be gone by then."""
    segment = block.segments[0]
    session.expire_all()
    session.delete(segment)
    with lab.session() as other:
        other.delete(other.get(segment.location))
        other.commit()
    lab.forget()
    with session.nested():
        block_of_its_own = session.add(Block("c"))
    assert lab.calls == []
    fail(session, lambda: session.delete(block_of_its_own))
    assert session.deleted == [segment]
    session.commit()
    assert names(block) == ["1"]
