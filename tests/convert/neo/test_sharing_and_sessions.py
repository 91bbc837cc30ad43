"""neo objects that change, are copied or are added twice: what a session makes of them."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignalArray, Session, validate
from gnode_orm.errors import UnitError, ValidationFailed
from gnode_orm.units import unit_of
from tests.convert.neo.isomorphism import assert_isomorphic
from tests.convert.neo.round_trips import in_block, in_memory, stored


@pytest.fixture
def session() -> Iterator[Session]:
    with Session(":memory:") as session:
        yield session
        session.rollback()


def signal() -> neo.AnalogSignal:
    return neo.AnalogSignal(np.zeros((3, 2)), units="mV", sampling_rate=1 * pq.kHz)


@pytest.mark.case(22)
def test_samples_edited_before_the_commit_are_stored_as_they_are_then(session: Session) -> None:
    native = signal()
    session.add(in_block(native))
    native[0, 0] = 5 * pq.mV
    session.commit()
    session.expire_all()
    assert session.query(AnalogSignalArray).one().signal[0, 0].item() == 5


@pytest.mark.case(22)
def test_samples_edited_after_the_commit_change_nothing_that_is_stored(session: Session) -> None:
    native = signal()
    session.add(in_block(native))
    session.commit()
    native[0, 0] = 5 * pq.mV
    assert session.query(AnalogSignalArray).one().signal[0, 0].item() == 0
    assert not session.dirty


@pytest.mark.case(70)
def test_a_deep_copy_of_an_added_object_is_an_object_of_its_own(session: Session) -> None:
    block = in_block(signal())
    first, second = session.add(block), session.add(copy.deepcopy(block))
    session.commit()
    assert first is not second
    assert first.location != second.location


@pytest.mark.case(89)
def test_an_unmodified_graph_added_again_writes_nothing(session: Session) -> None:
    block = in_block(signal(), neo.SpikeTrain([1, 2] * pq.s, t_stop=3 * pq.s), neo.Event([1] * pq.s, labels=["go"]))
    block.groups.append(neo.Group([block.segments[0].analogsignals[0]]))
    session.add(block)
    session.commit()
    session.add(block)
    assert session.plan().items == []
    assert session.commit().counts == {}


@pytest.mark.case(44)
def test_waveforms_on_a_train_without_spikes_are_refused_with_their_path() -> None:
    train = neo.SpikeTrain([] * pq.s, t_stop=3 * pq.s, waveforms=np.zeros((2, 1, 5)) * pq.uV)
    with pytest.raises(ValidationFailed, match=r"spiketrains\[0\].*waveforms"):
        in_memory(in_block(train))


def test_a_view_may_name_a_channel_twice() -> None:
    native = signal()
    block = in_block(native)
    group = neo.Group()
    group.add(neo.ChannelView(native, [0, 0]))
    block.groups.append(group)
    assert_isomorphic(block, stored(block))


@pytest.mark.case(66)
def test_array_annotations_of_an_empty_object_come_back() -> None:
    event = neo.Event([] * pq.s, labels=[], array_annotations={"code": np.empty(0, "i2")})
    block = in_block(event)
    assert_isomorphic(block, stored(block))


@pytest.mark.case(25, 26, 27, 28, 29)
@pytest.mark.parametrize("text", ["Khz", "9**9**9", "10*ms", "a.u.", "attosecond", "(0.195*uV)", "s**9**9**9"])
def test_unit_texts_that_mean_nothing_or_lose_a_factor_are_refused_at_once(text: str) -> None:
    with pytest.raises(UnitError):
        unit_of(text)


@pytest.mark.case(33)
@pytest.mark.parametrize(
    ("start", "code"),
    [(1e15 * pq.ms, "time-resolution"), (pq.Quantity(2**62 + 1, "us", dtype="i8"), "time-resolution")],
)
def test_a_begin_too_far_away_is_kept_exactly_and_warned_of(start: pq.Quantity, code: str) -> None:
    native = neo.AnalogSignal(np.arange(20.0), units="mV", sampling_rate=30 * pq.kHz, t_start=start)
    block = in_block(native)
    assert_isomorphic(block, stored(block))
    assert code in {issue.code for issue in validate(block).issues}
