"""Identity, copies and pickles of objects."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import quantities as pq

from gnode_orm.errors import UnknownField, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.models import AnalogSignal, Block, Event, EventArray, Segment
from tests.core.tracking import PLACE, Session, loaded


def test_identity_is_by_object() -> None:
    one, two = Block("x"), Block("x")
    assert one != two
    assert one == one
    assert len({one, two}) == 2
    signal = AnalogSignal([1, 2] * pq.mV)
    assert signal in [signal]


def test_entities_can_be_held_weakly() -> None:
    block = Block("x", annotations={"a": [1]})
    seen = weakref.ref(block)
    assert seen() is block
    del block
    gc.collect()
    assert seen() is None


COPIES: list[Any] = [
    copy.copy,
    copy.deepcopy,
    lambda item: item.model_copy(),
    lambda item: pickle.loads(pickle.dumps(item)),
    lambda item: type(item).model_validate(item.model_dump()),
]


@pytest.mark.parametrize("copied", COPIES, ids=["copy", "deepcopy", "model_copy", "pickle", "dump"])
def test_copies_are_transient_and_equal(copied: Any) -> None:
    block = Block("x", rec_datetime=datetime(2014, 3, 21, tzinfo=UTC), annotations={"a": [1, 5 * pq.ms]}, ext={"e": 1})
    original = loaded(block, Session())
    twin = copied(original)
    assert twin is not original
    assert twin._state is None
    assert twin.location is twin.guid is twin.owner is None
    assert (twin.name, twin.rec_datetime, twin.safety_level) == ("x", datetime(2014, 3, 21, tzinfo=UTC), 3)
    assert twin.ext == {"e": 1}
    assert twin.annotations == {"a": [1, 5 * pq.ms]}
    twin.annotations["a"].append(2)
    twin.name = "y"
    assert original.annotations == {"a": [1, 5 * pq.ms]}
    assert original.name == "x"
    assert original._state.original is None


@pytest.mark.parametrize("copied", COPIES, ids=["copy", "deepcopy", "model_copy", "pickle", "dump"])
def test_copies_keep_quantities_arrays_and_locations(copied: Any) -> None:
    event = Event("x", time=pq.Quantity(np.array(3, "i8"), "ms"), segment="segment/2DFA548ESC")
    twin = copied(event)
    assert twin.time.dtype == np.int64
    assert not twin.time.flags.writeable
    assert twin.ref("segment") == Location("segment/2DFA548ESC")
    array = copied(EventArray(pq.Quantity(np.array([1, 2], "f4"), "s"), labels=["a", "b"]))
    assert array.times.dtype == np.float32
    assert array.times.load().tolist() == [1, 2]
    assert list(array.labels) == ["a", "b"]


def test_a_copy_has_the_same_parent_who_does_not_learn_of_it() -> None:
    block = Block("b")
    segment = Segment("s", block=block)
    for twin in (copy.copy(segment), copy.deepcopy(segment), segment.model_copy()):
        assert twin.block is block
    assert block.segments == [segment]


def test_an_unstored_parent_is_pickled_along_and_a_stored_one_is_named() -> None:
    segment = Segment("s", block=Block("b"))
    again = pickle.loads(pickle.dumps(segment))
    assert again.block.name == "b"
    segment = Segment("s")
    segment.block = loaded(Block("b"))
    assert pickle.loads(pickle.dumps(segment)).ref("block") == Location(PLACE)


def test_model_copy_validates_its_update() -> None:
    block = Block("x", index=3)
    twin = block.model_copy(update={"name": "y"})
    assert (twin.name, twin.index, block.name) == ("y", 3, "x")
    with pytest.raises(ValidationFailed, match=r"Block\.name"):
        block.model_copy(update={"name": 3})
    with pytest.raises(UnknownField, match="did you mean 'name'"):
        block.model_copy(update={"nmae": "y"})


def test_every_way_of_pydantic_to_make_an_object_validates() -> None:
    for make in (
        lambda: Block.model_construct(name=3),
        lambda: Block.model_validate({"name": 3}),
        lambda: Block.model_validate_json('{"name": 3}'),
    ):
        with pytest.raises(ValidationFailed, match=r"Block\.name: 3"):
            make()
    with pytest.raises(ValidationFailed, match="is not JSON"):
        Block.model_validate_json("{")
    with pytest.raises(ValidationFailed, match="is not a dictionary of fields"):
        Block.model_validate(3)
    assert Block.model_validate_json('{"name": "x"}').name == "x"
    block = Block("x")
    assert Block.model_validate(block) is block


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))])
def test_copies_keep_the_order_of_bytes(again: Any) -> None:
    array = np.arange(6, dtype=">i2").reshape(2, 3)
    signal = again(
        AnalogSignal(
            (array[:, ::-1], "mV"),
            t_start=pq.Quantity(np.array(5, ">f4"), "ms"),
            annotations={"a": array, "q": pq.Quantity(array, "mV"), "l": [array]},
        )
    )
    assert (signal.signal.dtype.str, signal.t_start.dtype.str) == (">i2", ">f4")
    assert signal.signal.load().tolist() == array[:, ::-1].tolist()
    notes = signal.annotations
    assert [item.dtype.str for item in (notes["a"], notes["q"], notes["l"][0])] == [">i2"] * 3
    assert again(notes["l"])[0].dtype.str == ">i2"
    for value in (signal.t_start, signal.signal.load(), notes["a"], notes["q"]):
        assert not value.flags.writeable


@pytest.mark.parametrize("times", [np.array([], "<f4"), np.array([np.nan, -0.0], ">f8")])
def test_an_array_comes_out_of_a_pickle_to_the_byte(times: Any) -> None:
    again = pickle.loads(pickle.dumps(EventArray((times, "ms")))).times
    assert (again.dtype, again.shape, again.unit) == (times.dtype, times.shape, "ms")
    assert again.load().tobytes() == times.tobytes()


def test_a_parent_that_comes_along_in_a_pickle_has_its_children() -> None:
    block = Block("b")
    segments = [Segment("a", block=block), Segment("b", block=block)]
    again = pickle.loads(pickle.dumps(segments))
    assert again[0].block is again[1].block
    assert list(again[0].block.segments) == again
    assert list(block.segments) == segments
