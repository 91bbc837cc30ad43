"""Annotations are searched by value and type, under any key, alike on every database."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
import quantities as pq

from gnode_orm.core.select import Measure, Not, Select
from gnode_orm.errors import QueryError
from tests.stores.rows import by, create, found, ms, where

pytestmark = pytest.mark.needs("Annotations")

NASTY = [
    'a"b',
    "a.b",
    "a[0]",
    "$",
    "$.x",
    "'; DROP TABLE block; --",
    "",
    " ",
    "\\",
    "ключ",
    "🧠",
    "a\nb",
    "%",
    ":x",
    "\0",
]


def annotated(store, value, **more):
    return create(store, "block", annotations=value, **more)


def has(operator, value, *keys):
    return where("annotations", operator, value, *keys)


def test_any_text_may_be_a_key(store):
    block = annotated(store, {key: {key: number} for number, key in enumerate(NASTY)})
    annotated(store, {key: {key: -1} for key in NASTY})
    for number, key in enumerate(NASTY):
        assert found(store, "block", has("eq", number, key, key)) == [block]
        assert found(store, "block", has("eq", number, key)) == []


def test_types_are_kept_apart(store):
    values = ["1", 1, True, 1.5, None, [1], {"x": 1}, "true"]
    blocks = [annotated(store, {"k": value}) for value in values]
    missing = create(store, "block", annotations={})
    bare = create(store, "block", annotations=None)
    assert found(store, "block", has("eq", "1", "k")) == [blocks[0]]
    assert found(store, "block", has("eq", 1, "k")) == [blocks[1]]
    assert found(store, "block", has("eq", 1.0, "k")) == [blocks[1]]
    assert found(store, "block", has("eq", True, "k")) == [blocks[2]]
    assert found(store, "block", has("eq", "true", "k")) == [blocks[7]]
    assert found(store, "block", has("in", (1, "1", 1.5), "k")) == [blocks[0], blocks[1], blocks[3]]
    assert found(store, "block", has("eq", None, "k")) == [blocks[4], missing, bare]
    assert found(store, "block", has("is_null", False, "k")) == [*blocks[:4], *blocks[5:]]
    assert found(store, "block", has("eq", 1, "k", "x")) == [blocks[6]]
    assert found(store, "block", has("eq", 1, "k", "0")) == []
    assert missing in found(store, "block", has("ne", 1, "k"))
    assert found(store, "block", Not(has("ge", 1, "k"))) == [
        block for block in [*blocks, missing, bare] if block not in (blocks[1], blocks[3])
    ]


def test_numbers_are_compared_whatever_their_type(store):
    values = [3, 3.0, np.float32(3), np.int16(3), 10**30, -(10**400), float("inf"), float("-inf"), float("nan"), 0.1]
    blocks = [annotated(store, {"n": value}) for value in values]
    assert found(store, "block", has("eq", 3, "n")) == blocks[:4]
    assert found(store, "block", has("gt", 3, "n")) == [blocks[4], blocks[6]]
    assert found(store, "block", has("lt", 0, "n")) == [blocks[5], blocks[7]]
    assert found(store, "block", has("eq", 0.1, "n")) == [blocks[9]]
    assert blocks[8] in found(store, "block", has("ne", 3, "n"))
    assert found(store, "block", has("between", (0, 5), "n")) == [*blocks[:4], blocks[9]]


def test_floats_are_found_exactly(store):
    generator = np.random.default_rng(1)
    values = [float(value) for value in generator.random(200) * 10.0 ** generator.integers(-20, 20, 200)]
    create(store, "block", annotations={f"k{number}": value for number, value in enumerate(values)})
    for number, value in enumerate(values):
        assert len(found(store, "block", has("eq", value, f"k{number}"))) == 1, value


def test_integers_of_64_bits_are_exact(store):
    blocks = [annotated(store, {"n": value}) for value in (2**63 - 1, 2**63 - 2)]
    assert found(store, "block", has("eq", 2**63 - 1, "n")) == blocks[:1]
    assert found(store, "block", has("lt", 2**63 - 1, "n")) == blocks[1:]


def test_quantities_are_compared_by_si_value_and_dimension(store):
    blocks = [annotated(store, {"q": value}) for value in (ms(500), 0.5 * pq.s, 500 * pq.mV, 500, ms(float("nan")))]
    blocks.append(annotated(store, {"q": pq.Quantity(np.float32(2), "s")}))
    assert found(store, "block", has("eq", Measure(0.5, "s"), "q")) == blocks[:2]
    assert found(store, "block", has("gt", Measure(1, "ms"), "q")) == [*blocks[:2], blocks[5]]
    assert found(store, "block", has("eq", Measure(0.5, "V"), "q")) == [blocks[2]]
    assert found(store, "block", has("eq", 500, "q")) == [blocks[3]]


def test_text_tests_apply_to_text_alone(store):
    block = annotated(store, {"t": "Ünï 100%_x"})
    annotated(store, {"t": 100})
    for operator, value in (
        ("contains", "100%"), ("startswith", "Ü"), ("endswith", "_x"), ("icontains", "ÜNÏ"), ("iexact", "ünï 100%_X"),
        ("regex", "^Ü.*x$"), ("iregex", "^ü.*X$"), ("gt", "A"),
    ):  # fmt: skip
        assert found(store, "block", has(operator, value, "t")) == [block], operator
    assert found(store, "block", has("contains", "%1", "t")) == []


def test_text_with_a_nul_character_does_not_harm_other_rows(store):
    nul = annotated(store, {"t": "a\0b", "u": "\\u0000"})
    block = annotated(store, {"t": "ab"})
    assert found(store, "block", has("eq", "ab", "t")) == [block]
    assert found(store, "block", has("eq", "a\0b", "t")) == [nul]


def test_annotations_are_a_sort_key(store):
    values = [2, "b", None, 10, "a", -1.5]
    blocks = [annotated(store, {"k": value}) for value in values]
    order = [blocks[place] for place in (5, 0, 3, 4, 1, 2)]
    assert found(store, "block", order=(by("annotations", "k"),)) == order
    pages, cursor = [], None
    while True:
        page = store.select(Select("block", order=(by("annotations", "k"),), limit=2, after=cursor), "ann")
        pages += [record[0] for record in page.rows]
        cursor = page.cursor
        if cursor is None:
            break
    assert pages == order


def test_dates_and_datetimes_are_compared_as_points_in_time(store):
    plus_two = dt.timezone(dt.timedelta(hours=2))
    noon = dt.datetime(2020, 5, 1, 12, tzinfo=dt.UTC)
    moments = [noon, dt.datetime(2020, 5, 1, 13, tzinfo=plus_two), dt.datetime(2020, 5, 1, 12, 30), dt.date(2020, 5, 1)]  # noqa: DTZ001
    blocks = [annotated(store, {"at": moment}) for moment in [*moments, "2020-05-01", 5, None, dt.date(1969, 12, 31)]]
    assert found(store, "block", has("eq", noon, "at")) == [blocks[0]]
    assert found(store, "block", has("eq", noon.astimezone(plus_two), "at")) == [blocks[0]]
    assert found(store, "block", has("lt", noon, "at")) == [blocks[1]]
    assert found(store, "block", has("ge", noon, "at")) == [blocks[0], blocks[2]]
    assert found(store, "block", has("eq", dt.date(2020, 5, 1), "at")) == [blocks[3]]
    assert found(store, "block", has("lt", dt.date(2020, 5, 2), "at")) == [blocks[3], blocks[7]]
    between = (dt.datetime(2020, 5, 1, 11, 30, tzinfo=dt.UTC), dt.datetime(2020, 5, 1, 12, 15, tzinfo=dt.UTC))
    assert found(store, "block", has("between", between, "at")) == [blocks[0]]
    assert found(store, "block", has("in", (noon, dt.date(2020, 5, 1)), "at")) == [blocks[0], blocks[3]]


def test_annotations_behind_foreign_keys_are_searched(store):
    block = annotated(store, {"deep": {"er": "x"}})
    segment = create(store, "segment", block=block)
    assert found(store, "segment", where("block.annotations", "eq", "x", "deep", "er")) == [segment]
    assert found(store, "segment", where("block.annotations", "ne", "x", "deep", "er")) == []


def test_annotations_are_kept_as_text_with_the_order_of_keys(store):
    from tests.stores.rows import field

    block = create(store, "block", annotations='{"z":1,"a":2}')
    assert field("block", store.get("block", [block], "ann")[0], "annotations") == '{"z":1,"a":2}'


def test_a_list_is_no_value_to_compare_with(store):
    with pytest.raises(QueryError, match=r"annotations are compared with|cannot stand in a condition"):
        found(store, "block", has("eq", object(), "k"))
