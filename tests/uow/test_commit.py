"""Commits: once, whole, on what they were based on; every failure leaves the session usable and nothing lost."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, RecordingChannel, RecordingChannelGroup, Segment
from gnode_orm.core.changes import ArrayMissing, ChangeSet, IdTaken
from gnode_orm.errors import (
    AccessDenied,
    ConflictError,
    IntegrityError,
    SessionError,
    StoreUnavailable,
    ValidationFailed,
)

LARGE = 50_000


@pytest.fixture
def block(lab, session):
    """A stored block with one segment, in its session."""
    block = session.add(Block("b"))
    lab.note(block, n=1)
    block.segments.append(Segment("s"))
    session.commit()
    lab.forget()
    return block


def stored(lab, model, **wanted):
    """How many objects the lab really has."""
    with lab.session(readonly=True) as other:
        return other.query(model).filter(**wanted).count()


FAULTS = {
    "before": lambda faults, error: faults.fail("apply", error=error),
    "after": lambda faults, error: faults.lose_answer("apply", error=error),
}


@pytest.mark.statement(55, 58, 59, 62, 63)
@pytest.mark.parametrize("error", [None, KeyboardInterrupt(), RuntimeError("broken")], ids=["lost", "ctrl-c", "bug"])
@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_failure_the_second_commit_leaves_the_store_as_if_nothing_had_failed(lab, session, block, fault, error):
    gone = session.add(Block("gone"))
    moved = block.segments[0]
    session.commit()
    fresh = Block("new")
    session.add(fresh)
    block.name = "renamed"
    lab.note(block, n=2)
    moved.block = fresh
    session.delete(gone)
    FAULTS[fault](lab.faults, error)
    with pytest.raises(BaseException) as failure:  # noqa: PT011
        session.commit("message")
    assert isinstance(failure.value, type(error) if error else StoreUnavailable)
    assert session.new == [fresh]
    assert set(session.dirty) == {block, moved}
    assert session.deleted == [gone]
    session.commit("message")
    assert (session.new, session.dirty, session.deleted) == ([], [], [])
    assert fresh.segments == [moved]
    assert stored(lab, Block) == 2
    with lab.session() as other:
        again = other.get(block.location)
        assert (again.name, lab.noted(again), list(again.segments)) == ("renamed", {"n": 2}, [])
        assert [segment.name for segment in other.get(fresh.location).segments] == ["s"]
        assert lab.versions(fresh) == 1
        assert lab.versions(block) == 2


@pytest.mark.statement(55, 58, 62, 63)
@pytest.mark.parametrize("step", range(1, 7))
@pytest.mark.parametrize("how", ["fail", "lose_answer"])
@pytest.mark.parametrize("error", [None, KeyboardInterrupt()], ids=["lost", "ctrl-c"])
def test_a_failure_at_any_step_is_made_good_by_the_next_commits(lab, session, block, step, how, error):
    values = np.arange(LARGE, dtype="f8")
    signal = AnalogSignal(signal=(values, "mV"), sampling_rate=1 * pq.kHz, t_start=0 * pq.s, segment=block.segments[0])
    block.name = "renamed"
    getattr(lab.faults, how)(at=step, error=error)
    for _ in range(step + 1):
        try:
            session.commit()
        except (StoreUnavailable, KeyboardInterrupt):
            continue
    assert (session.new, session.dirty) == ([], [])
    lab.faults.reconnect()
    with lab.session() as other:
        assert np.array_equal(other.get(signal.location).signal.magnitude, values)
        assert other.query(AnalogSignal).count() == 1
        assert lab.versions(block) == 2


@pytest.mark.parametrize("fault", FAULTS)
def test_edits_made_after_a_failure_are_written_by_the_second_commit(lab, session, block, fault):
    fresh = session.add(Block("new"))
    block.name = "first edit"
    FAULTS[fault](lab.faults, None)
    with pytest.raises(StoreUnavailable):
        session.commit()
    block.name = "second edit"
    lab.note(block, later=True)
    fresh.description = "later"
    late = Segment("late", block=fresh)
    session.commit()
    assert (session.new, session.dirty) == ([], [])
    assert fresh.segments == [late]
    with lab.session() as other:
        again = other.get(block.location)
        assert (again.name, lab.noted(again)) == ("second edit", {"n": 1, "later": True})
        twin = other.get(fresh.location)
        assert (twin.description, [segment.name for segment in twin.segments]) == ("later", ["late"])
    assert stored(lab, Block) == 2


def test_edits_made_after_a_lost_answer_can_be_undone_to_what_was_written(lab, session, block):
    block.name = "written"
    late = Segment("late")
    lab.faults.lose_answer("apply")
    with pytest.raises(StoreUnavailable):
        session.commit()
    block.name = "not written"
    block.segments.append(late)
    lab.faults.fail("apply")
    with pytest.raises(StoreUnavailable):
        session.commit()
    session.rollback()
    assert block.name == "written"
    assert late not in block.segments
    assert stored(lab, Block, name="written") == 1


@pytest.mark.needs("Finding objects in doubt")
def test_an_object_whose_creation_is_in_doubt_is_found_as_itself(lab, session):
    block = session.add(Block("in doubt"))
    lab.faults.lose_answer("apply")
    with pytest.raises(StoreUnavailable):
        session.commit()
    assert session.query(Block).all() == [block]
    session.commit()
    assert session.query(Block).one() is block
    assert session.get(block.location) is block


def test_deleting_an_object_whose_creation_is_in_doubt_deletes_it(lab, session):
    block = session.add(Block("in doubt"))
    lab.faults.lose_answer("apply")
    with pytest.raises(StoreUnavailable):
        session.commit()
    session.delete(block)
    session.commit()
    assert stored(lab, Block) == 0


@pytest.mark.statement(56)
def test_the_change_set_keeps_its_id_over_attempts(lab, session, block, monkeypatch):
    sent = []
    apply = lab.faults.apply
    monkeypatch.setattr(lab.faults, "apply", lambda changes, actor: (sent.append(changes.id), apply(changes, actor))[1])
    block.name = "x"
    for _ in range(2):
        lab.faults.fail("apply")
        with pytest.raises(StoreUnavailable):
            session.commit()
    commit = session.commit()
    assert set(sent) == {commit.id}
    assert len(sent) == 3
    block.name = "y"
    assert session.commit().id != commit.id


@pytest.mark.statement(57)
def test_the_same_id_with_another_content_is_refused(lab, session, block):
    block.name = "x"
    commit = session.commit()
    with pytest.raises(IntegrityError, match="another content"):
        lab.store.apply(ChangeSet(id=commit.id, message="other"), "ann")


@pytest.mark.statement(13)
def test_an_id_that_is_taken_is_replaced_and_written(lab, session, block):
    fresh = session.add(Block("new"))
    lab.faults.fail("apply", error=IdTaken("taken"))
    assert session.commit("why").message == "why"
    assert session.get(fresh.location) is fresh
    assert stored(lab, Block) == 2


@pytest.mark.statement(60)
def test_a_refused_commit_leaves_everything_pending(lab, session, block):
    fresh = session.add(Segment("bad", block="block/1000000000"))
    block.name = "renamed"
    for _ in range(2):
        with pytest.raises((IntegrityError, LookupError)):
            session.commit()
        assert session.new == [fresh]
        assert session.dirty == [block]
    fresh.block = block
    session.commit()
    assert fresh in block.segments
    assert stored(lab, Segment) == 2


def test_the_check_of_a_class_below_a_kind_is_run_before_a_write(lab, session):
    class Trial(Segment):
        def check(self):
            if self.index == 0:
                raise ValidationFailed("trials are counted from 1")

    trial = session.add(Trial("t", index=1, block=Block("b")))
    trial.index = 0
    with pytest.raises(ValidationFailed, match=r"Nothing was written.*trials are counted from 1"):
        session.commit()
    assert stored(lab, Block) == 0


@pytest.mark.statement(70)
@pytest.mark.parametrize("at_once", [1, 3])
def test_a_reference_that_a_store_refuses_is_told_with_object_and_field(session, block, at_once):
    block.name = "renamed"
    wrong = [session.add(Segment(f"bad {number}", block="block/1000000000")) for number in range(at_once)]
    with pytest.raises((IntegrityError, LookupError)) as failure:
        session.commit()
    text = str(failure.value)
    assert "segment" in text.lower()
    assert "block" in text
    assert "1000000000" in text
    assert session.new == wrong


@pytest.mark.statement(74)
@pytest.mark.needs("Annotations")
def test_an_answer_overwrites_no_field(lab, session):
    signal = session.add(
        AnalogSignal(signal=([1.0, 2.0], "mV"), sampling_rate=2 * pq.Hz, t_start=1 * pq.s, annotations={"a": [1]})
    )
    decided = {"location", "id", "guid", "owner", "date_created", "modified"}

    def fields():
        dumped = {name: value for name, value in signal.model_dump(mode="json").items() if name not in decided}
        dumped["signal"].pop("sha256", None)
        return dumped

    held, before = signal.annotations, fields()
    session.commit()
    lab.forget()
    assert fields() == before
    assert signal.annotations is held
    assert lab.calls == []


@pytest.mark.statement(81)
def test_references_to_new_objects_hold_from_the_start_and_ids_do_not_collide(lab):
    sessions = [lab.session() for _ in range(2)]
    made = []
    for number, session in enumerate(sessions):
        block = session.add(Block(str(number)))
        made += [block, *(Segment(str(place), block=block) for place in range(50))]
    for session in sessions:
        lab.faults.lose_answer("apply")
        with pytest.raises(StoreUnavailable):
            session.commit()
    reserved = [entity._state.id for entity in made]
    for session in sessions:
        session.commit()
        session.close()
    assert [entity.location.number for entity in made] == reserved
    assert len({entity.location for entity in made}) == 102
    with lab.session() as other:
        found = {block.name: len(block.segments) for block in other.query(Block).with_("segments")}
    assert found == {"0": 50, "1": 50}


@pytest.mark.statement(77)
def test_an_array_that_was_removed_before_the_commit_named_it_is_sent_again(lab, session, block, monkeypatch):
    values = np.arange(LARGE, dtype="f8")
    apply, removed = lab.faults.apply, []

    def late(changes, actor):
        if not removed:
            collector = lab.behind.collector(timedelta(seconds=-1))
            removed.append(collector.remove(collector.find()).counts["arrays"])
        return apply(changes, actor)

    monkeypatch.setattr(lab.faults, "apply", late)
    signal = AnalogSignal(signal=(values, "mV"), sampling_rate=1 * pq.kHz, t_start=0 * pq.s, segment=block.segments[0])
    commit = session.commit()
    assert commit.counts == {"create AnalogSignal": 1}
    assert removed == [1 if lab.keeps_annotations else 0]
    with lab.session() as other:
        assert np.array_equal(other.query(AnalogSignal).one().signal.magnitude, values)
    assert lab.versions(signal) == 1


def test_an_array_that_is_missing_for_good_is_told(lab, session, block, monkeypatch):
    def without(changes, actor):
        asked.append(changes.id)
        raise ArrayMissing.of(bytes(32), "<f8 50000 mV")

    asked = []
    monkeypatch.setattr(lab.faults, "apply", without)
    block.name = "renamed"
    with pytest.raises(IntegrityError, match="is not in the lab"):
        session.commit()
    assert len(asked) == 2
    assert session.dirty == [block]


@pytest.mark.statement(66)
def test_a_commit_that_finds_nothing_to_write_asks_nothing(lab, session, block):
    before = block.guid
    heard = []
    session.on("after_commit", lambda obj, commit: heard.append(obj), Block)
    commit = session.commit("nothing")
    assert (commit.counts, commit.id, str(commit)) == ({}, "", "Nothing to commit")
    assert (commit.user, commit.message, commit.time, heard) == ("ann", "nothing", None, [])
    assert block.guid == before
    assert lab.calls == []


@pytest.mark.statement(67)
def test_commits_in_a_row_follow_each_other(session, block):
    guids = {block.guid}
    for number in range(3):
        block.name = str(number)
        session.commit()
        guids.add(block.guid)
    assert len(guids) == 4


@pytest.mark.statement(68)
def test_a_version_read_through_a_relation_counts(lab, session, block):
    with lab.session() as other:
        segment = other.get(block.segments[0].location)
        segment.block.name = "by relation"
        other.commit()
    session.refresh(block)
    assert block.name == "by relation"


@pytest.mark.statement(73)
@pytest.mark.needs("Who, when and why")
def test_a_commit_tells_what_it_wrote(session):
    block = Block("b")
    block.segments = [Segment("1"), Segment("2")]
    session.add(block)
    commit = session.commit("first")
    assert commit.counts == {"create Block": 1, "create Segment": 2}
    assert (commit.user, commit.message) == ("ann", "first")
    assert commit.time == block.modified == block.date_created
    assert block.owner == "ann"
    assert "create Segment 2" in str(commit)


@pytest.mark.statement(79)
def test_a_commit_of_many_objects_is_one_request(lab, session, block):
    for number in range(300):
        Segment(str(number), block=block)
    session.commit()
    assert lab.calls == ["apply"]


@pytest.mark.statement(79)
def test_one_change_among_many_loaded_objects_costs_one_request_and_looks_at_one(lab, session):
    blocks = session.add_all([Block(str(number)) for number in range(500)])
    session.commit()
    lab.forget()
    blocks[250].name = "x"
    assert list(session._pending.modified.values()) == [blocks[250]]
    assert session.commit().counts == {"change Block": 1}
    assert lab.calls == ["apply"]


def test_a_reviewed_plan_is_written_only_while_it_is_what_is_pending(lab, session, block):
    block.name = "reviewed"
    plan = session.plan()
    block.description = "sneaked in"
    with pytest.raises(SessionError, match="no longer what the plan shows"):
        session.commit(plan=plan)
    assert "apply" not in lab.calls
    plan = session.plan()
    session.commit(plan=plan)
    assert (block.name, block.description) == ("reviewed", "sneaked in")


def test_a_plan_notices_an_edit_of_the_same_field(session, block):
    fresh = session.add(Block("one"))
    plan = session.plan()
    fresh.name = "another"
    with pytest.raises(SessionError):
        session.commit(plan=plan)


@pytest.mark.parametrize("field", ["quantity", "array"])
def test_a_plan_notices_an_edit_that_is_too_small_to_be_printed(session, field):
    signal = session.add(AnalogSignal(sampling_rate=30000.0 * pq.Hz, annotations={"map": np.arange(5000)}))
    plan = session.plan()
    if field == "quantity":
        signal.sampling_rate = 30000.000001 * pq.Hz
    else:
        signal.annotations["map"] = np.where(np.arange(5000) == 2500, 0, np.arange(5000))
    with pytest.raises(SessionError):
        session.commit(plan=plan)


@pytest.mark.needs("Annotations")
def test_the_items_of_a_plan_stay_as_they_were_when_it_was_made(session, block):
    block.annotations["one"] = 1
    plan = session.plan()
    changes = session.changes(block)
    block.annotations["two"] = 2
    assert plan[0].new == changes["annotations"][1] == {"n": 1, "one": 1}


@pytest.mark.statement(77)
def test_arrays_are_stored_before_what_names_them(lab, session, block):
    AnalogSignal(signal=(np.zeros(LARGE), "mV"), sampling_rate=1 * pq.kHz, t_start=0 * pq.s, segment=block.segments[0])
    lab.forget()
    session.commit()
    assert lab.calls == ["put_arrays", "apply"]


@pytest.mark.statement(63, 77)
@pytest.mark.parametrize("error", [StoreUnavailable("No space left on device"), KeyboardInterrupt()])
def test_an_array_that_cannot_be_written_leaves_nothing_behind(lab, session, block, error):
    signal = AnalogSignal(
        signal=(np.ones(LARGE), "mV"), sampling_rate=1 * pq.kHz, t_start=0 * pq.s, segment=block.segments[0]
    )
    lab.faults.break_off(error=error)
    with pytest.raises(type(error)):
        session.commit()
    assert session.new == [signal]
    assert stored(lab, AnalogSignal) == 0
    session.commit()
    assert signal.signal[-1] == 1 * pq.mV
    assert stored(lab, AnalogSignal) == 1


@pytest.mark.statement(90)
def test_a_user_without_the_right_to_write_is_told_and_keeps_what_is_pending(lab, session, block):
    session.share(block, "jeff", "read")
    with lab.session("jeff") as jeff:
        theirs = jeff.get(block.location)
        own = jeff.add(Block("own"))
        theirs.name = "not allowed"
        with pytest.raises(AccessDenied):
            jeff.commit()
        assert jeff.new == [own]
        assert jeff.dirty == [theirs]
        jeff.refresh(theirs)
        jeff.commit()
        assert (theirs.name, own.owner) == ("b", "jeff")


@pytest.mark.statement(50)
def test_an_object_gone_meanwhile_can_be_deleted(lab, session, block):
    extra = session.add(Block("extra"))
    session.commit()
    with lab.session() as other:
        other.delete(other.get(extra.location))
        other.commit()
    try:
        session.delete(extra)
    except LookupError:
        pytest.fail("deleting what is gone already is no failure")
    session.commit()
    assert session.deleted == []
    assert session.get(extra.location) is None


@pytest.mark.statement(50)
def test_an_object_that_goes_between_the_mark_and_the_commit_is_gone_all_the_same(lab, session, block):
    extra = session.add(Block("extra"))
    session.commit()
    session.delete(extra)
    with lab.session() as other:
        other.delete(other.get(extra.location))
        other.commit()
    block.name = "written too"
    assert session.commit("why").message == "why"
    assert session.deleted == []
    assert stored(lab, Block, name="written too") == 1


def test_changing_an_object_that_is_gone_is_a_conflict(lab, session, block):
    extra = session.add(Block("extra"))
    session.commit()
    with lab.session() as other:
        other.delete(other.get(extra.location))
        other.commit()
    extra.name = "too late"
    with pytest.raises(ConflictError):
        session.commit()


@pytest.mark.needs("Channels and their groups")
def test_links_are_written_once_after_a_lost_answer(lab, session):
    group, channel = RecordingChannelGroup("g"), RecordingChannel("c")
    session.add_all([group, channel])
    session.commit()
    group.recordingchannels.append(channel)
    lab.faults.lose_answer("apply")
    with pytest.raises(StoreUnavailable):
        session.commit()
    session.commit()
    assert session.dirty == []
    assert list(group.recordingchannels) == [channel]
    session.rollback()
    assert list(channel.recordingchannelgroups) == [group]


def test_while_the_store_is_away_nothing_is_lost(lab, session, block):
    block.name = "kept"
    lab.faults.disconnect()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            session.commit()
    assert session.dirty == [block]
    lab.faults.reconnect()
    session.commit()
    assert stored(lab, Block, name="kept") == 1
