"""Models as dictionaries and JSON: what is left out on demand, and what comes back."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import quantities as pq
from pydantic import BaseModel, TypeAdapter

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.location import Location
from gnode_orm.models import MODELS, AnalogSignal, Block, Entity, Event, Segment
from tests.core.tracking import PLACE, loaded

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


def test_a_json_dump_has_locations_and_descriptors() -> None:
    segment = Segment("s", block=PLACE)
    signal = AnalogSignal(
        pq.Quantity(np.zeros((3, 2), "f4"), "mV"), sampling_rate=1 * pq.kHz, segment=segment, t_start="0 s"
    )
    dumped = signal.model_dump(mode="json")
    assert json.loads(json.dumps(dumped)) == dumped
    assert json.loads(signal.model_dump_json()) == dumped
    assert dumped["signal"] == {"dtype": "<f4", "shape": [3, 2], "unit": "mV"}
    assert dumped["sampling_rate"] == {"value": 1.0, "unit": "kHz"}
    assert dumped["segment"] is None
    assert segment.model_dump(mode="json")["block"] == Location(PLACE)


def test_a_dump_of_a_stored_object_has_its_identity() -> None:
    block = loaded(Block("x"))
    assert block.model_dump()["location"] == Location(PLACE)
    assert block.model_dump(mode="json")["date_created"].startswith("1970-01-01T00:00:00.000007")
    assert block.model_dump(include={"name", "owner"}) == {"owner": "ada", "name": "x"}
    assert "name" not in block.model_dump(exclude={"name"})
    assert Block.model_validate(block.model_dump(mode="json")).name == "x"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 2**62])
def test_awkward_numbers_survive_a_json_dump(number: float) -> None:
    event = Event("x", time=(number, "ms"))
    again = Event.model_validate_json(event.model_dump_json())
    assert again.time.magnitude == number or (np.isnan(again.time.magnitude) and np.isnan(number))


def test_a_ring_of_block_and_segment_dumps_as_locations() -> None:
    block = Block("b")
    block.segments.append(Segment("s"))
    assert block.model_dump()["name"] == "b"
    assert block.segments[0].model_dump()["block"] is None


@pytest.mark.parametrize("model", MODELS.values())
@pytest.mark.parametrize("mode", ["python", "json"])
def test_every_model_dumps_and_reads_back(model: type[Entity], mode: str) -> None:
    dumped = model().model_dump(mode=mode)
    assert set(dumped) == {"location", "id", "guid", "owner", "date_created", "modified", *model.model_fields}
    assert model.model_validate(dumped).model_dump(mode=mode) == dumped


@pytest.mark.parametrize("model", MODELS.values())
@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_every_model_has_a_json_schema(model: type[Entity], mode: Any) -> None:
    schema = model.model_json_schema(mode=mode)
    assert set(schema["properties"]) == set(model.model_fields)
    assert schema["title"] == model.__name__
    json.dumps(schema)


class EventNote(BaseModel):
    """Somebody else's model that holds one of ours, of which every field is dumped."""

    event: Event


def test_a_model_dumps_every_field_inside_other_models() -> None:
    new = Event("a", time=(5.0, "ms"), segment=Location("segment/2DFA548ESC"), annotations={"n": 1})
    read = loaded(Event("a", time=5 * pq.ms), location="event/2DFA548ESC")
    for event in (new, read):
        assert EventNote(event=event).model_dump() == {"event": event.model_dump()}
        assert json.loads(EventNote(event=event).model_dump_json()) == {"event": event.model_dump(mode="json")}
        assert TypeAdapter(Event).dump_python(event, mode="json") == event.model_dump(mode="json")
    assert list(new.model_dump())[6:] == list(Event.model_fields)


def test_what_a_dump_looks_like_is_told_by_the_json_schema() -> None:
    assert Event.model_json_schema(mode="serialization")["properties"].keys() == Event.model_fields.keys()
