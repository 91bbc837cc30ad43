"""Edits made while a commit is under way: none is lost, whatever becomes of the commit."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, RecordingChannel, RecordingChannelGroup, Segment
from gnode_orm.core.changes import ChangeSet
from gnode_orm.errors import ConflictError, SessionError, StoreUnavailable

STORES = ("memory", "postgres")


@pytest.fixture
def meanwhile(lab, monkeypatch):
    """Have something done while the next change set is at the store."""
    apply = lab.faults.apply
    waiting = []

    def disturbed(changes, actor):
        work, fault = waiting.pop() if waiting else (lambda: None, None)
        if fault == "before":
            work()
            raise StoreUnavailable("away")
        receipt = apply(changes, actor)
        work()
        if fault == "after":
            raise StoreUnavailable("the answer got lost")
        return receipt

    monkeypatch.setattr(lab.faults, "apply", disturbed)
    return lambda work, fault=None: waiting.append((work, fault))


@pytest.fixture
def block(lab, session):
    """A stored block with the segments 0 and 1 and annotations, in its session."""
    block = session.add(Block("b", **lab.notes(n=1)))
    block.segments = [Segment("0"), Segment("1")]
    session.commit()
    return block


def names(block):
    return [segment.name for segment in block.segments]


def commit(session, fault):
    """Commit, and once more where the first one fails on purpose."""
    if fault is None:
        return session.commit()
    with pytest.raises(StoreUnavailable):
        session.commit()
    return None


@pytest.mark.statement(29)
@pytest.mark.needs("Annotations")
def test_an_edit_of_what_is_being_written_stays_pending_on_what_was_written(lab, session, block, meanwhile):
    def edit():
        block.name = "late"
        block.annotations["n"] = 3

    block.name = "sent"
    block.annotations["n"] = 2
    meanwhile(edit)
    session.commit()
    assert (block.name, block.annotations) == ("late", {"n": 3})
    assert session.changes(block) == {"name": ("sent", "late"), "annotations": ({"n": 2}, {"n": 3})}
    session.commit()
    with lab.session() as other:
        assert (other.get(block.location).name, lab.versions(block)) == ("late", 3)


@pytest.mark.statement(29)
def test_an_edit_of_an_object_that_is_being_created_stays_pending(lab, session, meanwhile):
    fresh = session.add(Block("sent"))
    meanwhile(lambda: setattr(fresh, "name", "late"))
    session.commit()
    assert session.changes(fresh) == {"name": ("sent", "late")}
    session.rollback()
    assert fresh.name == "sent"


def test_what_is_set_back_meanwhile_is_a_change_of_what_was_written(lab, session, block, meanwhile):
    block.name = "sent"
    meanwhile(lambda: setattr(block, "name", "b"))
    session.commit()
    assert session.changes(block) == {"name": ("sent", "b")}
    session.commit()
    with lab.session() as other:
        assert other.get(block.location).name == "b"


@pytest.mark.parametrize("fault", [None, "before", "after"])
@pytest.mark.needs("None for a foreign key")
def test_members_hung_in_and_taken_out_meanwhile_stay_pending(lab, session, block, meanwhile, fault):
    first, second = block.segments
    sent, late = Segment("sent"), Segment("late")

    def edit():
        block.segments.append(late)
        sent.block = None
        first.block = block
        second.block = None

    block.segments.append(sent)
    first.block = None
    meanwhile(edit, fault)
    commit(session, fault)
    assert names(block) == ["late", "0"]
    session.commit()
    assert (session.new, session.dirty) == ([], [])
    assert names(block) == ["late", "0"]
    with lab.session() as other:
        assert {segment.name for segment in other.get(block.location).segments} == {"0", "late"}
        assert other.query(Segment).count() == 4


@pytest.mark.needs("None for a foreign key")
def test_members_hung_in_and_taken_out_meanwhile_can_be_undone_to_what_was_written(session, block, meanwhile):
    first, second = block.segments
    sent = Segment("sent")

    def edit():
        sent.block = None
        first.block = block
        second.block = None
        Segment("late", block=block)

    block.segments.append(sent)
    first.block = None
    meanwhile(edit)
    session.commit()
    session.rollback()
    assert (session.new, session.dirty) == ([], [])
    assert names(block) == ["1", "sent"]
    assert (first.block, second.block, sent.block) == (None, block, block)


def test_members_of_a_collection_that_is_not_loaded_follow_what_came_later(lab, block, meanwhile):
    with lab.session() as session:
        again = session.get(block.location)
        sent = Segment("sent", block=again)
        meanwhile(lambda: (setattr(sent, "block", None), Segment("late", block=again)))
        session.commit()
        assert names(again) == ["0", "1", "late"]
        session.rollback()
        assert names(again) == ["0", "1", "sent"]


@pytest.mark.needs("Channels and their groups")
def test_links_made_meanwhile_are_written_by_the_next_commit(lab, session, meanwhile):
    group, one, two = RecordingChannelGroup("g"), RecordingChannel("1"), RecordingChannel("2")
    session.add_all([group, one, two])
    session.commit()
    group.recordingchannels.append(one)
    meanwhile(lambda: (group.recordingchannels.append(two), group.recordingchannels.remove(one)))
    session.commit()
    assert [(item.op, item.obj) for item in session.plan()] == [("link", two), ("unlink", one)]
    session.commit()
    with lab.session() as other:
        assert names_of(other.get(group.location).recordingchannels) == ["2"]


def names_of(collection):
    return [item.name for item in collection]


def test_an_array_set_meanwhile_is_written_by_the_next_commit(lab, session, meanwhile):
    signal = session.add(AnalogSignal(signal=([1.0], "mV"), sampling_rate=1 * pq.Hz, t_start=0 * pq.s))
    meanwhile(lambda: setattr(signal, "signal", ([2.0], "mV")))
    session.commit()
    assert np.asarray(signal.signal).tolist() == [2.0]
    assert session.dirty == [signal]
    session.commit()
    with lab.session() as other:
        assert np.asarray(other.get(signal.location).signal).tolist() == [2.0]


@pytest.mark.statement(28)
def test_objects_added_and_parents_named_meanwhile_stay_pending(lab, session, block, meanwhile):
    with lab.session() as other:
        elsewhere = other.add(Block("elsewhere"))
        other.commit()
    segment = block.segments[0]

    def edit():
        session.add(Block("late"))
        segment.block = str(elsewhere.location)

    block.name = "sent"
    meanwhile(edit)
    session.commit()
    assert names_of(session.new) == ["late"]
    assert segment in session.get(elsewhere.location).segments
    assert session.dirty == [segment]
    session.commit()
    assert names(session.get(elsewhere.location)) == ["0"]


@pytest.mark.parametrize("fault", ["before", "after"])
def test_an_edit_meanwhile_survives_a_commit_that_fails(lab, session, block, meanwhile, fault):
    fresh = session.add(Block("sent"))

    def edit():
        block.name = "late"
        fresh.name = "late"
        lab.note(fresh, late=True)

    block.name = "sent"
    meanwhile(edit, fault)
    commit(session, fault)
    assert set(session.changes(block)) == {"name"}
    session.commit()
    assert (session.new, session.dirty) == ([], [])
    with lab.session() as other:
        assert other.get(block.location).name == "late"
        again = other.get(fresh.location)
        assert (again.name, lab.noted(again)) == ("late", {"late": True})
        assert other.query(Block).count() == 2


@pytest.mark.statement(28)
@pytest.mark.parametrize(
    "what",
    [
        lambda session, block: session.rollback(),
        lambda session, block: session.delete(block),
        lambda session, block: session.expunge(block),
        lambda session, block: session.refresh(block),
        lambda session, block: session.close(),
        lambda session, block: session.commit(),
    ],
    ids=["rollback", "delete", "expunge", "refresh", "close", "commit"],
)
def test_what_would_lose_track_of_the_commit_is_refused_meanwhile(lab, session, block, meanwhile, what):
    seen = []

    def attempt():
        with pytest.raises(SessionError, match="under way") as failure:
            what(session, block)
        seen.append(failure.value)

    block.name = "sent"
    meanwhile(attempt)
    session.commit()
    assert len(seen) == 1
    assert session.dirty == []
    with lab.session() as other:
        assert other.get(block.location).name == "sent"


@pytest.mark.statement(82)
def test_another_thread_is_refused_and_changes_nothing(session, block, meanwhile):
    failures = []

    def edit():
        try:
            block.name = "from the thread"
        except SessionError as failure:
            failures.append(str(failure))

    def work():
        worker = threading.Thread(target=edit, name="editor")
        worker.start()
        worker.join()

    block.name = "sent"
    meanwhile(work)
    session.commit()
    (text,) = failures
    assert "'MainThread'" in text
    assert "'editor'" in text
    assert (block.name, session.dirty) == ("sent", [])


def test_a_change_set_that_arrives_late_is_taken_for_what_it_was(lab, session, block, monkeypatch):
    apply, held = lab.faults.apply, []

    def slow(changes, actor):
        """The client gives up waiting; the server writes the first one when the second one arrives."""
        if not held:
            held.append(changes)
            raise StoreUnavailable("timed out")
        if len(held) == 1:
            apply(held[0], actor)
        held.append(changes)
        return apply(changes, actor)

    monkeypatch.setattr(lab.faults, "apply", slow)
    fresh = session.add(Block("first"))
    block.name = "first"
    with pytest.raises(StoreUnavailable):
        session.commit()
    fresh.name = "second"
    block.description = "second"
    session.commit()
    assert (session.new, session.dirty) == ([], [])
    assert isinstance(held[0], ChangeSet)
    with lab.session() as other:
        assert sorted(item.name for item in other.query(Block)) == ["first", "second"]
        assert other.get(block.location).description == "second"
        assert lab.versions(fresh) == 2


@pytest.mark.parametrize("written", ["first", "second", "neither"])
def test_of_two_attempts_under_one_id_the_one_that_was_written_is_settled(lab, session, block, monkeypatch, written):
    apply, sent = lab.faults.apply, []

    def slow(changes, actor):
        """Neither answer comes; the store writes what reaches it first, at the second attempt."""
        sent.append(changes)
        if len(sent) > 2:
            return apply(changes, actor)
        if len(sent) == 2 and written != "neither":
            apply(sent[0] if written == "first" else changes, actor)
        raise StoreUnavailable("timed out")

    monkeypatch.setattr(lab.faults, "apply", slow)
    fresh = session.add(Block("fresh"))
    block.name = "first"
    with pytest.raises(StoreUnavailable):
        session.commit()
    fresh.name = block.name = "second"
    late = Segment("late", block=fresh)
    with pytest.raises(StoreUnavailable):
        session.commit()
    assert sent[0].id == sent[1].id
    fresh.description = "third"
    session.commit()
    assert (session.new, session.dirty) == ([], [])
    assert session.query(Segment).filter(name="late").one() is late
    with lab.session() as other:
        assert sorted(item.name for item in other.query(Block)) == ["second", "second"]
        again = other.get(fresh.location)
        assert (again.description, [segment.name for segment in again.segments]) == ("third", ["late"])
    assert lab.versions(fresh) == (1 if written == "neither" else 2)
    assert lab.versions(block) == (3 if written == "first" else 2)


def test_what_is_sent_again_unchanged_is_the_same_attempt(lab, session, block, monkeypatch):
    apply, sent = lab.faults.apply, []

    def failing(changes, actor):
        sent.append(changes.attempt)
        if len(sent) < 4:
            raise StoreUnavailable("timed out")
        return apply(changes, actor)

    monkeypatch.setattr(lab.faults, "apply", failing)
    session.add(Segment("new", block=block))
    for name in ("first", "first", "second"):
        block.name = name
        with pytest.raises(StoreUnavailable):
            session.commit()
    block.name = "first"
    session.commit()
    first, again, other, back = sent
    assert first == again == back != other


def test_a_store_that_tells_of_no_attempt_leaves_two_undecided(lab, session, block, monkeypatch):
    receipt = lab.faults.receipt
    monkeypatch.setattr(lab.faults, "receipt", lambda *named: (found := receipt(*named)) and replace(found, attempt=""))
    block.name = "first"
    lab.faults.fail("apply")
    with pytest.raises(StoreUnavailable):
        session.commit()
    block.name = "second"
    lost(lab, session)
    with pytest.raises(StoreUnavailable, match="which of 2 attempts"):
        session.commit()
    session.rollback()
    assert session.refresh(block) is None
    assert block.name == "second"


def lost(lab, session):
    lab.faults.lose_answer("apply")
    with pytest.raises(StoreUnavailable):
        session.commit()


@pytest.mark.parametrize("taken", [False, True])
def test_a_rolled_back_commit_is_never_sent_again(lab, session, block, taken):
    fresh = session.add(Block("fresh"))
    block.name = "sent"
    (lab.faults.lose_answer if taken else lab.faults.fail)("apply")
    with pytest.raises(StoreUnavailable):
        session.commit()
    lab.forget()
    session.rollback()
    assert lab.calls == []
    assert (session.new, session.dirty, block.name, fresh in session) == ([], [], "b", False)
    session.commit()
    session.add(Segment("another"))
    session.commit()
    assert lab.calls == ["apply"]
    with lab.session() as other:
        assert other.query(Block).filter(name="fresh").count() == taken
        assert other.get(block.location).name == ("sent" if taken else "b")


def test_what_the_store_took_is_seen_after_a_rollback(lab, session, block):
    fresh = session.add(Block("fresh"))
    block.name = "sent"
    gone = block.segments[1]
    session.delete(gone)
    lost(lab, session)
    session.rollback()
    assert (block.name, names(block)) == ("b", ["0", "1"])
    session.refresh(block)
    assert block.name == "sent"
    session.refresh(block, "segments")
    assert names(block) == ["0"]
    found = session.query(Block).filter(name="fresh").one()
    assert found is not fresh
    assert found in session
    assert fresh.location is None
    with pytest.raises(LookupError):
        session.refresh(gone)


def test_a_query_after_a_rollback_brings_what_the_store_took(lab, session, block):
    block.name = "sent"
    lost(lab, session)
    session.rollback()
    assert session.query(Block).one() is block
    assert block.name == "sent"


@pytest.mark.needs("Who, when and why")
def test_a_change_after_a_rollback_of_what_the_store_took_conflicts_with_it(lab, session, block):
    block.name = "sent"
    lost(lab, session)
    session.rollback()
    block.name = "another"
    with pytest.raises(ConflictError) as failure:
        session.commit()
    (conflict,) = failure.value.conflicts
    assert (conflict.base, conflict.mine, conflict.theirs, conflict.user) == ("b", "another", "sent", "ann")


def test_an_object_added_again_after_a_rollback_is_another_one(lab, session):
    fresh = session.add(Block("fresh"))
    lost(lab, session)
    session.rollback()
    session.add(fresh)
    session.commit()
    with lab.session() as other:
        assert other.query(Block).count() == 2


def test_leaving_a_session_whose_commit_is_in_doubt_says_so(lab):
    with pytest.warns(UserWarning, match="whether they were written is not known"), lab.session() as session:  # noqa: PT031
        session.add(Block("b"))
        lost(lab, session)
