"""Blocks, segments and annotations of neo through models."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import Block, Document, Segment, Session, SpikeTrain
from gnode_orm.errors import ValidationFailed
from tests.convert.neo.isomorphism import assert_isomorphic
from tests.convert.neo.round_trips import in_block, in_memory, stored

BERLIN = dt.datetime(2025, 7, 1, 12, 30, tzinfo=ZoneInfo("Europe/Berlin"))
# The second time that it was half past two that night.
TWICE = dt.datetime(2025, 10, 26, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin"))
NAIVE = dt.datetime(2014, 3, 21, 10, 30, 5, 123456)  # noqa: DTZ001 - neo's times have no zone
AWARE = dt.datetime(2014, 3, 21, 10, 30, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))
VALUES = {
    "bool": True,
    "int": 10**400,
    "float": -0.0,
    "infinity": np.inf,
    "NaN": np.nan,
    "empty text": "",
    "none": None,
    "complex": complex(1, -0.0),
    "bytes": b"\x00\xff",
    "date": dt.date(2014, 3, 21),
    "time": dt.time(10, 30, 0, 5),
    "naive": NAIVE,
    "aware": AWARE,
    "span": dt.timedelta(days=-1, microseconds=3),
    "decimal": Decimal("0.10"),
    "numpy text": np.str_("β"),
    "numpy int": np.uint32(7),
    "numpy float": np.float32(0.1),
    "numpy bool": np.bool_(True),
    "array": np.arange(4, dtype=">i2").reshape(2, 2),
    "no elements": np.zeros((2, 0)),
    "words": np.array(["a", "ccc"]),
    "quantity": 5 * pq.deg,
    "quantities": np.array([1, 2], "i2") * pq.mV,
    "tuple": (1, [2, (3,)], {}),
    "nested": {"z": {"a": [{}, []]}, "": None, "ключ": "знач"},
    "$": {"$": "q"},
}


def annotated(values: dict[str, Any]) -> neo.Block:
    block = neo.Block()
    block.annotations = values
    return block


@pytest.mark.case(2, 3, 4, 5)
@pytest.mark.parametrize(
    "name", [None, "", "β" * 5000, 'a\n\r\t"', "    "], ids=["none", "empty", "long", "quoted", "blank"]
)
def test_names_and_texts_come_back_from_a_store(name: str | None) -> None:
    block = neo.Block(name, description=name, file_origin=name)
    block.segments.append(neo.Segment(name, description=name, file_origin=name))
    assert_isomorphic(block, stored(block))


def test_a_numpy_name_becomes_text() -> None:
    assert type(Block.from_neo(neo.Block(np.str_("a"))).name) is str


def test_a_path_as_file_origin_becomes_text() -> None:
    assert Block.from_neo(neo.Block(file_origin=Path("a") / "b")).file_origin == str(Path("a") / "b")


@pytest.mark.case(6, 58)
@pytest.mark.parametrize(
    ("facts", "place"),
    [
        ({"name": "\ud800"}, "block.name"),
        ({"name": 5}, "block.name"),
        ({"name": b"bytes"}, "block.name"),
        ({"index": "x"}, "block.index"),
        ({"index": 1.0}, "block.index"),
        ({"index": True}, "block.index"),
        ({"rec_datetime": "2014-03-21"}, "block.rec_datetime"),
        ({"file_datetime": dt.date(2014, 3, 21)}, "block.filedatetime"),
    ],
    ids=lambda item: str(item).encode("ascii", "replace").decode(),
)
def test_what_no_field_can_hold_is_refused_with_its_path(facts: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationFailed, match=rf"^{place}: ") as caught:
        Block.from_neo(neo.Block(**facts))
    assert caught.value.field == place.partition(".")[2]


@pytest.mark.case(56, 57, 58)
@pytest.mark.parametrize("moment", [None, NAIVE, AWARE, BERLIN, TWICE], ids=["none", "naive", "aware", "zone", "fold"])
@pytest.mark.parametrize("index", [None, -3, np.int64(7)], ids=repr)
def test_times_and_indices_come_back_from_a_store(moment: Any, index: Any) -> None:
    block = neo.Block(file_datetime=moment, rec_datetime=moment, index=index)
    block.segments.append(neo.Segment(file_datetime=moment, rec_datetime=moment, index=index))
    assert_isomorphic(block, stored(block))


def test_the_zone_of_a_time_is_that_of_neo_until_the_field_is_set() -> None:
    native = neo.Block(rec_datetime=BERLIN, file_datetime=TWICE)
    back = stored(native)
    assert (back.rec_datetime.tzinfo, back.file_datetime.tzinfo) == (BERLIN.tzinfo, TWICE.tzinfo)
    assert (back.file_datetime.fold, back.file_datetime.utcoffset()) == (1, dt.timedelta(hours=1))
    model = Block.from_neo(native)
    model.rec_datetime = AWARE
    assert model.to_neo().rec_datetime.tzinfo == AWARE.tzinfo
    model.rec_datetime = None
    assert model.to_neo().rec_datetime is None


def test_an_index_set_later_replaces_the_exact_one_of_neo() -> None:
    model = Block.from_neo(neo.Block(index=np.int64(7)))
    model.index = 8
    assert type(model.to_neo().index) is int


@pytest.mark.case(68)
@pytest.mark.parametrize("key", VALUES)
@pytest.mark.trap(26)
def test_annotations_of_every_type_come_back_from_a_store(key: str) -> None:
    assert_isomorphic(annotated({key: VALUES[key]}), stored(annotated({key: VALUES[key]})))


@pytest.mark.case(67)
def test_annotations_keep_the_order_of_their_keys() -> None:
    block = annotated({"z": 1, "a": 2, "m": {"y": 1, "b": 2}})
    again = stored(block)
    assert (list(again.annotations), list(again.annotations["m"])) == (["z", "a", "m"], ["y", "b"])


@pytest.mark.trap(26)
def test_an_array_of_objects_comes_back_from_a_store() -> None:
    block = annotated({"moments": np.array([NAIVE, NAIVE], dtype=object)})
    assert_isomorphic(block, stored(block))


@pytest.mark.case(69)
@pytest.mark.parametrize(
    ("values", "place"),
    [({"a": {"b": [1, object()]}}, r"\['a'\]\['b'\]\[1\]"), ({"a": {1, 2}}, r"\['a'\]"), ({1: "a"}, "")],
    ids=["object", "set", "number as key"],
)
def test_an_annotation_that_cannot_be_kept_is_refused_with_its_path(values: dict[str, Any], place: str) -> None:
    block = in_block()
    block.segments[0].annotations = values
    with pytest.raises(ValidationFailed, match=rf"^block\.segments\[0\]\.annotations{place}: "):
        Block.from_neo(block)


def test_annotations_of_neo_and_of_models_do_not_share_what_can_be_edited() -> None:
    native = annotated({"list": [1]})
    model = Block.from_neo(native)
    native.annotations["list"].append(2)
    again = model.to_neo()
    again.annotations["list"].append(3)
    assert model.annotations == {"list": [1]}
    assert type(again.annotations["list"]) is list


@pytest.mark.case(66)
def test_array_annotations_come_back_from_a_store() -> None:
    values = {
        "depth": [1.0, 2.0] * pq.um,
        "good": np.array([True, False]),
        "name": np.array(["a", "β"]),
        "ids": np.array([1, 2], ">i2"),
    }
    train = neo.SpikeTrain([1.0, 2.0] * pq.s, t_stop=3, array_annotations=values)
    signal = neo.AnalogSignal(np.ones((3, 2)), units="mV", sampling_rate=1 * pq.Hz, array_annotations=values)
    block = in_block(train, signal, neo.SpikeTrain([] * pq.s, t_stop=1, array_annotations={"none": []}))
    assert_isomorphic(block, stored(block))


@pytest.mark.case(1)
def test_a_block_without_anything_comes_back_from_a_store() -> None:
    assert_isomorphic(neo.Block(), stored(neo.Block()))


@pytest.mark.case(59)
def test_names_of_several_objects_may_be_the_same() -> None:
    block = neo.Block("same")
    block.segments.extend([neo.Segment("same"), neo.Segment("same"), neo.Segment(None)])
    assert_isomorphic(block, stored(block))


def test_a_single_object_brings_its_parents() -> None:
    block = in_block(neo.SpikeTrain([1.0] * pq.s, t_stop=2), neo.Event([1.0] * pq.s))
    model = SpikeTrain.from_neo(block.segments[0].spiketrains[0])
    assert (model.segment.name, model.segment.block.name) == ("segment", "block")
    assert not list(model.segment.eventarrays)


def test_a_child_that_names_its_parent_needs_no_place_in_its_list() -> None:
    block, segment = neo.Block("block"), neo.Segment("segment")
    segment.block = block
    model = Segment.from_neo(segment)
    assert [item.name for item in model.block.segments] == ["segment"]


@pytest.mark.case(71)
def test_a_segment_in_two_blocks_is_refused_with_both() -> None:
    segment = neo.Segment("s")
    first, second = neo.Block("one"), neo.Block("two")
    first.segments.append(segment)
    second.segments.append(segment)
    with pytest.raises(ValidationFailed, match=r"^block\.segments\[0\]: multiple-parents: .*Block 'one'.*Block 'two'"):
        Block.from_neo(first)


def test_data_in_two_segments_is_refused_with_both() -> None:
    train = neo.SpikeTrain([1.0] * pq.s, t_stop=2)
    block = in_block(train)
    block.segments.append(neo.Segment("other"))
    block.segments[1].spiketrains.append(train)
    train.segment = None
    with pytest.raises(
        ValidationFailed,
        match=r"^block\.segments\[1\]\.spiketrains\[0\]: multiple-parents: .*block\.segments\[0\]\.spiketrains\[0\]",
    ):
        Block.from_neo(block)


def test_a_parent_named_by_the_child_alone_against_a_list_is_refused() -> None:
    block = in_block(neo.Event([1.0] * pq.s))
    block.segments[0].events[0].segment = neo.Segment("elsewhere")
    with pytest.raises(ValidationFailed, match=r"multiple-parents: is listed by Segment 'segment'.*'elsewhere'"):
        Block.from_neo(block)


def test_other_objects_are_refused_by_their_class() -> None:
    with pytest.raises(ValidationFailed, match=r"builtins\.int is not a neo object"):
        Block.from_neo(5)
    with pytest.raises(ValidationFailed, match="Segment becomes a Segment, not a Block"):
        Block.from_neo(neo.Segment())


def test_models_of_metadata_have_no_counterpart_in_neo() -> None:
    from gnode_orm.convert.neo import to_neo

    with pytest.raises(ValidationFailed, match="no counterpart in neo"):
        to_neo(Document("author"))


def test_a_subclass_of_a_neo_class_counts_as_that_class() -> None:
    class Own(neo.Segment):
        pass

    assert type(in_memory(Own("own"))) is neo.Segment


MANY = np.random.default_rng(5).normal(size=100_000)
LARGE: dict[str, Any] = {
    **{dtype: MANY.astype(dtype) for dtype in ("<f8", ">f8", "<f4", ">f4", "<f2", "g", "<c16", "<c8")},
    **{dtype: (MANY * 100).astype(dtype) for dtype in ("i1", "<i2", ">i2", "<i4", "<i8")},
    **{dtype: np.arange(100_000).astype(dtype) for dtype in ("u1", "<u2", "<u4")},
    "<u8": np.arange(100_000, dtype="<u8") + 2**63,
    "bool": MANY > 0,
    "special": np.where(MANY > 0, np.nan, -0.0),
    "quantity": pq.Quantity(MANY.astype("<f4"), "uV"),
    "integer quantity": pq.Quantity(np.arange(100_000, dtype=">i4"), "um"),
    "text": np.array([f"unit {number} ä" for number in range(100_000)]),
}


@pytest.mark.case(66)
@pytest.mark.parametrize("name", LARGE)
def test_large_array_annotations_come_back_bit_for_bit_and_are_cut_along(name: str) -> None:
    values = LARGE[name]
    native = neo.SpikeTrain(np.arange(100_000.0), units="ms", t_stop=100 * pq.s, array_annotations={"x": values})
    block = in_block(native)
    model = Block.from_neo(block)
    with Session(":memory:") as session:
        session.add(model)
        session.commit()
        location = model.location
        session.expunge(model)
        read = session.get(location).segments[0].spiketrains[0]
        cut = read.time_slice(250 * pq.ms, 1250 * pq.ms)
        for found, meant in (
            (read.array_annotations["x"], values),
            (read.to_neo().array_annotations["x"], values),
            (cut.array_annotations["x"], values[250:1251]),
        ):
            assert (type(found), found.dtype) == (type(meant), meant.dtype)
            assert np.asarray(found).tobytes() == np.asarray(meant).tobytes()
            assert getattr(found, "units", None) == getattr(meant, "units", None)
