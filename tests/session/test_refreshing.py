"""Reading anew: one object, one collection, or everything that is not being changed."""

from __future__ import annotations

import gc
import weakref

import pytest

from gnode_orm import Block, Segment
from gnode_orm.errors import DetachedError, NotFound, SessionError, UnknownField

STORES = ("memory",)


@pytest.fixture
def block(session):
    """A stored block with two segments, in its session."""
    block = session.add(Block("b", annotations={"x": 1}))
    block.segments = [Segment("0"), Segment("1")]
    session.commit()
    return block


def change(lab, block, **fields):
    """Change the block, and hang another segment below it, in another session."""
    with lab.session() as other:
        theirs = other.get(block.location)
        for name, value in fields.items():
            setattr(theirs, name, value)
        theirs.segments.append(Segment("theirs"))
        other.commit()


def names(block):
    return [segment.name for segment in block.segments]


def test_refresh_reads_what_another_session_wrote(lab, session, block):
    change(lab, block, name="theirs")
    session.refresh(block)
    assert block.name == "theirs"
    assert block.modified == session.history(block)[-1].time


@pytest.mark.statement(76)
def test_refresh_of_a_collection_keeps_what_is_pending(lab, session, block):
    first = block.segments[0]
    block.segments.remove(first)
    block.segments.append(Segment("mine"))
    change(lab, block)
    assert names(block) == ["1", "mine"]
    session.refresh(block, "segments")
    assert names(block) == ["1", "theirs", "mine"]
    session.rollback()
    assert names(block) == ["0", "1", "theirs"]


def test_refresh_names_a_misspelt_collection(session, block):
    with pytest.raises(UnknownField, match="did you mean 'segments'"):
        session.refresh(block, "segmets")


def test_refresh_of_a_deleted_object_says_so(lab, session, block):
    with lab.session() as other:
        other.delete(other.get(block.location), cascade=True)
        other.commit()
    with pytest.raises(NotFound, match="not there any more"):
        session.refresh(block)


def test_expired_objects_are_read_at_the_next_use(lab, session, block):
    change(lab, block, name="theirs")
    lab.forget()
    session.expire_all()
    assert lab.calls == []
    assert block.name == "theirs"
    assert lab.calls == ["get"]
    assert (block.annotations, block.description) == ({"x": 1}, None)
    assert lab.calls == ["get"]
    assert names(block) == ["0", "1", "theirs"]


def test_expired_objects_can_be_changed_got_and_queried(lab, session, block):
    change(lab, block, description="theirs")
    session.expire_all()
    block.name = "mine"
    assert session.changes(block) == {"name": ("b", "mine")}
    session.commit()
    session.expire_all()
    assert session.get(block.location) is block
    session.expire_all()
    assert session.query(Block).one() is block
    assert (block.name, block.description) == ("mine", "theirs")


def test_expiring_keeps_local_changes(lab, session, block):
    block.annotations["x"] = 2
    fresh = Segment("mine")
    block.segments.append(fresh)
    session.expire_all()
    assert block.annotations == {"x": 2}
    assert fresh in block.segments
    session.commit()


@pytest.mark.parametrize("look", [lambda session: session.expire_all(), lambda session: session.query(Block).all()])
def test_what_was_set_and_set_back_does_not_stand_in_the_way_of_reading_anew(lab, session, block, look):
    block.name = "x"
    block.name = "b"
    change(lab, block, name="theirs")
    look(session)
    assert block.name == "theirs"
    block.name = "mine"
    session.commit()
    assert session.history(block)[-1].changes == {"name": ("theirs", "mine")}


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_what_was_set_back_and_expired_is_neither_read_nor_held_at_the_end(lab, block, end):
    with lab.session() as other:
        again = other.get(block.location)
        again.name = "x"
        again.name = "b"
        other.expire_all()
        lab.forget()
        getattr(other, end)()
        assert lab.calls == []
        watch = weakref.ref(again)
        del again
        gc.collect()
        assert watch() is None


def test_an_expired_object_that_was_deleted_is_not_there(lab, session, block):
    with lab.session() as other:
        other.delete(other.get(block.location), cascade=True)
        other.commit()
    session.expire_all()
    assert session.get(block.location) is None
    with pytest.raises(NotFound):
        block.name  # noqa: B018


def test_an_expired_object_of_a_closed_session_says_what_to_do(lab):
    session = lab.session()
    block = session.add(Block("b"))
    session.commit()
    session.expire_all()
    session.close()
    with pytest.raises(DetachedError, match="add it to a session"):
        block.name  # noqa: B018
    with lab.session() as other:
        other.add(block)
        assert block.name == "b"


def test_refreshing_a_new_object_is_refused(session):
    block = session.add(Block("b"))
    with pytest.raises((SessionError, NotFound)):
        session.refresh(block)
    assert session.new == [block]


def test_an_expired_collection_with_something_pending_shows_what_another_session_did(lab, session, block):
    len(block.segments)
    gone, moved = block.segments[0], block.segments[1]
    fresh = Segment("fresh", block=block)
    moved.block = None
    with lab.session() as other:
        other.get(gone.location).block = None
        other.add(Segment("theirs", block=str(block.location)))
        other.commit()
    session.expire_all()
    assert gone.block is None
    assert [segment.name for segment in block.segments] == ["theirs", "fresh"]
    assert block.segments[-1] is fresh
    session.rollback()
    assert {segment.name for segment in block.segments} == {moved.name, "theirs"}


def _refresh(session, block, lab):
    session.refresh(block)


def _expire(session, block, lab):
    session.expire_all()


def _meet_newer(session, block, lab):
    with lab.session() as other:
        other.get(block.location).annotations["theirs"] = 2
        other.commit()
    session.query(Block).all()


@pytest.mark.parametrize("read_again", [_refresh, _expire, _meet_newer])
def test_annotations_that_are_held_while_their_object_is_read_again_go_on_being_edited(lab, session, read_again):
    block = session.add(Block("b", annotations={"a": 1}))
    session.commit()
    held = block.annotations
    read_again(session, block, lab)
    held["b"] = 3
    assert block.annotations is held
    assert session.dirty == [block]
    session.commit()
    with lab.session() as other:
        stored = dict(other.get(block.location).annotations)
    assert stored == dict(held)
    assert {**stored, "theirs": 2} == {"a": 1, "b": 3, "theirs": 2}
