"""States and identity: one instance for each stored object, held as long as it matters and no longer."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import pytest

from gnode_orm import AnalogSignal, Block, Section, Segment
from gnode_orm.core.state import Status
from gnode_orm.errors import ConflictError, NotFound, SessionError, ValidationFailed
from gnode_orm.session.identity_map import IdentityMap

STORES = ("memory",)


@pytest.fixture
def stored(lab):
    """Locations of a block and its segment."""
    with lab.session() as session:
        segment = Segment("s", block=Block("b", description="first"))
        session.add(segment)
        session.commit()
        places = segment.block.location, segment.location
    lab.forget()
    return places


@pytest.mark.statement(1)
def test_getting_twice_gives_the_same_object_with_one_request(lab, session, stored):
    first = session.get(stored[0])
    assert session.get(stored[0]) is first
    assert lab.calls == ["get"]


@pytest.mark.statement(2)
def test_query_foreign_key_and_collection_give_one_object(session, stored):
    by_query = session.query(Block).one()
    segment = session.get(stored[1])
    assert segment.block is by_query
    assert by_query.segments[0] is segment
    assert session.query(Segment).one() is segment
    assert session.get(Block, by_query.id) is by_query


@pytest.mark.statement(3)
def test_every_spelling_of_a_location_is_one_identity(session, stored):
    block = session.get(stored[0])
    spellings = [
        str(stored[0]),
        str(stored[0]).rstrip("/"),
        f"https://Lab.Example:8000{stored[0]}",
        f"electrophysiology/block/{block.id}",
        f"block/{block.id}",
    ]
    assert all(session.get(text) is block for text in spellings)
    assert session.get(Block, f"block/{block.id}") is block


def test_an_absent_object_is_none(session, stored):
    assert session.get("block/1000000000") is None


def test_a_location_of_another_class_is_refused(session, stored):
    with pytest.raises(ValidationFailed, match="location of a block, not of a segment"):
        session.get(Segment, str(stored[0]))


@pytest.mark.statement(4)
def test_fetching_again_refreshes_a_clean_object_in_place(lab, session, stored):
    block = session.get(stored[0])
    assert block.name == "b"
    _rename(lab, stored[0], "theirs")
    assert session.query(Block).one() is block
    assert block.name == "theirs"


@pytest.mark.statement(4)
def test_fetching_again_keeps_local_changes(lab, session, stored):
    block = session.get(stored[0])
    block.name = "mine"
    _rename(lab, stored[0], "theirs")
    session.query(Block).all()
    session.get(stored[0])
    assert block.name == "mine"
    assert session.dirty == [block]
    with pytest.raises(ConflictError):
        session.commit()


@pytest.mark.statement(5)
def test_refresh_overwrites_local_changes_and_forgets_them(lab, session, stored):
    block = session.get(stored[0])
    block.name = "mine"
    _rename(lab, stored[0], "theirs")
    session.refresh(block)
    assert block.name == "theirs"
    assert not session.dirty
    block.name = "again"
    session.commit()


@pytest.mark.statement(6)
def test_clean_objects_that_nobody_holds_are_let_go(session, stored):
    block = session.get(stored[0])
    watch = weakref.ref(block)
    del block
    gc.collect()
    assert watch() is None
    assert len(session._identity) == 0


@pytest.mark.statement(6)
def test_a_clean_tree_that_nobody_holds_is_let_go(session, stored):
    block = session.get(stored[0])
    watch = weakref.ref(block.segments[0])
    del block
    gc.collect()
    assert watch() is None
    assert len(session._identity) == 0


@pytest.mark.statement(7)
@pytest.mark.parametrize("end", [pytest.param("commit", marks=pytest.mark.needs("Annotations")), "rollback"])
def test_a_changed_object_that_nobody_holds_is_kept_until_it_is_written_or_undone(session, stored, end):
    block = session.get(stored[0])
    block.annotations["seen"] = True
    watch = weakref.ref(block)
    del block
    gc.collect()
    assert watch() is not None
    getattr(session, end)()
    gc.collect()
    assert watch() is None


@pytest.mark.statement(8)
def test_a_late_callback_does_not_remove_a_successor():
    identity, first, second = IdentityMap(), Block("first"), Block("second")
    late, successor = (block._enter(None, None, Status.PERSISTENT, id=7, version=1) for block in (first, second))
    identity.add(late)
    identity.add(successor)
    identity.forget(late)
    assert identity.get("block", 7) is second


@pytest.mark.statement(9)
def test_a_second_object_of_one_location_is_refused(lab, session, stored):
    with lab.session() as other:
        loose = other.get(stored[0])
        loose.name  # noqa: B018
    mine = session.get(stored[0])
    with pytest.raises(ValidationFailed, match="stand for the same stored object") as failure:
        session.add(loose)
    assert repr(mine) in str(failure.value)


@pytest.mark.statement(10)
def test_an_object_of_another_session_is_refused_until_it_is_expunged(lab, session, stored):
    other = lab.session()
    block = other.get(stored[0])
    with pytest.raises(ValidationFailed, match="another session"):
        session.add(block)
    other.expunge(block)
    session.add(block)
    block.name = "moved over"
    session.commit()
    other.close()
    assert session.get(stored[0]) is block


@pytest.mark.statement(11)
def test_adding_twice_creates_once(session, lab):
    block = Block("b")
    session.add_all([block, block])
    session.add(block)
    assert session.commit().counts == {"create Block": 1}
    assert session.query(Block).count() == 1


@pytest.mark.statement(12)
def test_a_created_object_is_found_by_its_location(session, lab):
    block = session.add(Block("b"))
    session.commit()
    lab.forget()
    assert session.get(block.location) is block
    assert session.query(Block).one() is block
    assert lab.calls == ["select"]


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "model_copy": lambda block: block.model_copy(),
    "pickle": lambda block: pickle.loads(pickle.dumps(block)),
}


@pytest.mark.statement(14)
@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_transient_and_becomes_an_object_of_its_own(session, how):
    block = session.add(Block("b"))
    session.commit()
    twin = COPIES[how](block)
    assert (twin.location, twin.guid, twin.owner) == (None, None, None)
    assert twin not in session
    session.add(twin)
    session.commit()
    assert twin.location != block.location
    assert session.query(Block).count() == 2


@pytest.mark.statement(15)
def test_merging_a_detached_object_makes_its_changes_pending(lab, session, stored):
    with lab.session() as other:
        loose = other.get(stored[0])
        loose.name  # noqa: B018
    loose.name = "changed while detached"
    merged = session.merge(loose)
    assert merged is session.get(stored[0])
    assert session.changes(merged) == {"name": ("b", "changed while detached")}
    session.commit()
    assert merged.name == "changed while detached"


@pytest.mark.statement(15)
def test_merging_an_object_of_an_older_version_is_a_conflict(lab, session, stored):
    with lab.session() as other:
        loose = other.get(stored[0])
        loose.name  # noqa: B018
    _rename(lab, stored[0], "theirs")
    loose.name = "mine"
    with pytest.raises(ConflictError, match="older version"):
        session.merge(loose)


def test_merging_an_object_that_is_gone_says_what_to_do(lab, session, stored):
    with lab.session() as other:
        loose = other.get(stored[1])
        loose.name = "changed"
        other.expunge(loose)
    with lab.session() as other:
        other.delete(other.get(stored[1]))
        other.commit()
    with pytest.raises(NotFound, match=f"{stored[1]} is not there any more; copy the object"):
        session.merge(loose)
    assert session.dirty == []


@pytest.mark.statement(16)
def test_merging_overwrites_nothing_that_was_not_set(lab, session, stored):
    with lab.session() as other:
        loose = other.get(stored[0])
    loose.name = "x"
    merged = session.merge(loose)
    assert set(session.changes(merged)) == {"name"}
    session.commit()
    assert merged.description == "first"


def test_merging_keeps_a_parent_that_was_set(lab, session, stored):
    with lab.session() as other:
        other_block = other.add(Block("second"))
        other.commit()
        segment = other.get(stored[1])
        segment.block  # noqa: B018
    segment.block = other_block
    merged = session.merge(segment)
    session.commit()
    assert merged.block.name == "second"
    assert merged.block in session


@pytest.mark.statement(17)
def test_expunging_a_pending_object_takes_its_new_children_along(session):
    block = Block("b")
    segment = Segment("s", block=block)
    session.add(block)
    session.expunge(block)
    assert session.new == []
    assert segment.block is block
    assert session.commit().counts == {}


@pytest.mark.statement(17)
def test_expunging_a_changed_object_loses_nothing_in_memory(session, stored):
    block = session.get(stored[0])
    block.name = "changed"
    session.expunge(block)
    assert (block.name, block.description) == ("changed", "first")
    assert session.dirty == []
    session.add(block)
    assert session.dirty == [block]
    session.commit()


@pytest.mark.statement(17)
def test_an_expunged_child_is_met_as_another_instance_whose_changes_are_written(lab, session):
    block = session.add(Block("b"))
    block.segments = [Segment("one"), Segment("two")]
    session.commit()
    gone, stays = block.segments
    session.expunge(gone)
    assert gone not in block.segments
    assert [segment.name for segment in block.segments] == ["one", "two"]
    assert block.segments[1] is stays
    assert block.segments[0] is session.get(gone.location)
    block.segments[0].name = "changed"
    gone.name = "nobody's"
    session.commit()
    assert [segment.name for segment in lab.session().get(block.location).segments] == ["changed", "two"]


@pytest.mark.statement(17)
def test_an_expunged_new_child_is_in_no_collection_until_it_is_added_again(lab, session):
    block = session.add(Block("b"))
    session.commit()
    segment = Segment("s", block=block)
    session.expunge(segment)
    assert (list(block.segments), segment.block) == ([], block)
    session.commit()
    assert list(lab.session().get(block.location).segments) == []
    session.add(segment)
    assert list(block.segments) == [segment]
    session.commit()
    assert [item.name for item in lab.session().get(block.location).segments] == ["s"]


@pytest.mark.statement(17)
def test_a_move_undone_by_expunging_is_pending_again_with_the_object(lab, session):
    block, other = session.add(Block("b")), session.add(Block("other"))
    segment = Segment("s", block=block)
    session.commit()
    segment.block = other
    session.expunge(segment)
    assert session.commit().counts == {}
    session.add(segment)
    assert (list(block.segments), list(other.segments)) == ([], [segment])
    session.commit()
    assert [item.name for item in lab.session().get(other.location).segments] == ["s"]


@pytest.mark.statement(17)
@pytest.mark.parametrize("loaded", [False, True], ids=["later", "before"])
def test_a_move_by_location_is_seen_by_its_parent_when_the_object_is_added_again(lab, session, loaded):
    with lab.session() as other, other.begin():
        block, target = other.add(Block("b")), other.add(Block("target"))
        segment = Segment("s", block=block)
    moved = session.get(segment.location)
    if loaded:
        before = session.get(target.location)
    moved.block = str(target.location)
    session.expunge(moved)
    session.add(moved)
    after = session.get(target.location)
    assert list(after.segments) == [moved]
    assert not loaded or after is before
    session.commit()
    assert list(after.segments) == [moved]


@pytest.mark.statement(17)
@pytest.mark.parametrize("closed", [False, True], ids=["expunged", "session closed"])
def test_an_object_without_a_session_comes_into_that_of_the_parent_that_it_is_given(lab, session, closed):
    first = lab.session()
    segment = Segment("s", block=first.add(Block("b")))
    first.commit()
    if closed:
        first.close()
    else:
        first.expunge(segment)
    other = session.add(Block("other"))
    other.segments.append(segment)
    assert segment in session
    session.commit()
    assert [item.name for item in lab.session().get(other.location).segments] == ["s"]
    first.close()


@pytest.mark.statement(17)
def test_an_object_without_a_session_is_refused_by_a_parent_beside_another_instance_of_it(session):
    block, other = session.add(Block("b")), session.add(Block("other"))
    segment = Segment("s", block=block)
    session.commit()
    session.expunge(segment)
    again = session.get(segment.location)
    with pytest.raises(ValidationFailed, match="stand for the same stored object; use merge"):
        other.segments.append(segment)
    assert (list(other.segments), list(block.segments), session.dirty) == ([], [again], [])


def test_merging_takes_a_new_parent_along(lab, session, stored):
    with lab.session() as other:
        loose = other.get(stored[1])
        loose.name  # noqa: B018
    loose.block = Block("fresh")
    merged = session.merge(loose)
    assert [block.name for block in session.new] == ["fresh"]
    assert merged.block is session.new[0]
    session.commit()
    with lab.session() as other:
        assert other.get(stored[1]).block.name == "fresh"


def test_an_object_below_one_that_came_into_another_session_is_refused(lab, session, stored):
    with lab.session() as before:
        block = before.get(stored[0])
        block.name  # noqa: B018
    segment = Segment("made in between", block=block)
    other = lab.session()
    other.add(block)
    with pytest.raises(ValidationFailed, match="another session"):
        session.add(segment)
    assert segment not in session
    other.close()


def test_expunging_a_stranger_is_refused(session):
    with pytest.raises(SessionError, match="not in this session"):
        session.expunge(Block("b"))


def test_objects_of_two_sessions_cannot_be_joined(lab, session, stored):
    other = lab.session()
    segment = other.get(stored[1])
    block = session.add(Block("b"))
    with pytest.raises(ValidationFailed, match="different sessions"):
        segment.block = block
    assert segment not in block.segments
    other.close()


def test_adding_below_an_object_of_another_session_is_refused(lab, session, stored):
    other = lab.session()
    block = other.get(stored[0])
    segment = Segment("s", block=block)
    assert segment in other
    with pytest.raises(ValidationFailed, match="another session"):
        session.add(segment)
    other.rollback()
    other.close()


@pytest.mark.statement(2)
def test_a_whole_tree_is_one_set_of_objects(session, lab):
    document = Section("top")
    signal = AnalogSignal(
        signal=([1.0, 2.0], "mV"), sampling_rate=(1, "kHz"), t_start=(0, "s"), segment=Segment("s", block=Block("b"))
    )
    signal.segment.metadata = document
    session.add(signal)
    session.commit()
    again = session.query(AnalogSignal).one()
    assert again is signal
    assert again.segment.metadata is document
    assert document.segments == [again.segment]


def _rename(lab, place, name):
    with lab.session() as other:
        other.get(place).name = name
        other.commit()
