"""What objects are made with and what is assigned to them."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import numpy as np
import pytest
import quantities as pq
from pydantic import Field

from gnode_orm import Session
from gnode_orm.errors import ReadOnlyField, UnknownField, ValidationFailed
from gnode_orm.models import MODELS, AnalogSignal, Block, Event, EventArray, Section, Segment, Value


def test_the_first_field_may_be_given_by_position() -> None:
    assert Block("x").name == "x"
    assert Event("x").label == "x"
    assert Value("x").data == "x"


@pytest.mark.parametrize("act", [lambda: Block("x", "y"), lambda: Block("x", name="y")])
def test_only_the_first_field_may_be_given_by_position(act: Any) -> None:
    with pytest.raises(TypeError, match="Block takes one value by position, name"):
        act()


BAD = [
    ("AnalogSignal", "sampling_rate", 5 * pq.mV, r"AnalogSignal.sampling_rate: 5.0 mV is not a rate \(unit mV\)"),
    ("AnalogSignal", "sampling_rate", -5 * pq.Hz, "must be finite and above zero"),
    ("AnalogSignal", "sampling_rate", float("nan") * pq.Hz, "must be finite and above zero"),
    ("AnalogSignal", "sampling_rate", 5, "5 has no unit; write 10"),
    ("AnalogSignal", "sampling_rate", [1, 2] * pq.Hz, "one value is needed"),
    ("AnalogSignal", "t_start", "5 9**9**9", "is not a unit"),
    ("AnalogSignal", "t_start", "5 10*ms", "is not a number with a unit|is not a unit"),
    ("AnalogSignal", "signal", [1, 2], "has no unit"),
    ("AnalogSignal", "signal", ([object()], "mV"), "numbers are needed"),
    ("AnalogSignal", "signal", ([[1], [1, 2]], "mV"), r"\[\[1\], \[1, 2\]\] is not an array; write \(array, 'mV'\)"),
    ("AnalogSignal", "signal", ([1, 2], pq.mV), r"is not an array; write \(array, 'mV'\) or array \* pq.mV"),
    ("AnalogSignal", "signal", (np.array(1.0), "mV"), r"the shape \(time,\) or \(time, channel\) is needed"),
    ("AnalogSignal", "gain", "12", "neither a number nor one number per channel"),
    ("AnalogSignal", "gain", 5 * pq.mV, "neither a number nor one number per channel"),
    ("AnalogSignal", "gain", [[1.0]], "neither a number nor one number per channel"),
    ("AnalogSignal", "offset", float("inf"), "is not finite"),
    ("EventArray", "times", 5 * pq.s, "one axis is needed"),
    ("EventArray", "labels", [1.5], "labels of dtype float64"),
    ("EventArray", "labels", ["a", ["b"]], r"is not an array; write \['a', 'b'\]"),
    ("Segment", "block", "segment/2DFA548ESC", "is the location of a segment; a block is needed"),
    ("Segment", "block", {"name": "x"}, "neither a block nor the location of one; no object is made from it"),
    ("Segment", "block", Segment("x"), "neither a block nor the location of one"),
    ("Segment", "block", Block, "neither a block nor the location of one"),
    ("Segment", "block", 5, "neither a block nor the location of one"),
    ("Segment", "annotations", {"a": object()}, "is of type object, which cannot be kept"),
    ("Segment", "annotations", [1], "is not a dictionary"),
    ("Segment", "annotations", {1: 2}, "the key 1 is not text"),
    ("Segment", "name", 3, "Segment.name: 3: input should be a valid string"),
    ("Segment", "name", "a\0b", "holds a NUL character"),
    ("Segment", "name", "\ud800", "holds a lone surrogate"),
    ("Segment", "index", "x", "valid integer"),
    ("Segment", "index", 2**63, "less than or equal to"),
    ("Segment", "filedatetime", "yesterday", "valid datetime"),
    ("Document", "date", "yesterday", "valid date"),
]  # fmt: skip


def test_two_names_of_one_field_are_not_given_together() -> None:
    with pytest.raises(TypeError, match="two names of one field"):
        Block(file_datetime="2020-01-01", filedatetime="2020-01-02")


@pytest.mark.parametrize("name", ["location", "id", "guid", "owner", "date_created", "modified", "kind", "namespace"])
def test_what_is_decided_elsewhere_is_neither_given_nor_set(name: str) -> None:
    for act in (lambda: Block(**{name: "x"}), lambda: setattr(Block(), name, "x")):
        with pytest.raises(ReadOnlyField, match=rf"Block\.{name} is decided by the (store|class) and cannot be set"):
            act()


@pytest.mark.parametrize(
    ("model", "name", "value", "message"), BAD, ids=[f"{item[1]}={item[2]!r}".split(" at 0x")[0][:50] for item in BAD]
)
def test_a_bad_value_is_refused_on_construction_and_assignment(model: str, name: str, value: Any, message: str) -> None:
    cls: Any = MODELS[model.lower()]
    with pytest.raises(ValidationFailed, match=message) as caught:
        cls(**{name: value})
    assert (caught.value.entity, caught.value.field) == (model, name)
    good = cls()
    before = good._raw(name)
    with pytest.raises(ValidationFailed, match=message) as caught:
        setattr(good, name, value)
    assert (caught.value.entity, caught.value.field) == (model, name)
    assert str(caught.value).startswith(f"{model}.{name}: ")
    assert good._raw(name) is before


def test_every_bad_value_is_named_at_once() -> None:
    with pytest.raises(ValidationFailed) as caught:
        Segment(name=3, index="x", nmae="y")  # type: ignore[arg-type, call-arg]
    assert [field for field, _ in caught.value.errors] == ["name", "index", "nmae"]


def test_an_object_that_was_refused_hangs_in_nowhere() -> None:
    segment = Segment("s")
    with pytest.raises(ValidationFailed):
        Event("x", time=5 * pq.mV, segment=segment)
    with pytest.raises(ValidationFailed):
        EventArray([1, 2] * pq.s, labels=["a"], segment=segment)
    assert segment.all_events == []


def test_a_collection_given_as_a_field_is_told_to_be_one():
    with pytest.raises(UnknownField, match=r"Block\.segments is a collection: append to it when the Block is made"):
        Block("b", segments=[])


@pytest.mark.parametrize(
    "act",
    [
        lambda: Block(nmae="x"),  # type: ignore[call-arg]
        lambda: setattr(Block("x"), "nmae", "y"),
        lambda: Block("x").nmae,  # type: ignore[attr-defined]
        lambda: Segment("x").ref("blok"),
    ],
)
def test_a_misspelt_field_is_answered_with_what_was_meant(act: Any) -> None:
    with pytest.raises(UnknownField, match=r"has no field '\w+'; did you mean '(name|block)'\?"):
        act()


def test_values_given_by_ever_other_names_make_objects_all_the_same() -> None:
    names = [*Value.model_fields.keys() - {"property", "ext"}]
    for chosen in (dict.fromkeys(some, "x") for some in permutations(names, 3)):
        value = Value(**chosen)
        assert value.model_fields_set == chosen.keys()
        assert {name: getattr(value, name) for name in names} == dict.fromkeys(names) | chosen


def test_an_instance_of_a_class_below_the_kind_is_a_parent() -> None:
    class Recording(Block):
        pass

    recording = Recording("r")
    segment = Segment("s", block=recording)
    assert segment.block is recording
    assert list(recording.segments) == [segment]


def test_one_parent_may_be_given_itself_and_another_by_location() -> None:
    with Session(":memory:") as session:
        section, block = session.add(Section("a")), session.add(Block("b"))
        session.commit()
        for given in (block, str(block.location)):
            segment = Segment("s", metadata=section, block=given)
            assert segment in session.new
            assert (segment.metadata, segment.block) == (section, block)
        session.commit()
        assert len(section.segments) == len(block.segments) == 2


def test_neos_name_for_the_time_of_the_file_is_accepted() -> None:
    moment = datetime(2014, 3, 21, tzinfo=UTC)
    block = Block("x", file_datetime=moment)  # type: ignore[call-arg]
    assert block.filedatetime == block.file_datetime == moment
    block.file_datetime = None
    assert block.filedatetime is None
    with pytest.raises(ValidationFailed, match=r"Block\.filedatetime: 'soon'") as refused:
        Block("x", file_datetime="soon")  # type: ignore[call-arg]
    assert refused.value.field == "filedatetime"


@pytest.mark.parametrize("name", ["~instance", "~location"])
def test_names_that_the_validators_use_inside_are_no_fields(name: str) -> None:
    with pytest.raises(UnknownField, match=f"Segment has no field '{name}'"):
        Segment("x", **{name: 1})


def test_what_the_store_decides_cannot_be_set() -> None:
    block = Block("x")
    for name in ("location", "id", "guid", "owner", "date_created", "modified"):
        assert getattr(block, name) is None
        with pytest.raises(ReadOnlyField, match="is decided by the store") as failure:
            setattr(block, name, "x")
        assert (failure.value.entity, failure.value.field, failure.value.value) == ("Block", name, "x")


def test_ext_is_read_only() -> None:
    block = Block("x", ext={"a": [1]})
    with pytest.raises(ReadOnlyField, match="ext is kept by the package"):
        block.ext = {}
    for act in (lambda: block.ext.update(a=2), lambda: block.ext.pop("a"), lambda: block.ext.__setitem__("a", 1)):  # type: ignore[attr-defined]
        with pytest.raises(ReadOnlyField, match="cannot be edited"):
            act()
    assert block.ext == {"a": [1]}
    assert Block("y").ext == {}


def test_ext_shares_nothing_with_what_it_was_made_from() -> None:
    given = {"a": [1]}
    block = Block("x", ext=given)
    given["a"].append(2)
    assert block.ext == {"a": [1]}


def test_an_attribute_cannot_be_deleted() -> None:
    block = Block("x")
    with pytest.raises(AttributeError, match="cannot be deleted; set it to None"):
        del block.name
    assert block.name == "x"


def test_quantities_and_arrays_on_an_entity_are_read_only() -> None:
    signal = AnalogSignal(np.arange(3) * pq.mV, sampling_rate=1 * pq.kHz)
    with pytest.raises(ValueError, match="read"):
        signal.sampling_rate += 1 * pq.kHz
    with pytest.raises(ValueError, match="read-only"):
        signal.sampling_rate.magnitude[...] = 3
    with pytest.raises(ValueError, match="read-only"):
        signal.signal[:][0] = 3 * pq.mV
    assert signal.sampling_rate == 1 * pq.kHz


def test_annotations_are_there_without_being_given() -> None:
    block = Block("x")
    assert block.annotations == {}
    block.annotations["a"] = 1
    assert block.annotations == {"a": 1}
    block.annotations = None
    assert block.annotations == {}


def test_a_caller_keeps_his_own_dictionary() -> None:
    given: dict[str, Any] = {"a": {"b": [1]}}
    block = Block("x", annotations=given)
    given["a"]["b"].append(2)
    assert block.annotations == {"a": {"b": [1]}}


@pytest.mark.parametrize(
    ("gain", "kept"),
    [(2, 2.0), (np.float32(0.5), 0.5), ([1, 2], (1.0, 2.0)), (np.array([1.0, 2.0]), (1.0, 2.0)), (None, None)],
)
def test_gain_is_one_number_or_one_for_each_channel(gain: Any, kept: Any) -> None:
    assert AnalogSignal(gain=gain).gain == kept


def test_what_was_not_given_reads_as_its_default() -> None:
    segment = Segment()
    assert (segment.name, segment.index, segment.block, dict(segment.annotations)) == (None, None, None, {})
    assert Block().safety_level == 3
    assert Event(time=None).time is None


def test_what_was_given_is_told_from_defaults_for_each_object_alone() -> None:
    one, other = Event(label="a"), Event(label="b")
    one.time = (5.0, "ms")
    assert one.model_fields_set == {"label", "time"}
    assert other.model_fields_set == {"label"}


@pytest.mark.parametrize("gain", [(1.0, 2.0), (1.0, 2.0, 3.0)])
def test_numbers_of_channels_are_set_as_they_are_given(gain: tuple[float, ...]) -> None:
    signal = AnalogSignal(gain=gain)
    signal.offset = list(gain)
    assert (signal.gain, signal.offset) == (gain, gain)


def test_changing_the_set_of_given_fields_of_one_object_changes_no_other() -> None:
    one, other = Event(label="a"), Event(label="b")
    one.model_fields_set.add("time")
    assert one.model_fields_set == other.model_fields_set == {"label"}


def test_a_class_below_a_kind_accepts_its_own_fields_and_the_kind_its_own() -> None:
    Segment("before")

    class Trial(Segment):
        number: int
        tags: list[str] = Field(default_factory=list)
        index: int = 7

    trial = Trial("a", number="3")
    trial.tags.append("x")
    assert (trial.number, trial.tags, trial.index, Trial("b", number=1).tags) == (3, ["x"], 7, [])
    with pytest.raises(ValidationFailed, match="number"):
        Trial("a")
    with pytest.raises(UnknownField):
        Segment("a", number=3)


def test_a_class_below_a_kind_can_fill_in_what_was_not_given() -> None:
    class Trial(Segment):
        def model_post_init(self, context: Any, /) -> None:
            self.name = self.name or f"trial {self.index}"

    assert [Trial(index=3).name, Trial("a").name] == ["trial 3", "a"]
