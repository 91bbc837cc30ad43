from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
import quantities as pq

from gnode_orm.core.expressions import Column, Condition, Ordering, QuantityColumn, RefColumn, RelationColumn
from gnode_orm.core.select import And, AnyOf, Attr, Comparison, Measure, Not, Or, Order
from gnode_orm.core.state import Status
from gnode_orm.errors import QueryError, UnknownField, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.models import AnalogSignal, Block, Document, Event, Section, Segment

NAME = Attr(("name",))
PLACE = Location("block/2DFA548ESC")


def stored_block() -> Block:
    block = Block("x")
    block._enter(None, None, Status.DETACHED, id=PLACE.number, version=1)
    return block


@pytest.mark.parametrize(
    ("condition", "node"),
    [
        (Segment.name == "a", Comparison(NAME, "eq", "a")),
        (Segment.name != "a", Comparison(NAME, "ne", "a")),
        (Segment.name == None, Comparison(NAME, "is_null", True)),  # noqa: E711
        (Segment.name != None, Not(Comparison(NAME, "is_null", True))),  # noqa: E711
        (Segment.name < "a", Comparison(NAME, "lt", "a")),
        (Segment.name <= "a", Comparison(NAME, "le", "a")),
        (Segment.name > "a", Comparison(NAME, "gt", "a")),
        (Segment.name >= "a", Comparison(NAME, "ge", "a")),
        (Segment.name.between("a", "b"), Comparison(NAME, "between", ("a", "b"))),
        (Segment.name.in_(["a", "b"]), Comparison(NAME, "in", ("a", "b"))),
        (Segment.name.in_(name for name in "ab"), Comparison(NAME, "in", ("a", "b"))),
        (Segment.name.is_null(), Comparison(NAME, "is_null", True)),
        (Segment.name.is_null(False), Comparison(NAME, "is_null", False)),
        (Segment.name.contains("a"), Comparison(NAME, "contains", "a")),
        (Segment.name.icontains("a"), Comparison(NAME, "icontains", "a")),
        (Segment.name.startswith("a"), Comparison(NAME, "startswith", "a")),
        (Segment.name.istartswith("a"), Comparison(NAME, "istartswith", "a")),
        (Segment.name.endswith("a"), Comparison(NAME, "endswith", "a")),
        (Segment.name.iendswith("a"), Comparison(NAME, "iendswith", "a")),
        (Segment.name.iexact("a"), Comparison(NAME, "iexact", "a")),
        (Segment.name.regex("a"), Comparison(NAME, "regex", "a")),
        (Segment.name.iregex("a"), Comparison(NAME, "iregex", "a")),
        (Segment.index > 3, Comparison(Attr(("index",)), "gt", 3)),
        (Segment.index == np.int64(3), Comparison(Attr(("index",)), "eq", 3)),
        (Section.is_template == True, Comparison(Attr(("is_template",)), "eq", True)),  # noqa: E712
        (Document.date == "2014-03-21", Comparison(Attr(("date",)), "eq", date(2014, 3, 21))),
        (Document.date.year == 2014, Comparison(Attr(("date",), part="year"), "eq", 2014)),
        (Block.rec_datetime.month == 3, Comparison(Attr(("rec_datetime",), part="month"), "eq", 3)),
        (Block.rec_datetime.day == 3, Comparison(Attr(("rec_datetime",), part="day"), "eq", 3)),
        (Block.rec_datetime.hour == 3, Comparison(Attr(("rec_datetime",), part="hour"), "eq", 3)),
        (Block.rec_datetime.week_day == 3, Comparison(Attr(("rec_datetime",), part="week_day"), "eq", 3)),
        (
            Block.date_created > datetime(2014, 3, 21, tzinfo=UTC),
            Comparison(Attr(("date_created",)), "gt", datetime(2014, 3, 21, tzinfo=UTC)),
        ),
        (Block.owner == "ada", Comparison(Attr(("owner",)), "eq", "ada")),
        (Block.location == "block/2DFA548ESC", Comparison(Attr(("location",)), "eq", PLACE)),
        (
            AnalogSignal.sampling_rate > 1 * pq.kHz,
            Comparison(Attr(("sampling_rate",)), "gt", Measure(1.0, "kHz")),
        ),
        (AnalogSignal.sampling_rate > "1 kHz", Comparison(Attr(("sampling_rate",)), "gt", Measure(1.0, "kHz"))),
        (Event.time.in_([(1, "ms")]), Comparison(Attr(("time",)), "in", (Measure(1.0, "ms"),))),
        (
            Event.time.between(1 * pq.ms, 2 * pq.s),
            Comparison(Attr(("time",)), "between", (Measure(1.0, "ms"), Measure(2.0, "s"))),
        ),
        (AnalogSignal.signal.is_null(), Comparison(Attr(("signal",)), "is_null", True)),
        (Segment.block.name == "x", Comparison(Attr(("block", "name")), "eq", "x")),
        (AnalogSignal.segment.block.name == "x", Comparison(Attr(("segment", "block", "name")), "eq", "x")),
        (Segment.block == PLACE, Comparison(Attr(("block",)), "eq", PLACE)),
        (Segment.block != PLACE, Not(Comparison(Attr(("block",)), "eq", PLACE))),
        (Segment.block == None, Comparison(Attr(("block",)), "is_null", True)),  # noqa: E711
        (Segment.block.is_(stored_block()), Comparison(Attr(("block",)), "eq", PLACE)),
        (Segment.block.is_("block/2DFA548ESC"), Comparison(Attr(("block",)), "eq", PLACE)),
        (Segment.block.in_([stored_block(), PLACE]), Comparison(Attr(("block",)), "in", (PLACE, PLACE))),
        (Segment.block.is_null(False), Comparison(Attr(("block",)), "is_null", False)),
        (Block.segments.any(), AnyOf((), "segments", None)),
        (Block.segments.any(Segment.name == "a"), AnyOf((), "segments", Comparison(NAME, "eq", "a"))),
        (
            Segment.block.segments.any(Segment.name == "a"),
            AnyOf(("block",), "segments", Comparison(NAME, "eq", "a")),
        ),
        (
            Block.segments.analogsignals.any(AnalogSignal.name == "a"),
            AnyOf((), "segments", AnyOf((), "analogsignals", Comparison(NAME, "eq", "a"))),
        ),
        (Segment.annotations["a"] == "red", Comparison(Attr(("annotations",), ("a",)), "eq", "red")),
        (Segment.annotations["a"]["b"] > 3, Comparison(Attr(("annotations",), ("a", "b")), "gt", 3)),
        (
            Segment.block.annotations["a"] == 45 * pq.deg,
            Comparison(Attr(("block", "annotations"), ("a",)), "eq", Measure(45.0, "deg")),
        ),
        (Segment.annotations["a"].contains("x"), Comparison(Attr(("annotations",), ("a",)), "contains", "x")),
    ],
    ids=lambda item: str(item)[:60],
)  # fmt: skip
def test_an_expression_builds_its_node(condition: Condition, node: Any) -> None:
    assert type(condition) is Condition
    assert condition.node == node


def test_conditions_are_joined_flat_and_turned() -> None:
    a, b, c = (Segment.name == name for name in "abc")
    assert (a & b & c).node == And((a.node, b.node, c.node))
    assert (a | b | c).node == Or((a.node, b.node, c.node))
    assert (a & (b | c)).node == And((a.node, Or((b.node, c.node))))
    assert (~(a & b)).node == Not(And((a.node, b.node)))
    assert (a & b).kind == "segment"


def test_sort_keys() -> None:
    assert isinstance(Segment.name.asc(), Ordering)
    assert Segment.name.asc().order == Order(NAME)
    assert Segment.block.name.desc().order == Order(Attr(("block", "name")), descending=True)


def test_a_collection_is_a_path_for_eager_loading() -> None:
    assert Block.segments.eager_path == "segments"
    assert Block.segments.analogsignals.eager_path == "segments.analogsignals"
    assert Segment.block.segments.eager_path == "block.segments"


def test_what_stands_on_a_class_says_what_it_is() -> None:
    assert (type(Segment.name), repr(Segment.name)) == (Column, "<column Segment.name>")
    assert (type(Segment.block), repr(Segment.block)) == (RefColumn, "<foreign key Segment.block>")
    assert (type(Block.segments), repr(Block.segments)) == (RelationColumn, "<collection Block.segments>")
    assert (type(Event.time), str(Segment.block.name)) == (QuantityColumn, "Segment.block.name")
    assert str(Segment.annotations["a"]) == "Segment.annotations['a']"


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: AnalogSignal.sampling_rate > 10,
        "AnalogSignal.sampling_rate > 10: 10 has no unit; write 10*pq.kHz, column on the left",
    ),
    (lambda: Event.time < 3, "Event.time < 3: 3 has no unit; write 10*pq.ms, column on the left"),
    (lambda: AnalogSignal.sampling_rate == 5 * pq.mV, "AnalogSignal.sampling_rate == 5.0 mV: 5.0 mV is not a rate"),
    (
        lambda: AnalogSignal.sampling_rate > "10 mV",
        "AnalogSignal.sampling_rate > '10 mV': '10 mV' is not a rate",
    ),
    (lambda: AnalogSignal.sampling_rate > "10", "'10' is not a number with a unit; write 10*pq.kHz or '10 kHz'"),
    (lambda: Segment.ext == 3, "Segment.ext holds no single value, so no query can ask for it"),
    (lambda: AnalogSignal.gain == "2", "AnalogSignal.gain == '2': a number is needed"),
    (lambda: AnalogSignal.gain.contains("2"), "AnalogSignal.gain.contains(...) needs text"),
    (lambda: Segment.block < Location("block/2DFA548ESC"), "Segment.block <: a foreign key is an object"),
    (lambda: Segment.block >= "block/2DFA548ESC", "Segment.block >=: a foreign key is an object"),
    (lambda: Block.segments == Segment("a"), "Block.segments is a collection and cannot be compared; write"),
    (lambda: Block.segments > 3, "Block.segments.any(...)"),
    (lambda: Segment.block.contains("x"), "go on to one of its fields, as in Segment.block.owner"),
    (lambda: Event.time == [1, 2] * pq.s, "a single value is needed"),
    (lambda: Event.time.between(1 * pq.s, 2), "Event.time between 2: 2 has no unit"),
    (lambda: Segment.name == 3, "Segment.name == 3: text is needed"),
    (lambda: Segment.index == "3", "Segment.index == '3': a number is needed"),
    (lambda: Segment.index > 3 * pq.s, "a number is needed"),
    (lambda: Section.is_template == 1, "Section.is_template == 1: True or False is needed"),
    (lambda: Document.date == "21.3.2014", "a date such as '2014-03-21' is needed"),
    (lambda: Document.date == datetime(2014, 3, 21, tzinfo=UTC), "a date is needed"),
    (lambda: Block.filedatetime == "now", "a datetime such as '2014-03-21T10:00:00' is needed"),
    (lambda: Block.filedatetime > 5, "a datetime is needed"),
    (lambda: AnalogSignal.signal == 3, "an array cannot be compared in a query; only is_null() can be asked of it"),
    (lambda: AnalogSignal.signal.contains("x"), "needs text"),
    (lambda: Segment.annotations["a"] == [1], "text, a number, a date, True, False or a quantity is needed"),
    (lambda: Segment.annotations == "a", "give a key, for instance Segment.annotations['stimulus'] == ..."),
    (lambda: Segment.annotations.is_null(), "give a key"),
    (lambda: Segment.annotations[3], "the keys of annotations are text"),
    (lambda: Segment.index.contains("3"), "Segment.index.contains(...) needs text; Segment.index is of type integer"),
    (lambda: Segment.name.contains(3), "Segment.name.contains(3): text is needed"),
    (lambda: Segment.name.in_("abc"), "a list is needed, not one text"),
    (lambda: Segment.name.in_(5), "in_(5): a list is needed, not int"),
    (lambda: Segment.block.in_(PLACE), "a list is needed, not one text"),
    (lambda: Segment.name == "a\0b", "keeps no NUL character"),
    (lambda: Segment.name.contains("\0"), "keeps no NUL character"),
    (lambda: Segment.block.name == "\ud800", "a lone surrogate is not text"),
    (lambda: Segment.annotations["a"].startswith("\ud800"), "a lone surrogate is not text"),
    (lambda: Segment.annotations["\ud800"] == 1, "the keys of annotations are text"),
    (lambda: Segment.name.year, "Segment.name is no date, so it has no year"),
    (lambda: Document.date.hour, "Document.date is a date and has no hour"),
    (lambda: Document.date.year.month, "is no date"),
    (lambda: Segment.block == Block("new"), "is not stored yet; commit it before asking for its children"),
    (lambda: Segment.block == 3, "is neither a block nor its location"),
    (lambda: Segment.block == Location("segment/2DFA548ESC"), "is a segment, not a block"),
    (lambda: (Segment.name == "a") & (Block.name == "b"), "A condition on segment cannot be joined with one on block"),
    (lambda: (Segment.name == "a") & True, "True is not a condition"),
    (lambda: (Segment.name == "a") | "x", "'x' is not a condition"),
    (lambda: (Segment.name == "a") and (Segment.name == "b"), "join conditions with & and |, each in brackets"),
    (lambda: bool(Segment.name), "Segment.name has no truth value"),
    (lambda: bool(Segment.block), "Segment.block has no truth value"),
    (lambda: bool(Block.segments), "Block.segments has no truth value; write Block.segments.any()"),
    (lambda: "a" in [Segment.name], "no truth value"),
    (lambda: Block.segments.any(True), "Block.segments.any(True): a condition on segment is needed"),
    (lambda: Block.segments.any(Block.name == "x"), "needs a condition on segment, not on block"),
    (lambda: nested(lambda inner: ~(inner & (Section.name == "b")), 20), "holds 40 others within each other"),
    (lambda: nested(lambda inner: Section.sections.any(inner | (Section.name == "b")), 20), "holds 40 others"),
    (lambda: steps(Section.section, 41).name == "a", "at most 40 steps stand behind each other, not 43"),
    (lambda: keys(41) == 1, "at most 40 keys stand behind each other, not 41"),
]  # fmt: skip


def nested(wrap: Callable[[Condition], Condition], times: int) -> Condition:
    """Put a condition within others."""
    condition: Condition = Section.name == "a"
    for _ in range(times):
        condition = wrap(condition)
    return condition


def steps(reference: Any, times: int) -> Any:
    """Follow a foreign key to the same kind several times."""
    for _ in range(times):
        reference = reference.section
    return reference


def keys(times: int) -> Any:
    """Go down into annotations."""
    column: Any = Segment.annotations
    for _ in range(times):
        column = column["a"]
    return column


@pytest.mark.parametrize(("act", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_has_no_meaning_is_refused_with_the_remedy(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(QueryError) as caught:
        act()
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: Segment.nmae, "Segment has no field 'nmae'; did you mean 'name'?"),
        (lambda: Segment.block.nmae, "Block has no field 'nmae'; did you mean 'name'?"),
        (lambda: Segment.name.containz, "did you mean 'contains'?"),
        (lambda: Block.segment, "did you mean 'segments'?"),
        (lambda: Block.segments.analogsignal, "did you mean 'analogsignals'?"),
        (lambda: Block.segments.name, "for a condition on the members write Block.segments.any(Segment.name ...)"),
    ],
)
def test_a_misspelt_name_is_answered_with_what_was_meant(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(UnknownField) as caught:
        act()
    assert message in str(caught.value)


def test_a_location_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="is not a location"):
        Block.location == "nonsense"  # noqa: B015
    with pytest.raises(ValidationFailed, match="is not a location"):
        Segment.block == "nonsense"  # noqa: B015


@pytest.mark.parametrize("act", [lambda: 10 * pq.kHz < AnalogSignal.sampling_rate, lambda: list(Segment.annotations)])
def test_a_column_in_the_wrong_place_never_passes_in_silence(act: Callable[[], Any]) -> None:
    with pytest.raises((QueryError, TypeError)):
        act()


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (Segment.name == "a", "Segment.name == 'a'"),
        ((Segment.name != "a") & ~(Segment.index > 3), "(Segment.name != 'a') & (~(Segment.index > 3))"),
        (
            Segment.block.name.in_(["a", "b"]) | Segment.name.is_null(),
            "(Segment.block.name.in_(['a', 'b'])) | (Segment.name.is_null())",
        ),
        (Segment.name.is_null(False), "Segment.name.is_null(False)"),
        (AnalogSignal.sampling_rate.between(1 * pq.Hz, 2 * pq.kHz), "AnalogSignal.sampling_rate.between(1 Hz, 2 kHz)"),
        (Block.segments.any(Segment.name.icontains("x")), "Block.segments.any(Segment.name.icontains('x'))"),
        (Segment.block.segments.any(), "Segment.block.segments.any()"),
        (Segment.annotations["a"]["b"] == 3, "Segment.annotations['a']['b'] == 3"),
        (Document.date.year == 2026, "Document.date.year == 2026"),
    ],
)
def test_a_condition_reads_as_it_is_written(condition: Condition, text: str) -> None:
    assert repr(condition) == f"<condition {text}>"


def test_an_ordering_reads_as_it_is_written() -> None:
    assert repr(Segment.name.desc()) == "<ordering Segment.name.desc()>"


def test_what_is_neither_parent_nor_location_is_refused() -> None:
    with pytest.raises(QueryError, match="5 is neither a block nor its location"):
        Segment.block.is_(5)


def test_turning_twice_is_turning_not_at_all() -> None:
    assert repr(nested(Condition.__invert__, 300)) == repr(Section.name == "a")
    assert repr(nested(Condition.__invert__, 301)) == repr(~(Section.name == "a"))
    assert nested(Condition.__invert__, 301).depth == 1
