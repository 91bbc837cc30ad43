"""Whatever happens on the way to a server without receipts: written once or not at all, and told where it can be."""

from __future__ import annotations

import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, Event, Section, Segment
from gnode_orm.core.select import Select
from gnode_orm.errors import AccessDenied, AuthenticationFailed, PartialCommit, StoreUnavailable
from gnode_orm.stores.rest.v1 import bulk
from tests.stores.rest.serving import answering, cut_after, cut_before, cut_within

pytestmark = pytest.mark.filterwarnings("ignore::gnode_orm.errors.LostUnitsWarning")

LOST = {"before": cut_before, "after": cut_after, "within the answer": cut_within, "gateway": answering(502)}
BULK = "/in_bulk/"


def tree(block, count=2):
    """Segments that look alike, with signals that differ in their samples alone."""
    for number in range(count):
        segment = Segment("twin", block=block)
        values = (np.arange(4.0) + number, "uV")
        AnalogSignal(signal=values, t_start=0 * pq.ms, sampling_rate=1 * pq.kHz, segment=segment)


def stored(behind):
    kinds = ("block", "segment", "analogsignal", "event")
    return [behind.count(Select(kind), "ann") for kind in kinds]


@pytest.mark.parametrize("fault", LOST)
def test_a_tree_is_written_once_whatever_is_lost(session, session_of, peer, behind, fault):
    block = Block("b", index=7)
    tree(block)
    session.add(block)
    peer.fault(BULK, LOST[fault])
    with pytest.raises(StoreUnavailable):
        session.commit()
    session.commit()
    assert stored(behind) == [1, 2, 2, 0]
    assert (session.new, session.dirty) == ([], [])
    other = session_of()
    for segment in block.segments:
        (signal,) = segment.analogsignals
        again = other.get(signal.location)
        assert np.array_equal(again.signal.magnitude, signal.signal.magnitude)
        assert again.ref("segment") == segment.location


@pytest.mark.parametrize("fault", LOST)
def test_a_change_is_written_once_whatever_is_lost(session, behind, peer, fault):
    block = session.add(Block("b"))
    session.commit()
    block.name = "changed"
    peer.fault(BULK, LOST[fault])
    with pytest.raises(StoreUnavailable):
        session.commit()
    session.commit()
    assert block.name == "changed"
    assert len(behind.history("block", block.location.number, "ann")) == 2


def test_objects_that_look_like_what_was_sent_are_not_taken_for_it(session, session_of, behind, peer):
    block = session.add(Block("b"))
    old = Segment("twin", block=block)
    session.commit()
    session.add(Segment("twin", block=block))
    peer.fault(BULK, cut_before)
    with pytest.raises(StoreUnavailable):
        session.commit()
    session.commit()
    assert len({segment.location for segment in block.segments}) == 2
    assert old.location in {segment.location for segment in block.segments}
    assert stored(behind)[1] == 2


def test_an_outcome_in_doubt_is_told_and_nothing_is_sent_again(session, session_of, peer, behind):
    block = session.add(Block("b", description="d"))
    session.commit()
    block.name = "mine"
    peer.fault(BULK, cut_before)
    with pytest.raises(StoreUnavailable):
        session.commit()
    other = session_of()
    other.get(block.location).name = "theirs"
    other.commit()
    sent = peer.requests.count("/api/v1/in_bulk/")
    with pytest.raises(StoreUnavailable, match=f"{block.location} is neither as it was nor as it was sent"):
        session.commit()
    assert peer.requests.count("/api/v1/in_bulk/") == sent
    assert session_of().get(block.location).name == "theirs"


def test_ids_that_could_not_be_learned_are_learned_by_the_next_commit(session, peer, behind):
    block = Block("b")
    tree(block)
    session.add(block)
    for _ in range(5):
        peer.fault("/analogsignal/", cut_before)
    with pytest.raises(StoreUnavailable):
        session.commit()
    session.commit()
    assert stored(behind) == [1, 2, 2, 0]
    assert all(signal.location for segment in block.segments for signal in segment.analogsignals)


def test_a_change_after_a_lost_answer_is_written_by_the_next_commit(session, session_of, peer, behind):
    block = session.add(Block("b"))
    peer.fault(BULK, cut_after)
    with pytest.raises(StoreUnavailable):
        session.commit()
    block.name = "later"
    session.commit()
    assert stored(behind)[0] == 1
    assert session_of().get(block.location).name == "later"


def events(session, count=4):
    segment = Segment("s", block=Block("b"))
    made = [Event(str(number), time=number * pq.ms, segment=segment) for number in range(count)]
    session.add_all(made)
    session.commit()
    return segment, made


@pytest.mark.statement(61)
def test_deletes_that_fail_leave_the_rest_for_the_next_commit(session, peer, behind):
    segment, made = events(session)
    segment.name = "changed"
    fresh = Event("new", time=9 * pq.ms, segment=segment)
    for event in made:
        session.delete(event)
    order = [item.obj for item in session.plan() if item.op == "delete"]
    peer.fault(f"/{order[1].location.id}/", lambda exchange: exchange.handle())  # the look before it
    for _ in range(8):
        peer.fault(f"/{order[1].location.id}/", _refusing_deletes)
    with pytest.raises(PartialCommit, match=r"3 of 6 changes are written; .* could not be deleted") as failure:
        session.commit()
    error = failure.value
    assert {(item.op, item.obj) for item in error.done} == {("set", segment), ("create", fresh), ("delete", order[0])}
    assert [item.obj for item in error.failed] == [order[1]]
    assert [item.obj for item in error.untried] == order[2:]
    assert (session.new, session.dirty, session.deleted) == ([], [], order[1:])
    assert stored(behind)[3] == 4
    peer._faults.clear()
    sent = peer.requests.count("/api/v1/in_bulk/")
    session.commit()
    assert peer.requests.count("/api/v1/in_bulk/") == sent
    assert stored(behind)[3] == 1
    assert [event.label for event in segment.events] == ["new"]


def _refusing_deletes(exchange):
    if exchange.handler.command == "DELETE":
        answering(500)(exchange)
    else:
        exchange.handle()


def test_a_delete_whose_answer_is_lost_is_done(session, peer, behind):
    _, made = events(session, 1)
    session.delete(made[0])
    session.plan()
    address = f"/{made[0].location.id}/"
    seen = []

    def lose(exchange):
        first = exchange.handler.command == "DELETE" and "DELETE" not in seen
        seen.append(exchange.handler.command)
        (cut_after if first else type(exchange).handle)(exchange)

    for _ in range(9):
        peer.fault(address, lose)
    session.commit()
    assert seen.count("DELETE") == 2
    assert stored(behind)[3] == 0


def test_deletes_left_by_a_rollback_stay_in_the_lab(session, peer, behind):
    _, made = events(session, 2)
    for event in made:
        session.delete(event)
    order = [item.obj for item in session.plan()]
    for _ in range(8):
        peer.fault(f"/{order[1].location.id}/", _refusing_deletes)
    with pytest.raises(PartialCommit):
        session.commit()
    session.rollback()
    assert session.deleted == []
    assert stored(behind)[3] == 1


def test_one_delete_that_fails_alone_is_no_part_of_anything(session, peer, behind):
    _, made = events(session, 1)
    session.delete(made[0])
    for _ in range(8):
        peer.fault(f"/{made[0].location.id}/", _refusing_deletes)
    with pytest.raises(AccessDenied, match="not deleted"):
        session.commit()
    assert session.deleted == made


def test_a_login_that_ends_before_the_write_is_renewed(session, behind):
    session.add(Block("before"))
    session.commit()
    with behind._database.write() as transaction:
        transaction.run("DELETE FROM token")
    values = np.arange(200_000.0)
    signal = AnalogSignal(
        signal=(values, "mV"), t_start=0 * pq.ms, sampling_rate=1 * pq.Hz, segment=Segment("s", block=Block("after"))
    )
    session.add(signal)
    session.commit()
    assert stored(behind) == [2, 1, 1, 0]


def test_a_login_that_ends_at_the_write_is_renewed(session, behind, monkeypatch):
    session.add(Block("before"))
    session.commit()
    send = bulk.send

    def after_the_end(*arguments):
        with behind._database.write() as transaction:
            transaction.run("DELETE FROM token")
        return send(*arguments)

    monkeypatch.setattr(bulk, "send", after_the_end)
    session.add(Block("after"))
    session.commit()
    assert stored(behind)[0] == 2


def test_a_password_that_changed_meanwhile_is_told(session, behind):
    session.add(Block("before"))
    session.commit()
    behind.accounts.set_password("ann", "another-pass-word")
    session.add(Block("after"))
    with pytest.raises(AuthenticationFailed):
        session.commit()
    assert stored(behind)[0] == 1
    assert len(session.new) == 1


def test_moved_segments_take_what_stands_below_them_along(session, behind):
    old, new = Block("old"), Block("new")
    tree(old, 1)
    session.add_all([old, new])
    session.commit()
    (segment,) = old.segments
    (signal,) = segment.analogsignals
    segment.block = new
    session.commit()
    signal.name = "still known"
    session.commit()
    session.delete(old)
    session.commit()
    assert stored(behind) == [1, 1, 1, 0]


def test_sections_below_a_moved_one_are_written_again(session, session_of):
    from gnode_orm import Document

    one, two = Document("one"), Document("two")
    lower = Section("lower", section=Section("upper", document=one))
    session.add_all([lower, two])
    session.commit()
    lower.section.document = two
    session.commit()
    lower.definition = "still known"
    session.commit()
    again = session_of().get(lower.location)
    assert (again.section.document.author, again.definition) == ("two", "still known")
