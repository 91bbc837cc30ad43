"""Models as dictionaries and JSON: what is left out on demand, and what comes back."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import numpy as np
import pytest
import quantities as pq
from pydantic import BaseModel, TypeAdapter

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.models import MODELS, AnalogSignal, Block, Entity, Event, EventArray, Segment

META = ["id", "location", "owner", "guid", "date_created", "modified"]


class NeverRead:
    """A store that reads no array."""

    def read_array(self, ref: Any, key: Any = ...) -> Any:
        raise AssertionError("an array is read")


def test_defaults_are_left_out_without_reading_an_array() -> None:
    stored = ArrayHandle.stored(NeverRead(), ArrayRef(b"h" * 32, "<f8", (3,), "mV"))
    signal = AnalogSignal(stored, sampling_rate=1 * pq.kHz)
    assert list(signal.model_dump(exclude_defaults=True)) == ["signal", "sampling_rate"]
    assert list(signal.model_dump(mode="json", exclude_defaults=True)) == ["signal", "sampling_rate"]


@pytest.mark.parametrize("model", MODELS.values())
@pytest.mark.parametrize("left_out", ["exclude_defaults", "exclude_unset", "exclude_none"])
def test_what_a_store_decides_is_left_out_with_what_was_not_given(model: type[Entity], left_out: str) -> None:
    assert not set(META) & set(model().model_dump(**{left_out: True}))
    if left_out != "exclude_none":
        assert model().model_dump(**{left_out: True}) == {}


def test_an_array_is_not_nothing_and_compares_with_others_one_by_one() -> None:
    handle = AnalogSignal([1, 2] * pq.mV).signal
    assert (handle == None, handle != None) == (False, True)  # noqa: E711
    assert list(handle == [1, 3] * pq.mV) == [True, False]


class Note(BaseModel):
    """Somebody else's model that holds some of ours."""

    block: Block
    segments: list[Segment] = []


def test_what_another_model_dumped_of_ours_is_read_back_by_it() -> None:
    block = Block("x")
    note = Note(block=block, segments=[Segment("a", index=3, block=block)])
    for again in (
        Note.model_validate(note.model_dump()),
        Note.model_validate_json(note.model_dump_json()),
        TypeAdapter(Note).validate_python(note.model_dump(mode="json")),
    ):
        assert (again.block.name, again.segments[0].index, again.block.location) == ("x", 3, None)


def test_json_text_is_indented_as_asked() -> None:
    event = Event("é", time=(float("inf"), "s"), annotations={"n": 2**70, "b": b"\xff"})
    assert event.model_dump_json(indent=4).startswith('{\n    "id"')
    assert json.loads(event.model_dump_json()) == event.model_dump(mode="json")


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
