"""Conditions mean the same on every database."""

from __future__ import annotations

import math
import sqlite3
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
import quantities as pq

from gnode_orm.core.changes import ChangeSet, Link
from gnode_orm.core.select import And, AnyOf, Measure, Not, Or, Select
from gnode_orm.errors import QueryError, UnitError
from gnode_orm.ids import encode_id
from gnode_orm.location import Location
from gnode_orm.stores.local import open_local
from gnode_orm.stores.local.sqlite import SqliteDatabase
from tests.stores.rows import by, change, create, field, found, ms, where

ANY_CASE = [
    ("Straße", "STRASSE", True),
    ("ΜΆΪΟΣ", "μάϊος", True),
    ("Σίσυφος", "ΣΊΣΥΦΟΣ", True),
    ("ÉCOLE", "école", True),
    ("ǅ", "ǆ", True),
    ("ı", "i", True),
    ("é", "e", False),
    ("a_b", "AxB", False),
    ("100%", "100X", False),
]


@pytest.mark.parametrize(("text", "wanted", "expected"), ANY_CASE)
def test_case_is_folded_for_all_of_unicode(store, text, wanted, expected):
    block = create(store, "block", name=text)
    assert (found(store, "block", where("name", "iexact", wanted)) == [block]) is expected
    assert (found(store, "block", where("name", "icontains", wanted)) == [block]) is expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", "a%b_c", True), ("eq", "A%b_c", False), ("ne", "x", True),
        ("contains", "%b_", True), ("contains", "xb", False), ("contains", "B", False), ("contains", "", True),
        ("startswith", "a%", True), ("startswith", "a_", False), ("startswith", "", True),
        ("endswith", "_c", True), ("endswith", "%c", False), ("endswith", "", True), ("endswith", "xxxxxxa%b_c", False),
        ("icontains", "%B_", True), ("istartswith", "A%", True), ("iendswith", "_C", True), ("iexact", "", False),
        ("regex", "^a.b", True), ("regex", "^A.b", False), ("iregex", "^A.B", True),
        ("lt", "b", True), ("gt", "Z", True), ("between", ("a", "b"), True), ("in", ("x", "a%b_c"), True),
        ("in", (), False),
    ],
)  # fmt: skip
def test_text_is_compared_literally_and_by_code_point(store, operator, value, expected):
    create(store, "block", name=None)
    block = create(store, "block", name="a%b_c")
    answer = found(store, "block", where("name", operator, value))
    assert (block in answer) is expected


@pytest.mark.needs("Conditions")
@pytest.mark.parametrize(("name", "values"), [("index", [*range(2000)]), ("name", [f"b{n}" for n in range(2000)])])
def test_many_values_are_looked_for_in_one_query(store, name, values):
    blocks = [create(store, "block", name=f"b{n}", index=n) for n in (1, 1999, 2000)]
    assert found(store, "block", where(name, "in", tuple(values))) == blocks[:2]
    assert found(store, "block", Not(where(name, "in", tuple(values)))) == blocks[2:]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (where("index", "in", tuple(range(30_001))), "at most 30000 values"),
        (Or(tuple(where("index", "eq", number) for number in range(2000))), r"too many conditions.*in_\(\[...\]\)"),
    ],
    ids=["values", "conditions"],
)
def test_more_than_sqlite_takes_is_refused_in_words(condition, message):
    store = open_local(":memory:")
    with pytest.raises(QueryError, match=message):
        found(store, "block", condition)
    store.close()


@pytest.mark.needs("Conditions")
def test_a_null_field_meets_no_comparison_but_ne(store):
    block = create(store, "block", name=None)
    for operator, value in (("eq", "x"), ("lt", "x"), ("contains", "x"), ("in", ("x",)), ("iexact", "x")):
        assert found(store, "block", where("name", operator, value)) == []
        assert found(store, "block", Not(where("name", operator, value))) == [block]
    assert found(store, "block", where("name", "ne", "x")) == [block]
    assert found(store, "block", where("name", "eq", None)) == [block]
    assert found(store, "block", where("name", "is_null", True)) == [block]
    assert found(store, "block", where("name", "is_null", False)) == []
    assert found(store, "block", where("name", "in", ("x", None))) == [block]


def test_and_or_not_nest(store):
    a, b, c = (create(store, "block", name=name, index=number) for number, name in enumerate("abc"))
    either = Or((where("name", "eq", "a"), where("index", "gt", 1)))
    assert found(store, "block", either) == [a, c]
    assert found(store, "block", Not(either)) == [b]
    assert found(store, "block", And((either, where("index", "lt", 1)))) == [a]
    assert found(store, "block", And(())) == [a, b, c]
    assert found(store, "block", Or(())) == []


def test_one_shape_serves_many_values(store):
    blocks = {name: create(store, "block", name=name) for name in "abc"}
    for name, block in blocks.items():
        assert found(store, "block", where("name", "eq", name)) == [block]


@pytest.mark.needs("Numbers with units in conditions")
def test_quantities_are_compared_across_units(store):
    signals = {unit: create(store, "event", time=pq.Quantity(value, unit)) for value, unit in ((1, "s"), (1500, "ms"))}
    assert found(store, "event", where("time", "eq", Measure(1000, "ms"))) == [signals["s"]]
    assert found(store, "event", where("time", "gt", Measure(1.2, "s"))) == [signals["ms"]]
    assert found(store, "event", where("time", "between", (Measure(0.9, "s"), Measure(1.1e6, "us")))) == [signals["s"]]
    assert found(store, "event", where("time", "in", (Measure(1, "s"), Measure(1.5, "s")))) == list(signals.values())
    assert found(store, "event", order=(by("time", descending=True),)) == [signals["ms"], signals["s"]]


@pytest.mark.needs("Numbers with units in conditions")
def test_a_tenth_of_a_millisecond_is_a_hundred_microseconds(store):
    event = create(store, "event", time=ms(0.1))
    assert found(store, "event", where("time", "eq", Measure(100, "us"))) == [event]


@pytest.mark.needs("Numbers with units in conditions")
def test_a_measure_of_another_dimension_is_refused(store):
    with pytest.raises(UnitError, match="mV cannot be compared"):
        found(store, "event", where("time", "gt", Measure(1, "mV")))


@pytest.mark.needs("Numbers with units in conditions")
def test_a_bare_number_for_a_quantity_is_refused(store):
    with pytest.raises(QueryError, match="has no unit"):
        found(store, "event", where("time", "gt", 10))


SPECIAL = [
    np.float64("nan"), np.float64(-0.0), np.float64("inf"), np.float64("-inf"), np.float32(0.1),
    np.int64(2**63 - 1), np.int64(-(2**63)), np.int64(2**53 + 1),
]  # fmt: skip


@pytest.mark.needs("Numbers with units in conditions")
def test_special_numbers_are_kept_compared_and_ordered_alike(store):
    from gnode_orm.core.quantity import from_columns

    events = [create(store, "event", time=pq.Quantity(value, "s")) for value in SPECIAL]
    for event, value in zip(events, SPECIAL, strict=True):
        (record,) = store.get("event", [event], "ann")
        again = from_columns(field("event", record, "time"), field("event", record, "time_unit"))
        assert again.magnitude.dtype == value.dtype
        assert again.magnitude.tobytes() == value.tobytes()
    nan, negative_zero, inf, minus_inf, tenth, most, least, large = events
    rising = [minus_inf, least, negative_zero, tenth, large, most, inf, nan]
    assert found(store, "event", order=(by("time"),)) == rising
    assert found(store, "event", order=(by("time", descending=True),)) == [*rising[-2::-1], nan]
    assert found(store, "event", where("time", "eq", Measure(0.0, "s"))) == [negative_zero]
    assert found(store, "event", where("time", "is_null", True)) == []
    assert nan not in found(store, "event", where("time", "gt", Measure(-math.inf, "s")))
    assert nan in found(store, "event", where("time", "ne", Measure(0.0, "s")))
    assert found(store, "event", where("time", "lt", Measure(math.nan, "s"))) == []


@pytest.mark.needs("Wide values")
def test_integers_of_64_bits_are_exact(store):
    blocks = [create(store, "block", index=number) for number in (2**63 - 1, 2**63 - 2, -(2**63))]
    assert found(store, "block", where("index", "eq", 2**63 - 1)) == [blocks[0]]
    assert found(store, "block", where("index", "lt", 2**80)) == blocks
    assert found(store, "block", where("index", "ge", 0.5)) == blocks[:2]


def test_truth_values_are_kept_and_found(store):
    template = create(store, "section", is_template=True)
    plain = create(store, "section", is_template=False)
    assert found(store, "section", where("is_template", "eq", True)) == [template]
    assert found(store, "section", where("is_template", "eq", False)) == [plain]
    assert field("section", store.get("section", [template], "ann")[0], "is_template") == 1


def _us(moment):
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _segment_at(store, moment):
    return create(store, "segment", rec_datetime=(moment.isoformat(), _us(moment)))


@pytest.mark.needs("Every field")
def test_datetimes_are_compared_as_instants(store):
    naive = _segment_at(store, datetime(2014, 3, 21, 10))  # noqa: DTZ001
    aware = _segment_at(store, datetime(2014, 3, 21, 10, tzinfo=timezone(timedelta(hours=2))))
    early = _segment_at(store, datetime(1965, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
    assert found(store, "segment", order=(by("rec_datetime"),)) == [early, aware, naive]
    eight = datetime(2014, 3, 21, 8, tzinfo=UTC)
    assert found(store, "segment", where("rec_datetime", "eq", eight)) == [aware]
    assert found(store, "segment", where("rec_datetime", "gt", eight)) == [naive]
    assert found(store, "segment", where("rec_datetime", "eq", 1965, part="year")) == [early]
    for part, value in (("month", 12), ("day", 31), ("hour", 23)):
        assert found(store, "segment", where("rec_datetime", "eq", value, part=part)) == [early]
    assert found(store, "segment", where("rec_datetime", "eq", 6, part="week_day")) == [naive, aware, early]
    assert found(store, "segment", where("rec_datetime", "lt", date(2014, 1, 1))) == [early]


def test_dates_have_parts_and_an_order(store):
    first = create(store, "document", date="2014-03-21")
    second = create(store, "document", date="1999-12-05")
    assert found(store, "document", where("date", "ge", date(2000, 1, 1))) == [first]
    assert found(store, "document", order=(by("date"),)) == [second, first]
    for part, value in (("year", 1999), ("month", 12), ("day", 5), ("week_day", 1)):
        assert found(store, "document", where("date", "eq", value, part=part)) == [second]
    with pytest.raises(QueryError, match="part"):
        found(store, "document", where("date", "eq", 1, part="hour"))


@pytest.mark.needs("Who, when and why")
def test_meta_data_of_objects_can_be_asked_for(store):
    block = create(store, "block")
    other = create(store, "block")
    (record,) = store.get("block", [block], "ann")
    born = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=record[2])
    location = Location.of_number("block", block)
    receipt = change(store, "block", block, name="changed")
    assert found(store, "block", where("id", "eq", encode_id(block))) == [block]
    assert found(store, "block", where("id", "in", (block, other))) == [block, other]
    assert found(store, "block", where("location", "eq", location)) == [block]
    assert found(store, "block", where("location", "in", (location,))) == [block]
    assert found(store, "block", where("owner", "icontains", "AN")) == [block, other]
    assert found(store, "block", where("date_created", "le", born)) == [block]
    assert found(store, "block", where("modified", "gt", born)) == [block, other]
    assert found(store, "block", order=(by("modified", descending=True),)) == [block, other]
    guid = store.guid("block", block, receipt.version)
    assert found(store, "block", where("guid", "eq", guid)) == [block]
    assert found(store, "block", where("guid", "ne", guid)) == [other]
    assert found(store, "block", where("guid", "eq", store.guid("block", block, record[1]))) == []
    assert found(store, "block", where("guid", "in", (guid, "nonsense"))) == [block]


def test_a_guid_is_32_hex_digits_and_new_for_each_version(store):
    block = create(store, "block")
    first = version_guid(store, block)
    change(store, "block", block, name="x")
    second = version_guid(store, block)
    assert first != second
    assert {len(first), len(second)} == {32}
    assert int(first, 16)


def version_guid(store, block):
    (record,) = store.get("block", [block], "ann")
    return store.guid("block", block, record[1])


@pytest.mark.needs("Order")
def test_foreign_keys_are_followed(store):
    blocks = [create(store, "block", name=name) for name in ("a", "b")]
    segments = [create(store, "segment", block=block) for block in blocks]
    loose = create(store, "segment")
    events = [create(store, "event", segment=segment) for segment in (*segments, loose)]
    assert found(store, "event", where("segment.block.name", "eq", "a")) == events[:1]
    assert found(store, "event", where("segment.block.name", "ne", "a")) == events[1:]
    assert found(store, "event", where("segment.block.name", "is_null", True)) == events[2:]
    assert found(store, "event", Not(where("segment.block.name", "eq", "a"))) == events[1:]
    assert found(store, "event", where("segment", "eq", Location.of_number("segment", segments[1]))) == events[1:2]
    inside = where("segment.block", "in", tuple(Location.of_number("block", block) for block in blocks))
    assert found(store, "event", inside) == events[:2]
    assert found(store, "event", order=(by("segment.block.name", descending=True),)) == [
        events[1],
        events[0],
        events[2],
    ]
    with pytest.raises(QueryError, match="location of a segment"):
        found(store, "event", where("segment", "eq", Location.of_number("block", blocks[0])))


@pytest.mark.needs("Conditions")
def test_collections_are_searched(store):
    block, empty = create(store, "block", name="full"), create(store, "block", name="empty")
    segment = create(store, "segment", block=block, name="s")
    create(store, "event", segment=segment, label="go")
    labelled = AnyOf((), "events", where("label", "eq", "go"))
    assert found(store, "segment", labelled) == [segment]
    assert found(store, "block", AnyOf((), "segments", labelled)) == [block]
    assert found(store, "block", AnyOf((), "segments", None)) == [block]
    assert found(store, "block", Not(AnyOf((), "segments", None))) == [empty]
    assert found(store, "event", AnyOf(("segment", "block"), "segments", where("name", "eq", "s"))) != []
    assert found(store, "event", AnyOf(("segment",), "events", where("label", "eq", "stop"))) == []


@pytest.mark.needs("Channels and their groups")
def test_channels_and_groups_are_searched_both_ways(store):
    block = create(store, "block")
    group = create(store, "recordingchannelgroup", block=block, name="tetrode")
    channels = [create(store, "recordingchannel", index=number) for number in range(2)]
    store.apply(ChangeSet(links=[Link(channels[1], group, True)]), "ann")
    in_group = AnyOf((), "recordingchannelgroups", where("name", "eq", "tetrode"))
    assert found(store, "recordingchannel", in_group) == [channels[1]]
    assert found(store, "recordingchannelgroup", AnyOf((), "recordingchannels", where("index", "eq", 1))) == [group]
    assert found(store, "recordingchannelgroup", AnyOf((), "recordingchannels", where("index", "eq", 0))) == []


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        (where("nam", "eq", "x"), "did you mean 'name'"),
        (where("name", "eq", 5), "text is needed"),
        (where("index", "eq", "five"), "a number is needed"),
        (where("name", "regex", "("), "regular expression"),
        (where("name", "iregex", r"(a+)\1"), "references back"),
        (where("name", "regex", "(?=a)b"), "looking around"),
        (where("blok.name", "eq", "x"), "not a foreign key"),
        (where("index", "contains", 1), "text alone"),
        (where("annotations", "eq", "x"), "name a key"),
        (where("name", "lt", None), "None has no order"),
        (where("name", "approximately", "x"), "no comparison"),
        (where("name", "eq", "x", "key"), "only annotations have keys"),
        (where("id", "eq", "short"), "ten characters"),
        (where("guid", "contains", "a"), "guid"),
        (AnyOf((), "segmentz", None), "did you mean 'segments'"),
    ],
)
def test_a_condition_without_meaning_is_refused(store, condition, said):
    create(store, "block", name="x", index=1)
    with pytest.raises(QueryError, match=said):
        store.select(Select("block", where=condition), "ann")


@pytest.mark.needs("Wide values")
def test_a_pattern_that_backtracks_for_ever_elsewhere_is_searched_at_once(store):
    name = "a" * 200 + "!"
    create(store, "block", name=name)
    assert len(store.select(Select("block", where("name", "regex", "^(a|aa|a?)+$")), "ann").rows) == 0
    assert len(store.select(Select("block", where("name", "iregex", "^(A|AA|A?)+!$")), "ann").rows) == 1


def test_a_query_too_deep_for_the_parser_of_an_older_sqlite_is_refused_in_words():
    said = SqliteDatabase(None).translate(sqlite3.OperationalError("parser stack overflow"))
    assert isinstance(said, QueryError)
    assert "too many conditions within each other" in str(said)
