"""Events and epochs of neo through models."""

from __future__ import annotations

from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import Block, Epoch, EpochArray, Event, EventArray, Segment
from gnode_orm.convert.neo import convert
from gnode_orm.errors import ValidationFailed
from tests.convert.neo.isomorphism import assert_isomorphic
from tests.convert.neo.round_trips import in_block, stored


def event(labels: Any = ("a", "b"), times: Any = (1.0, 2.0), units: str = "ms") -> neo.Event:
    return neo.Event(np.asarray(times), labels=labels, units=units)


def without_durations() -> neo.Epoch:
    native = neo.Epoch([1.0] * pq.s, [2.0] * pq.s)
    native._durations = np.array([]) * pq.ms
    return native


NATIVES = {
    "text": event(["α😀\n", "x" * 100_000]),
    "fixed width": event(np.array(["a", "b"], "U9")),
    "integers": event(np.array([1, 2], "i2")),
    "bytes": event(np.array([b"a", b"b"])),
    "empty text": event(["", ""]),
    "no labels": event(None),
    "an empty list of labels": event([]),
    "NUL inside": event(["a\0b", "c"]),
    "NUL at the end": event(["a\0", "c"]),
    "nothing at all": neo.Event(),
    "integer times": event(times=np.array([1, 2], ">i8")),
    "NaN": event(times=(np.nan, np.inf)),
    "durations in another unit": neo.Epoch([1.0, 2.0] * pq.s, [3, -4] * pq.ms, ["a", "b"]),
    "no durations": neo.Epoch([1.0] * pq.s),
    "emptied durations": without_durations(),
    "no epochs": neo.Epoch(),
}


@pytest.mark.case(45, 46, 47, 51, 52, 53)
@pytest.mark.parametrize("native", NATIVES.values(), ids=list(NATIVES))
def test_every_event_and_epoch_that_neo_takes_comes_back_from_a_store(native: Any) -> None:
    if isinstance(native, neo.Epoch) and native._durations.size not in (0, native.size):
        pytest.fail("the case is not what it says")
    block = in_block(native)
    assert_isomorphic(block, stored(block))


@pytest.mark.case(48, 49, 50)
@pytest.mark.parametrize(
    ("native", "reason"),
    [
        (event(units="mV"), r"times: .*not a time"),
        (event(np.array(["a", None], object)), r"labels: .*object"),
        (event(None, times=np.float64(1.0)), r"times: one axis"),
    ],
    ids=["millivolts", "objects", "no axis"],
)
def test_what_no_field_can_hold_is_refused_with_its_path(native: neo.Event, reason: str) -> None:
    with pytest.raises(ValidationFailed, match=rf"^block\.segments\[0\]\.events\[1\]\.{reason}"):
        Block.from_neo(in_block(event(), native))


def test_new_events_become_arrays_unless_single_ones_are_asked_for() -> None:
    native = event(["go"], [1.5])
    assert isinstance(convert(native).model, EventArray)
    single = Event.from_neo(native)
    assert (single.time, single.label) == (1.5 * pq.ms, "go")
    assert_isomorphic(native, single.to_neo())


def test_single_epochs_keep_their_duration_and_the_width_of_their_label() -> None:
    native = neo.Epoch([1.0] * pq.s, [3] * pq.ms, np.array(["rest"], "U8"))
    single = Epoch.from_neo(native)
    assert (single.duration, single.label) == (3 * pq.ms, "rest")
    assert_isomorphic(native, single.to_neo())
    assert isinstance(EpochArray.from_neo(native), EpochArray)


def test_several_events_are_no_single_event() -> None:
    with pytest.raises(ValidationFailed, match=r"event\.time: 2 times"):
        Event.from_neo(event())


def test_a_single_event_that_grew_is_refused_when_it_is_converted_again() -> None:
    native = event()
    with pytest.raises(ValidationFailed, match="2 times"):
        convert(native, {id(native): Event("go", time=1 * pq.s)})


def test_single_events_and_arrays_stand_in_one_list_of_neo() -> None:
    segment = Segment("mixed")
    EventArray(([1.0], "s"), labels=["a"], segment=segment)
    Event("b", time=2 * pq.s, segment=segment)
    native = segment.to_neo()
    assert [item.labels.tolist() for item in native.events] == [["b"], ["a"]]
