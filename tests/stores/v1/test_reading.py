"""Records, queries, pages and counts of a server of API v1: few requests, exact answers, or a refusal."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, Document, Event, Property, Section, Segment, Value
from gnode_orm.core.select import Select
from gnode_orm.errors import NotFound, QueryError, UnsupportedByStore
from gnode_orm.stores.rest.v1 import file_cache, paging
from tests.stores.rest.serving import cut_within

pytestmark = pytest.mark.filterwarnings("ignore::gnode_orm.errors.LostUnitsWarning")


@pytest.fixture
def lab(session):
    """Two blocks with three segments each, one of them with metadata."""
    top = Section("top", type="exp", is_template=True, document=Document("author", date=date(2014, 5, 6)))
    inner = Section("inner", section=top)
    Value("3.5", unit="mV", property=Property("p", section=inner))
    for name, section in (("Alpha one", top), ("beta 100%", inner)):
        block = Block(name, metadata=section)
        for number in range(3):
            when = datetime(2012 + number, 2, 3, 4, 5, 6, tzinfo=UTC) if number else None
            text = f"{name[0]}{number}" if number else None
            segment = Segment(f"{name[0]}{number}", index=number, description=text, filedatetime=when, block=block)
            Event("go" if number else None, time=number * pq.ms, segment=segment)
        session.add(block)
    session.commit()
    return session


def names(query):
    return [item.name for item in query]


CONDITIONS = [
    (lambda: Segment.name == "A1", ["A1"]),
    (lambda: Segment.name != "A1", ["A0", "A2", "b0", "b1", "b2"]),
    (lambda: Segment.name.in_(["A1", "b2", "none,such"]), ["A1", "b2"]),
    (lambda: ~(Segment.name == "A1") & (Segment.block.name == "Alpha one"), ["A0", "A2"]),
    (lambda: (Segment.name == "A0") | (Segment.index == 2), ["A0", "A2", "b2"]),
    (lambda: ~((Segment.index == 0) | (Segment.index == 1)), ["A2", "b2"]),
    (lambda: Segment.name.icontains("a"), ["A0", "A1", "A2"]),
    (lambda: Segment.name.startswith("b"), ["b0", "b1", "b2"]),
    (lambda: Segment.name.regex("^[Ab]1$"), ["A1", "b1"]),
    (lambda: Segment.description.is_null(), ["A0", "b0"]),
    (lambda: ~Segment.description.is_null(), ["A1", "A2", "b1", "b2"]),
    (lambda: Segment.description != "A1", ["A0", "A2", "b0", "b1", "b2"]),
    (lambda: Segment.index > 0.5, ["A1", "A2", "b1", "b2"]),
    (lambda: Segment.index < 2**40, ["A0", "A1", "A2", "b0", "b1", "b2"]),
    (lambda: Segment.index > 2**40, []),
    (lambda: Segment.index == 1.5, []),
    (lambda: Segment.index.between(1, 1.5), ["A1", "b1"]),
    (lambda: ~(Segment.index >= 1), ["A0", "b0"]),
    (lambda: Segment.filedatetime.year == 2013, ["A1", "b1"]),
    (lambda: Segment.filedatetime.week_day == 1, ["A1", "b1"]),
    (lambda: Segment.filedatetime > datetime(2013, 2, 3, 6, 5, 6, tzinfo=UTC), ["A2", "b2"]),
    (lambda: Segment.block.name.contains("100%"), ["b0", "b1", "b2"]),
    (lambda: Segment.block.metadata.name == "inner", ["b0", "b1", "b2"]),
    (lambda: Segment.block.metadata.is_template == True, ["A0", "A1", "A2"]),  # noqa: E712
    (lambda: Segment.block.metadata.document.author == "author", ["A0", "A1", "A2"]),
    (lambda: Segment.owner == "ann", ["A0", "A1", "A2", "b0", "b1", "b2"]),
    (lambda: Segment.owner == "ben", []),
    (lambda: Segment.events.any(Event.label == "go"), ["A1", "A2", "b1", "b2"]),
    (lambda: Segment.name.in_([]), []),
]


@pytest.mark.parametrize("number", range(len(CONDITIONS)))
def test_conditions_are_answered_by_the_server_as_elsewhere(lab, session_of, behind, number):
    from gnode_orm.session import Lab

    make, expected = CONDITIONS[number]
    assert names(session_of().query(Segment).where(make())) == expected
    with Lab(behind, "ann").session() as direct:
        assert names(direct.query(Segment).where(make())) == expected
        assert direct.query(Segment).where(make()).count() == session_of().query(Segment).where(make()).count()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: ~Segment.name.contains("x"), "does not meet contains"),
        (lambda: Event.time > 1 * pq.ms, "numbers, whatever their unit"),
        (lambda: Segment.modified > datetime(2013, 1, 1, tzinfo=UTC), "when an object was changed"),
        (lambda: ~Segment.events.any(Event.label == "go"), "members of events"),
        (lambda: Segment.events.any(), "conditions on Segment.events"),
        (lambda: Segment.annotations["k"] == 1, "it keeps no annotations"),
        (lambda: Segment.file_origin == "x", "it keeps no such field"),
        (lambda: Segment.name.contains("a") & Segment.name.contains("b"), "two conditions on name__contains"),
        (lambda: Segment.filedatetime.year > 2012, "the year of filedatetime"),
    ],
)
def test_what_the_protocol_cannot_say_is_refused_without_reading_a_row(lab, session_of, peer, make, said):
    other = session_of()
    condition = make()
    model = {"segment": Segment, "event": Event}[condition.kind]
    before = len(peer.requests)
    with pytest.raises(UnsupportedByStore, match=said):
        other.query(model).where(condition).all()
    assert [path for path in peer.requests[before:] if not path.endswith("/schema/")] == []


def test_words_that_the_server_takes_for_values_are_found_as_text(session, session_of):
    block = Block("b")
    words = ["None", "true", "False", "nil", "Nonesuch", ""]
    session.add_all([Segment(word, description=word, block=block) for word in words])
    session.commit()
    other = session_of()
    for word in words[:-1]:
        assert names(other.query(Segment).filter(name=word)) == [word]
        assert names(other.query(Segment).filter(description__in=[word, "x"])) == [word]
    assert names(other.query(Segment).filter(name__startswith="None")) == ["None", "Nonesuch"]
    assert names(other.query(Segment).where(Segment.name.is_null())) == [None]
    with pytest.raises(UnsupportedByStore, match="takes for another value"):
        other.query(Segment).where(Segment.name < "true").all()


def test_sections_are_found_below_their_own_parent_alone(lab, session_of):
    other = session_of()
    document = other.query(Document).one()
    assert names(document.sections) == ["top"]
    assert names(other.query(Section).where(Section.document.is_null())) == ["inner"]
    assert names(other.query(Section).where(~Section.document.is_null())) == ["top"]
    assert names(other.query(Section).where(Section.document.author == "author")) == ["top"]
    assert other.query(Section).filter(name="inner").one().ref("document") is None
    with pytest.raises(UnsupportedByStore, match=r"has no document\.author"):
        other.query(Section).where(Section.document.author != "author").all()


def test_many_ids_are_few_requests(session, open_as, peer, monkeypatch):
    monkeypatch.setattr(paging, "IDS_AT_ONCE", 10)
    block = Block("b")
    session.add_all([Segment(str(number), block=block) for number in range(25)])
    session.commit()
    ids = [segment.location.number for segment in block.segments]
    store = open_as()
    before = len(peer.requests)
    assert [row[0] for row in store.get("segment", ids, "ann")] == ids
    assert peer.requests[before:] == ["/api/v1/electrophysiology/segment/"] * 3


def test_what_is_shared_is_read_though_it_is_not_listed(session, session_of):
    blocks = session.add_all([Block("one"), Block("two")])
    session.commit()
    for block in blocks:
        session.share(block, "ben", "read")
    ben = session_of("ben")
    numbers = [block.location.number for block in blocks]
    assert [row[0] for row in ben.store.get("block", numbers, "ben")] == numbers
    assert ben.query(Block).all() == []


def test_members_of_a_public_block_of_somebody_else_are_read_though_they_are_not_listed(session, session_of, peer):
    block = session.add(Block("open", safety_level=1))
    for number in range(3):
        session.add(Event("e", time=(1, "s"), segment=Segment(str(number), block=block)))
    session.commit()
    ben = session_of("ben")
    assert ben.query(Segment).all() == []
    found = ben.query(Block).one()
    assert names(found.segments) == ["0", "1", "2"]
    assert [event.label for segment in found.segments for event in segment.events] == ["e", "e", "e"]
    below = ben.query(Segment).where(Segment.block.is_(found))
    assert (below.count(), names(below.limit(2))) == (3, ["0", "1"])
    again = session_of("ben")
    (eager,) = again.query(Block).with_("segments.events").all()
    before = len(peer.requests)
    assert [len(segment.events) for segment in eager.segments] == [1, 1, 1]
    assert len(peer.requests) == before


def test_members_of_own_blocks_are_listed_alone(session, session_of, peer):
    block = session.add(Block("own"))
    session.add(Segment("s", block=block))
    session.commit()
    mine = session_of().query(Block).one()
    before = len(peer.requests)
    assert names(mine.segments) == ["s"]
    assert [path for path in peer.requests[before:] if not path.endswith("/schema/")] == [
        "/api/v1/electrophysiology/segment/"
    ]


def test_the_parts_of_a_condition_that_can_be_asked_for_are_named(lab, session_of):
    other = session_of()
    query = other.query(Event).where(Event.time > 1 * pq.s).where(Event.label == "e")
    with pytest.raises(UnsupportedByStore) as refusal:
        query.all()
    assert "gt on time" in str(refusal.value)
    assert str(refusal.value).endswith(
        "The rest of the condition can be asked for (label eq 'e'): judge what comes back"
    )
    with pytest.raises(UnsupportedByStore) as refusal:
        other.query(Event).where(Event.time > 1 * pq.s).all()
    assert "The rest" not in str(refusal.value)


def test_eager_paths_are_read_in_batches(lab, session_of, peer):
    other = session_of()
    before = len(peer.requests)
    blocks = other.query(Block).with_("segments.events", "metadata").all()
    listed = [path for path in peer.requests[before:] if not path.endswith("/schema/")]
    assert len(listed) == 4
    assert [[len(segment.events) for segment in block.segments] for block in blocks] == [[1, 1, 1]] * 2
    assert [block.metadata.name for block in blocks] == ["top", "inner"]
    assert len(peer.requests) == before + len(peer.requests[before:])


def test_order_limit_and_offset(lab, session_of):
    other = session_of()
    assert names(other.query(Segment).order_by("-index", "name")) == ["A2", "b2", "A1", "b1", "A0", "b0"]
    assert names(other.query(Segment).order_by("description").limit(2).offset(1)) == ["A2", "b1"]
    assert names(other.query(Segment).order_by("-description"))[-2:] == ["A0", "b0"]
    assert names(other.query(Segment).limit(2).offset(3)) == ["b0", "b1"]
    assert other.query(Segment).first().name == "A0"
    assert names(other.query(Segment).order_by("date_created", "name"))[0] == "A0"
    for key in ("block__name", "modified"):
        with pytest.raises(UnsupportedByStore, match="in the order of"):
            other.query(Segment).order_by(key).all()
    with pytest.raises(UnsupportedByStore, match="in the order of time"):
        other.query(Event).order_by("time").all()


def test_counting_asks_for_no_objects(lab, session_of, peer):
    other = session_of()
    assert other.query(Segment).filter(block__name__icontains="ALPHA").count() == 3
    assert other.query(Segment).where((Segment.index == 1) | (Segment.name == "A0")).count() == 3


def test_counting_by_parents(lab, session_of):
    other = session_of()
    blocks = {block.name: block.location for block in other.query(Block)}
    expected = {blocks["Alpha one"]: 2, blocks["beta 100%"]: 2}
    assert other.query(Event).filter(label="go").count_by("segment.block") == expected
    assert other.query(Segment).filter(index__gt=0).count_by(Segment.block) == expected


def test_explaining_gives_the_requests(lab, session_of):
    query = session_of().query(Segment).filter(name="A1", block__metadata__name="top").with_("events", "block")
    assert query.explain() == [
        "GET /api/v1/electrophysiology/segment/?block__metadata__name=top&name=A1&limit=1000",
        "GET /api/v1/electrophysiology/event/?segment__in=...",
        "GET /api/v1/electrophysiology/block/?id__in=...",
    ]


def test_a_list_that_is_cut_is_asked_for_again(lab, session_of, peer):
    other = session_of()
    peer.fault("/segment/", cut_within)
    assert other.query(Segment).count() == 6


def test_a_cursor_of_another_order_is_refused(session):
    from gnode_orm.core.select import Attr, Order

    with pytest.raises(QueryError, match="another order"):
        session.store.select(Select("block", order=(Order(Attr(("name",))),), after=("offset", 1)), "ann")


@pytest.fixture
def signal(session):
    """A stored signal of several channels, as its own session has it."""
    values = np.arange(40_000, dtype=">i2").reshape(-1, 4)
    signal = AnalogSignal(signal=(values, "mV"), t_start=0 * pq.ms, sampling_rate=1 * pq.kHz)
    signal.segment = Segment("s", block=Block("b"))
    session.add(signal)
    session.commit()
    return signal


def test_slices_are_cut_out_of_a_file_that_is_read_once(signal, session_of, peer):
    again = session_of().get(signal.location)
    values = np.arange(40_000, dtype=">i2").reshape(-1, 4)
    assert (again.signal.shape, again.signal.dtype) == ((10_000, 4), np.dtype(">i2"))
    for key in (slice(5, 9), (slice(None, None, 1000), 2), 7, (-1, slice(1, 3)), slice(None, None, -500), ...):
        assert np.array_equal(again.signal[key].magnitude, values[key])
    assert peer.requests.count(f"{signal.location}signal/") == 1


def test_files_that_were_read_are_kept_up_to_a_size(session, session_of, peer, monkeypatch):
    monkeypatch.setattr(file_cache, "KEEP", 5000)
    segment = Segment("s", block=Block("b"))
    for _ in range(3):
        AnalogSignal(
            signal=(np.zeros(400), "mV"), t_start=0 * pq.ms, sampling_rate=1 * pq.Hz, segment=segment, name="x"
        )
    session.add(segment)
    session.commit()
    other = session_of()
    signals = other.query(AnalogSignal).all()
    for _ in range(2):
        assert [float(item.sum()) for item in other.load_arrays(signals)] == [0, 0, 0]
    read = [path for path in peer.requests if path.endswith("/signal/")]
    assert len(read) > 3
    folder = Path(other.store._files._folder.name)
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 5000


def test_an_array_that_somebody_replaced_is_not_taken_for_the_old_one(signal, session_of):
    reader, writer = session_of(), session_of()
    theirs = reader.get(signal.location)
    changed = writer.get(signal.location)
    changed.signal = ([1.0], "mV")
    writer.commit()
    with pytest.raises(NotFound, match="was changed since it was read"):
        theirs.signal  # noqa: B018
    reader.refresh(theirs)
    assert list(theirs.signal.magnitude) == [1.0]


def test_an_equal_array_is_no_change(signal, session_of):
    other = session_of()
    again = other.get(signal.location)
    again.signal = (np.arange(40_000, dtype=">i2").reshape(-1, 4), "mV")
    assert other.dirty == []
    again.signal = again.signal.with_unit("uV")
    other.commit()
    assert other.get(signal.location).signal.unit == "uV"


def test_an_array_of_another_object_is_sent_with_the_new_one(signal, session_of, behind):
    other = session_of()
    again = other.get(signal.location)
    twin = AnalogSignal(signal=again.signal, t_start=0 * pq.ms, sampling_rate=1 * pq.Hz, segment=again.segment)
    other.add(twin)
    other.commit()
    third = session_of().get(twin.location)
    assert np.array_equal(third.signal.magnitude, signal.signal.magnitude)


def test_what_was_opened_to_read_writes_nothing(session, open_as):
    from gnode_orm.errors import AccessDenied
    from gnode_orm.session import Lab

    with Lab(open_as(readonly=True), "ann").session() as reading:
        reading.add(Block("b"))
        with pytest.raises(AccessDenied, match="readonly=True"):
            reading.commit()
        reading.rollback()


def test_the_past_is_refused_with_a_way_out(session, session_of, open_as):
    from gnode_orm.session import Lab

    block = session.add(Block("b"))
    session.commit()
    with pytest.raises(UnsupportedByStore, match="gnode-orm serve"):
        session.history(block)
    past = Lab(open_as(), "ann").session(at=datetime(2014, 1, 1, tzinfo=UTC))
    with pytest.raises(UnsupportedByStore, match="the past"):
        past.query(Block).all()
