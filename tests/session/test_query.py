"""Queries: built step by step, run in the store, streamed page by page; what is wrong says what was meant."""

from __future__ import annotations

import datetime as dt

import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, Event, RecordingChannel, RecordingChannelGroup, Section, Segment
from gnode_orm.errors import MultipleFound, NotFound, QueryError, UnknownField
from gnode_orm.session import query as queries

STORES = ("memory", "postgres")


@pytest.fixture
def filled(lab):
    """Two blocks with three segments each, every segment with two signals; the first block has metadata."""
    with lab.session() as session, session.begin():
        for b in range(2):
            block = Block(f"block {b}", index=b, filedatetime=dt.datetime(2026, 10, 1 + b, tzinfo=dt.UTC))
            for s in range(3):
                segment = Segment(f"Trial {s}", index=s, block=block, annotations={"angle": 45 * s * pq.deg, "n": s})
                for a in range(2):
                    AnalogSignal(
                        signal=([float(s), float(a)], "mV"), sampling_rate=(1 + a, "kHz"), t_start=(0, "s"),
                        name=f"IN {a}", segment=segment,
                    )  # fmt: skip
            session.add(block)
            if b == 0:
                block.metadata = Section("Meta")
    lab.forget()


@pytest.fixture
def session(lab, filled):
    """A session over the filled lab."""
    opened = lab.session()
    yield opened
    opened.close()


def names(found):
    return [item.name for item in found]


def test_conditions_and_lookups_agree(session):
    by_condition = session.query(Segment).where(Segment.name == "Trial 1", Segment.block.name == "block 0").all()
    by_lookup = session.query(Segment).filter(name="Trial 1", block__name="block 0").all()
    assert by_condition == by_lookup
    assert len(by_lookup) == 1
    assert session.query(Segment).where((Segment.index > 1) | ~(Segment.index < 2)).count() == 2
    assert session.query(Segment).filter(name__icontains="TRIAL", index__in=[0, 1]).count() == 4
    assert session.query(Block).filter(metadata__isnull=True).count() == 1
    assert session.query(Block).filter(filedatetime__day=2).one().index == 1
    assert session.query(Block).where(Block.segments.any(Segment.index == 2)).count() == 2
    assert session.query(Block).filter(segments=True).count() == 2
    assert session.query(Segment).filter(annotations__n__gt=0).count() == 4


def test_objects_and_units_in_conditions(session):
    block = session.query(Block).first()
    assert session.query(Segment).where(Segment.block.is_(block)).all() == list(block.segments)
    assert session.query(AnalogSignal).where(AnalogSignal.sampling_rate > 1500 * pq.Hz).count() == 6
    assert session.query(AnalogSignal).where(AnalogSignal.segment.annotations["angle"] == 45 * pq.deg).count() == 4


def test_order_limit_and_offset(session):
    assert names(session.query(Segment).order_by("-index", "block.name").limit(2)) == ["Trial 2", "Trial 2"]
    assert names(session.query(Segment).order_by(Segment.index.desc()).offset(4)) == ["Trial 0", "Trial 0"]
    assert names(session.query(Block).order_by(Block.name)) == ["block 0", "block 1"]
    assert session.query(Segment).limit(0).all() == []
    assert session.query(Segment).offset(5).limit(5).count() == 6


def test_results_one_by_one(session):
    assert session.query(Block).first().name == "block 0"
    assert session.query(Block).filter(name="no").first() is None
    assert session.query(Block).filter(name="no").one_or_none() is None
    assert session.query(Block).filter(index=1).one().name == "block 1"
    assert session.query(Block).exists()
    assert not session.query(Block).filter(index=7).exists()
    with pytest.raises(NotFound, match="No Block"):
        session.query(Block).filter(name="no").one()
    with pytest.raises(MultipleFound, match=r"2 objects of Block.*'block 0'"):
        session.query(Block).one()


def test_a_limit_holds_for_one_and_exists(session):
    assert session.query(Block).limit(1).one().name == "block 0"
    assert session.query(Block).limit(0).first() is None
    assert not session.query(Block).limit(0).exists()


def test_nothing_is_read_before_a_result_is_asked_for(lab, session):
    query = session.query(Segment).filter(name="x").order_by("name").limit(3).with_("block")
    assert lab.calls == []
    assert query.count() == 0
    assert lab.calls == ["count"]
    with pytest.raises(QueryError, match="no truth value"):
        bool(query)


def test_a_query_is_not_changed_by_narrowing_it(session):
    every = session.query(Segment)
    every.filter(index=1)
    assert every.count() == 6


def test_iteration_streams_pages(lab, session, monkeypatch):
    monkeypatch.setattr(queries, "_PAGE", 4)
    lab.forget()
    stream = iter(session.query(Segment).order_by("-index"))
    assert next(stream).index == 2
    assert lab.calls == ["select"]
    assert [segment.index for segment in stream] == [2, 1, 1, 0, 0]
    assert lab.calls == ["select", "select"]
    assert len(list(session.query(AnalogSignal).limit(9))) == 9
    assert len(list(session.query(AnalogSignal).offset(5))) == 7
    assert names(session.query(Segment).offset(1).limit(5)) == ["Trial 1", "Trial 2", "Trial 0", "Trial 1", "Trial 2"]


def test_eager_loading_is_one_call_and_asks_nothing_afterwards(lab, session):
    blocks = session.query(Block).with_("segments.analogsignals", Block.metadata).all()
    assert lab.calls == ["select"]
    seen = [(block.name, segment.name, signal.name) for block in blocks for segment in block.segments
            for signal in segment.analogsignals]  # fmt: skip
    assert len(seen) == 12
    assert [block.metadata and block.metadata.name for block in blocks] == ["Meta", None]
    assert all(signal.segment.block is block for block in blocks for segment in block.segments
               for signal in segment.analogsignals)  # fmt: skip
    assert lab.calls == ["select"]


def test_eager_loading_along_classes(lab, session):
    for path in (Block.segments, "segments", Block.segments.analogsignals):
        with lab.session() as other:
            lab.forget()
            assert sum(len(block.segments) for block in other.query(Block).with_(path)) == 6
            assert lab.calls == ["select"]


def test_eager_loading_keeps_what_is_pending(session):
    block = session.query(Block).first()
    block.segments.append(Segment("new"))
    gone = session.query(Segment).filter(index=0, block__name="block 0").one()
    gone.block = None
    again = session.query(Block).with_("segments").first()
    assert again is block
    assert names(block.segments) == ["Trial 1", "Trial 2", "new"]
    session.rollback()
    assert names(block.segments) == ["Trial 0", "Trial 1", "Trial 2"]


def test_eager_loading_of_many_to_many_collections(lab, session):
    with lab.session() as other, other.begin():
        for number in range(2):
            group = RecordingChannelGroup(str(number))
            group.recordingchannels = [RecordingChannel(f"{number}.{n}") for n in range(2)]
            other.add(group)
    lab.forget()
    groups = session.query(RecordingChannelGroup).with_("recordingchannels").all()
    assert [names(group.recordingchannels) for group in groups] == [["0.0", "0.1"], ["1.0", "1.1"]]
    assert lab.calls == ["select"]


def test_a_collection_of_any_size_is_one_call(lab, session):
    with lab.session() as other, other.begin():
        block = other.query(Block).first()
        block.segments.extend(Segment(str(number)) for number in range(1500))
    block = session.get(block.location)
    lab.forget()
    assert len(block.segments) == 1503
    assert lab.calls == ["select"]
    assert block.segments[700].block is block
    assert lab.calls == ["select"]


def test_arrays_of_many_signals_are_read_in_one_call(lab, session):
    signals = session.query(AnalogSignal).all()
    lab.forget()
    loaded = session.load_arrays(signals)
    assert lab.calls == ["read_arrays"]
    assert [values.tolist() for values in (item.magnitude for item in loaded)][:2] == [[0.0, 0.0], [0.0, 1.0]]
    assert all(item.units == pq.mV for item in loaded)
    cut = session.load_arrays(signals[:2], t0=0 * pq.s, t1=1 * pq.ms)
    assert [len(item) for item in cut] == [1, 2] or [len(item) for item in cut] == [1, 1]


def test_tables(session):
    pd = pytest.importorskip("pandas")
    table = session.query(AnalogSignal).to_dataframe("name", "sampling_rate", "segment", "signal")
    assert len(table) == 12
    assert list(table.columns) == ["name", "sampling_rate", "sampling_rate_unit", "segment", "signal"]
    assert table["sampling_rate"].tolist()[:2] == [1, 2]
    assert set(table["sampling_rate_unit"]) == {"kHz"}
    assert session.get(table.index[0]).name == "IN 0"
    empty = session.query(AnalogSignal).filter(name="no").to_dataframe("name", "sampling_rate")
    assert list(empty.columns) == ["name", "sampling_rate", "sampling_rate_unit"]
    assert isinstance(session.query(Block).to_dataframe(), pd.DataFrame)
    with pytest.raises(UnknownField, match="did you mean 'name'"):
        session.query(Block).to_dataframe("nmae")


def test_a_table_shows_what_stands_behind_foreign_keys_and_inside_annotations(lab, session):
    query = session.query(AnalogSignal).where(AnalogSignal.segment.block.name == "block 0").order_by("segment__index")
    lab.forget()
    angle = AnalogSignal.segment.annotations["angle"]
    table = query.to_dataframe("name", "segment__block__name", angle, "segment.block")
    assert lab.calls == ["select"]
    assert list(table.columns) == [
        "name", "segment.block.name", "segment.annotations.angle", "segment.annotations.angle_unit", "segment.block",
    ]  # fmt: skip
    assert set(table["segment.block.name"]) == {"block 0"}
    assert table["segment.annotations.angle"].tolist() == [0, 0, 45, 45, 90, 90]
    assert set(table["segment.annotations.angle_unit"]) == {"deg"}
    assert {str(cell) for cell in table["segment.block"]} == {str(session.query(Block).first().location)}


@pytest.mark.parametrize("wrong", [Block.name, AnalogSignal.segment.block.segments, AnalogSignal.date_created.year, 5])
def test_a_table_refuses_what_is_no_field_of_its_class(session, wrong):
    with pytest.raises(QueryError, match="a field or foreign key of AnalogSignal is needed"):
        session.query(AnalogSignal).to_dataframe(wrong)


def test_explain_shows_statements(session):
    text = "\n".join(session.query(Segment).filter(name="x").with_("block").explain())
    assert "segment" in text
    assert "SELECT" in text.upper()


def test_a_notebook_gets_the_first_rows_and_the_count(session):
    html = session.query(Segment)._repr_html_()
    assert "6 Segment" in html
    assert "Trial 0" in html
    assert repr(session.query(Segment)) == "<query for Segment>"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda q: q.filter(nmae="x"), "did you mean 'name'"),
        (lambda q: q.filter(name__contians="x"), "did you mean 'contains'"),
        (lambda q: q.filter(block__nmae="x"), "did you mean 'name'"),
        (lambda q: q.filter(name__gt__lt="x"), "two lookups"),
        (lambda q: q.where(Segment.name == "a", True), "a condition is needed"),
        (lambda q: q.where(Block.name == "a"), "needs a condition on Segment"),
        (lambda q: q.where(Segment.nmae == "a"), "did you mean 'name'"),
        (lambda q: q.order_by("nmae"), "did you mean 'name'"),
        (lambda q: q.order_by(Block.name), "a column of Segment"),
        (lambda q: q.limit(-1), "whole number"),
        (lambda q: q.limit(True), "whole number"),
        (lambda q: q.offset("1"), "whole number"),
        (lambda q: q.with_("blok"), "did you mean 'block'"),
        (lambda q: q.with_("block.segmnts"), "did you mean 'segments'"),
        (lambda q: q.with_(3), "a collection"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_read(lab, session, wrong, said):
    lab.forget()
    with pytest.raises(QueryError, match=said):
        wrong(session.query(Segment))
    assert lab.calls == []


def test_a_number_without_a_unit_is_refused():
    with pytest.raises(QueryError, match="10 has no unit"):
        AnalogSignal.sampling_rate > 10  # noqa: B015
    with pytest.raises(QueryError):
        bool(Segment.name == "a")


def test_queries_never_write(lab, session):
    block = session.query(Block).first()
    block.name = "pending"
    session.query(Block).filter(name="pending").all()
    assert "apply" not in lab.calls
    assert session.dirty == [block]
    session.rollback()


def test_objects_are_counted_by_what_hangs_above_them(lab):
    with lab.session() as session:
        blocks = [session.add(Block(name)) for name in "ab"]
        for name in "xyz":
            Event(name, segment=Segment(name, block=blocks[0]))
        Event("alone", segment=Segment("alone"))
        session.add(Event("loose"))
        session.commit()
        assert session.query(Event).count_by(Event.segment.block) == {blocks[0].location: 3}
        assert session.query(Segment).where(Segment.name != "x").count_by("block") == {blocks[0].location: 2}


@pytest.mark.parametrize("path", ["label", "segment.blok", Event.label])
def test_counting_by_anything_but_foreign_keys_is_refused(lab, path):
    with lab.session() as session, pytest.raises(QueryError):
        session.query(Event).count_by(path)


def alternating(times):
    condition = Segment.name == "Trial 1"
    for number in range(times):
        other = Segment.index == number
        condition = condition | other if number % 2 else condition & other
    return condition


def turned(times):
    condition = Segment.name == "Trial 1"
    for number in range(times):
        condition = ~(condition & (Segment.index == number))
    return condition


def members_of_members(times):
    condition = Segment.name == "Trial 1"
    for _ in range(times):
        condition = Segment.block.segments.any(condition)
    return condition


def test_conditions_within_each_other_as_deep_as_can_be_written_are_answered(session):
    assert session.query(Segment).where(alternating(39), Segment.name != "x").count() == 0
    assert session.query(Segment).where(turned(9), Segment.name != "x").count() == 6
    assert session.query(Segment).where(members_of_members(2), Segment.name != "x").count() == 6


def test_counting_by_too_long_a_path_is_refused(session):
    with pytest.raises(QueryError, match="at most 40 steps stand behind each other, not 200"):
        session.query(Section).count_by(".".join(["section"] * 200))
