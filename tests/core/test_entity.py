from __future__ import annotations

import copy
import gc
import inspect
import json
import pickle
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
import quantities as pq
from pydantic import BaseModel, Field, TypeAdapter

from gnode_orm.core.codec import from_columns, to_columns
from gnode_orm.core.schema import META, SCHEMA, FieldType
from gnode_orm.core.state import Status
from gnode_orm.errors import DetachedError, ReadOnlyField, UnitError, UnknownField, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.models import MODELS, AnalogSignal, Block, Document, Entity, Event, EventArray, Section, Segment, Value

PLACE = "block/2DFA548ESC"


class Origin:
    def guid(self, kind: str, id: int, version: int) -> str:
        return f"{id:016x}{version:016x}"

    def read_array(self, ref: Any, key: Any = ...) -> Any:
        raise AssertionError("no array is read")


class Session:
    """A tracker that notes what entities tell it."""

    def __init__(self, *loaded: Any) -> None:
        self.loaded = {(item.kind, item._state.id): item for item in loaded}
        self.changed: list[Any] = []

    def before_change(self, entity: Any) -> None:
        self.changed.append(entity)

    def join(self, entity: Any) -> None:
        raise AssertionError("nothing joins")

    def load_reference(self, entity: Any, name: str, kind: str, id: int) -> Any:
        return self.loaded[kind, id]

    def load_collection(self, entity: Any, relation: str) -> list[Any]:
        return []

    def find_loaded(self, kind: str, id: int) -> Any:
        return self.loaded.get((kind, id))

    def forget(self, state: Any) -> None:
        pass


def row_of(entity: Entity, id: int, version: int) -> tuple[Any, ...]:
    """The record of an entity without arrays, as a store gives it."""
    row: list[Any] = [id, version, version, "ada"]
    for spec in entity.__spec__.fields:
        if spec.type is FieldType.REF:
            location = entity.ref(spec.name)
            row.append(None if location is None else location.number)
        elif spec.type is FieldType.ARRAY:
            row += [None, None]
        else:
            row += to_columns(spec, entity._raw(spec.name))[: len(spec.read_columns)]
    return tuple(row)


def loaded(entity: Entity, session: Any = None, location: str = PLACE) -> Any:
    """The same entity as read from a store."""
    id = Location(location).number
    record = row_of(entity, id, 7)
    read = type(entity)._blank()
    read._enter(session, Origin(), Status.PERSISTENT, *record[:META], record[META:])
    return read


# ---- construction and assignment


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


def test_neos_name_for_the_time_of_the_file_is_accepted() -> None:
    moment = datetime(2014, 3, 21, tzinfo=UTC)
    block = Block("x", file_datetime=moment)  # type: ignore[call-arg]
    assert block.filedatetime == block.file_datetime == moment
    block.file_datetime = None
    assert block.filedatetime is None


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


# ---- identity, copies, pickles


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


# ---- dumps and schema


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


# ---- showing


@pytest.mark.parametrize("model", MODELS.values())
def test_every_model_is_shown_in_one_line(model: type[Entity]) -> None:
    assert repr(model()).startswith(f"{model.__name__}(")
    assert "\n" not in repr(model())


def test_repr_is_one_line_and_follows_no_ring() -> None:
    block = Block("a\nb" + "x" * 100, description="long")
    segment = Segment("s", block=block)
    block.segments.append(segment)
    assert repr(segment) == str(segment) == "Segment(name='s', block=<new Block>)"
    assert "\n" not in repr(block)
    assert len(repr(block)) < 100
    assert repr(loaded(Segment("s", block=PLACE), location="segment/2DFA548ESC")) == (
        "Segment(name='s', block=<block/2DFA548ESC>, at segment/2DFA548ESC)"
    )
    assert dict(segment.__rich_repr__()) == {"name": "'s'", "block": "<new Block>"}


def test_repr_shows_arrays_by_shape() -> None:
    signal = AnalogSignal(np.zeros((1000, 2)) * pq.mV, sampling_rate=1 * pq.kHz)
    assert repr(signal) == "AnalogSignal(signal=<1000x2 float64 mV>, sampling_rate=1.0 kHz)"


def test_html_escapes_and_follows_no_ring() -> None:
    block = Block("<script>&", annotations={"<b>": "</td>"})
    Segment("s", block=block)
    html = block._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;&amp;" in html
    assert "<b>" not in html
    assert "1 loaded" in html
    assert "new Block" in block.segments[0]._repr_html_()


# ---- records


def test_a_loaded_object_reads_from_its_record() -> None:
    original = Block("x", index=3, filedatetime=datetime(2014, 3, 21, tzinfo=UTC), annotations={"a": (1, 2)})
    block = loaded(original)
    assert (block.name, block.index, block.safety_level) == ("x", 3, 3)
    assert block.filedatetime == datetime(2014, 3, 21, tzinfo=UTC)
    assert block.annotations == {"a": (1, 2)}
    assert block.location == Location(PLACE)
    assert (block.id, block.owner) == ("2DFA548ESC", "ada")
    assert block.modified == block.date_created == datetime(1970, 1, 1, 0, 0, 0, 7, tzinfo=UTC)
    assert len(block.guid) == 32


def test_documents_and_booleans_read_from_their_records() -> None:
    document = loaded(Document("me", date=date(2014, 3, 21)), location="document/2DFA548ESC")
    assert document.date == date(2014, 3, 21)
    section = loaded(Section("s", is_template=True), location="section/2DFA548ESC")
    assert section.is_template is True


def test_a_change_keeps_what_was_there_and_tells_the_session_once() -> None:
    session = Session()
    block = loaded(Block("x", annotations={"a": [1]}), session)
    block.name = "y"
    block.name = "z"
    block.annotations["a"].append(2)
    assert session.changed == [block]
    for name, value in block._state.original.items():
        block._restore(name, value)
    assert block.name == "x"
    assert block.annotations == {"a": [1]}


def test_a_refused_assignment_tells_the_session_nothing() -> None:
    session = Session()
    block = loaded(Block("x"), session)
    with pytest.raises(ValidationFailed):
        block.name = 3  # type: ignore[assignment]
    with pytest.raises(ValidationFailed):
        block.annotations["a"] = object()
    assert session.changed == []
    assert block._state.original is None


def test_what_was_set_is_restored_to_what_was_set_before() -> None:
    block = Block("x", annotations={"a": 1}, ext={"e": 1})
    block._enter(None, None, Status.PERSISTENT, id=2**46, version=1)
    block.annotations = {"b": 2}
    block._set_ext({"e": 2})
    block.name = None
    state = block._state
    assert state is not None
    assert state.original is not None
    for name, value in state.original.items():
        block._restore(name, value)
    assert (block.name, block.annotations, block.ext) == ("x", {"a": 1}, {"e": 1})
    with pytest.raises(TypeError, match="cannot be edited"):
        block.ext["e"] = 3  # type: ignore[index]


def test_a_foreign_key_is_loaded_at_first_use_and_held() -> None:
    block = loaded(Block("x"))
    session = Session(block)
    segment = loaded(Segment("s", block=PLACE), session, "segment/2DFA548ESC")
    assert segment.ref("block") == Location(PLACE)
    assert segment.block is block
    session.loaded.clear()
    assert segment.block is block


def test_setting_the_location_that_stands_there_changes_nothing() -> None:
    session = Session()
    segment = loaded(Segment("s", block=PLACE), session, "segment/2DFA548ESC")
    segment.block = PLACE
    segment.block = Location(PLACE)
    assert session.changed == []


def test_without_a_session_a_foreign_key_that_was_not_loaded_cannot_be_read() -> None:
    segment = loaded(Segment("s", block=PLACE), location="segment/2DFA548ESC")
    with pytest.raises(DetachedError, match=r"block .* was not loaded, .* or use ref\('block'\)"):
        segment.block  # noqa: B018
    assert segment.ref("block") == Location(PLACE)


@pytest.mark.parametrize("kind", SCHEMA)
def test_every_field_survives_its_columns_when_empty(kind: str) -> None:
    entity: Any = MODELS[kind]()
    for spec in SCHEMA[kind].fields:
        if spec.type in (FieldType.REF, FieldType.ARRAY):
            continue
        columns = to_columns(spec, entity._raw(spec.name))
        assert len(columns) == len(spec.write_columns)
        again = entity._watched(spec.name, from_columns(spec, columns[: len(spec.read_columns)], None))
        assert again == entity._raw(spec.name)


def test_a_class_is_built_when_it_is_first_used_and_says_its_signature_before() -> None:
    script = (
        "import inspect\nfrom gnode_orm import Block, Segment\n"
        "print('index' in inspect.signature(Segment).parameters, Block.__pydantic_complete__)\n"
        "Block('x')\nprint(Block.__pydantic_complete__)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True", "False", "True"]


def test_a_quantity_given_as_number_and_unit_is_made_when_it_is_read():
    event = Event(label="e", time=(0.5, "ms"))
    assert "time" not in vars(event)
    assert event.time == 0.5 * pq.ms
    assert event.time is event.time


def test_a_quantity_that_nobody_read_is_in_copies_pickles_and_dumps():
    event = Event(label="e", time=(0.5, "ms"))
    for twin in (copy.copy(event), pickle.loads(pickle.dumps(Event(time=(0.5, "ms")))), event.model_copy()):
        assert twin.time == 0.5 * pq.ms
    assert Event(time=(0.5, "ms")).model_dump(mode="json")["time"] == {"value": 0.5, "unit": "ms"}


def test_a_quantity_that_nobody_read_gives_way_to_a_new_one():
    event = Event(time=(0.5, "ms"))
    event.time = (2.0, "s")
    assert event.time == 2.0 * pq.s


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -0.0])
def test_numbers_that_databases_change_are_kept_exactly_from_the_start(number):
    event = Event(time=(number, "s"))
    assert event.time.magnitude.tobytes() == np.float64(number).tobytes()


def test_a_number_with_a_unit_of_another_dimension_is_refused():
    with pytest.raises(UnitError, match="is not a time"):
        Event(time=(0.5, "mV"))


def test_looking_at_a_class_with_help_leaves_the_others_whole():
    script = (
        "import contextlib, io\n"
        "from gnode_orm import Block, Segment\n"
        "with contextlib.redirect_stdout(io.StringIO()) as text: help(Block)\n"
        "told = ''.join(text.getvalue().replace('|', '').split())\n"
        "assert 'Block(name:str=None,*,description:str=None' in told\n"
        "assert Segment('a', block=Block('b')).block.name == 'b'\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_tab_completion_offers_fields_and_nothing_of_pydantics_first_version():
    for names in (dir(Segment), dir(Segment("a"))):
        assert {"name", "block", "annotations", "analogsignals", "location", "to_neo", "model_dump"} <= set(names)
        assert not {"parse_obj", "construct", "dict"} & set(names)


def test_the_signature_names_each_field_with_its_type_in_a_word():
    signature = inspect.signature(AnalogSignal)
    assert str(signature.parameters["signal"]) == "signal: array = None"
    assert str(signature.parameters["gain"]) == "gain: float = None"
    assert str(signature.parameters["segment"]) == "segment: Segment = None"
    assert inspect.signature(Block).parameters["safety_level"].default == 3
    assert "ext" not in signature.parameters


def test_a_collection_is_a_table_in_notebooks():
    block = Block("b")
    Segment("<i>", block=block)
    html = block.segments._repr_html_()
    assert "Block.segments: 1 segment" in html
    assert "&lt;i&gt;" in html


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


def test_threads_that_read_values_first_get_the_same() -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    events = [Event(time=(5.0, "ms"), annotations={"n": 1}) for _ in range(2000)]
    together = threading.Barrier(4)

    def read() -> list[tuple[Any, Any]]:
        together.wait()
        return [(event.time, event.annotations) for event in events]

    try:
        with ThreadPoolExecutor(4) as pool:
            found = [item.result() for item in [pool.submit(read) for _ in range(4)]]
    finally:
        sys.setswitchinterval(interval)
    assert all(times == 5 * pq.ms and notes == {"n": 1} for one in found for times, notes in one)
    assert all(
        one is first
        for others in zip(*found, strict=True)
        for pair in others
        for one, first in zip(pair, others[0], strict=True)
    )


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


class Note(BaseModel):
    """Somebody else's model that holds one of ours."""

    event: Event


def test_a_model_dumps_every_field_inside_other_models() -> None:
    new = Event("a", time=(5.0, "ms"), segment=Location("segment/2DFA548ESC"), annotations={"n": 1})
    read = loaded(Event("a", time=5 * pq.ms), location="event/2DFA548ESC")
    for event in (new, read):
        assert Note(event=event).model_dump() == {"event": event.model_dump()}
        assert json.loads(Note(event=event).model_dump_json()) == {"event": event.model_dump(mode="json")}
        assert TypeAdapter(Event).dump_python(event, mode="json") == event.model_dump(mode="json")
    assert list(new.model_dump())[6:] == list(Event.model_fields)


def test_what_a_dump_looks_like_is_told_by_the_json_schema() -> None:
    assert Event.model_json_schema(mode="serialization")["properties"].keys() == Event.model_fields.keys()
