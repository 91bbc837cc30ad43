"""What a client of the original server must survive, one by one."""

from __future__ import annotations

import io
import json
import math
import warnings
from datetime import UTC, datetime

import numpy as np
import pytest
import quantities as pq
import urllib3

from gnode_orm import (
    AnalogSignal,
    Block,
    Document,
    Event,
    EventArray,
    RecordingChannel,
    RecordingChannelGroup,
    Section,
    Segment,
    SpikeTrain,
    Unit,
)
from gnode_orm.errors import (
    AccessDenied,
    CycleError,
    FormatError,
    LostUnitsWarning,
    StoreUnavailable,
    UnsupportedByStore,
    ValidationFailed,
)
from gnode_orm.stores.rest.v1.bulk import Multipart
from gnode_orm.stores.rest.v1.connection import Refused, _said
from tests.stores.rest.serving import answering

pytestmark = pytest.mark.filterwarnings("ignore::gnode_orm.errors.LostUnitsWarning")


def recording(session, **fields):
    """A stored signal below a segment and a block."""
    signal = AnalogSignal(
        signal=(np.arange(5.0), "uV"), t_start=2 * pq.s, sampling_rate=20 * pq.kHz,
        segment=Segment("s", block=Block("b")), **fields,
    )  # fmt: skip
    session.add(signal)
    session.commit()
    return signal


def test_units_that_were_only_read_are_never_sent_back(session, session_of, behind, peer):
    location = recording(session).location
    other = session_of()
    signal = other.get(location)
    assert (signal.t_start, signal.sampling_rate, signal.signal.unit) == (2 * pq.ms, 20 * pq.Hz, "mV")
    signal.name = "renamed"
    other.commit()
    with_units = behind.get("analogsignal", [location.number], "ann")[0]
    assert [text for text in with_units if text in ("s", "kHz", "renamed")] == ["renamed", "s", "kHz"]
    assert any(str(text).endswith("uV") for text in with_units)


def test_a_unit_that_may_be_lost_is_told_once(session, session_of):
    location = recording(session).location
    other = session_of()
    with pytest.warns(LostUnitsWarning, match=f"ms whatever unit is stored.*{location}"):
        other.get(location)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert other.get(location).signal[0] == 0 * pq.mV


def test_units_that_were_written_from_here_are_known(session, session_of):
    signal = recording(session)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        session.refresh(signal)
    assert (signal.t_start, signal.sampling_rate, signal.signal.unit) == (2 * pq.s, 20 * pq.kHz, "uV")
    signal.name = "renamed"
    session.commit()
    session.refresh(signal)
    assert (signal.t_start, signal.signal.unit) == (2 * pq.s, "uV")
    other = session_of()
    other.get(signal.location).name = "by another"
    other.commit()
    session.refresh(signal)
    assert signal.t_start == 2 * pq.ms


def test_a_unit_that_is_set_is_sent(session, session_of, behind):
    location = recording(session).location
    other = session_of()
    other.get(location).t_start = 3 * pq.us
    other.commit()
    row = behind.get("analogsignal", [location.number], "ann")[0]
    assert [text for text in row if text in ("s", "us", "kHz")] == ["us", "kHz"]


@pytest.mark.parametrize("defects", [frozenset({"foreign-host"})])
def test_addresses_of_another_host_are_taken_by_their_path(session, session_of):
    signal = recording(session)
    again = session_of().get(signal.location)
    assert again.segment.block.name == "b"
    assert again.owner == "ann"
    assert np.array_equal(again.signal.magnitude, np.arange(5.0))


@pytest.mark.parametrize("defects", [frozenset()])
def test_units_are_believed_where_the_server_shows_another_than_the_default(session, session_of):
    location = recording(session).location
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        signal = session_of().get(location)
        assert (signal.t_start, signal.sampling_rate, signal.signal.unit) == (2 * pq.s, 20 * pq.kHz, "uV")


def test_groups_of_a_channel_that_are_not_shown_are_not_made_up(session, session_of):
    group = RecordingChannelGroup("g", block=Block("b"))
    channel = RecordingChannel("c", index=1)
    group.recordingchannels.append(channel)
    session.add(group)
    session.commit()
    assert list(channel.recordingchannelgroups) == [group]
    other = session_of()
    with pytest.raises(UnsupportedByStore, match=r"which groups .*recordingchannel"):
        list(other.get(channel.location).recordingchannelgroups)
    with pytest.raises(UnsupportedByStore, match="which channels a group has"):
        list(other.get(group.location).recordingchannels)
    session.expire_all()
    assert session.store.links([channel.location.number], [], "ann") == [
        (channel.location.number, group.location.number)
    ]


@pytest.mark.parametrize("defects", [frozenset()])
def test_groups_of_a_channel_that_are_shown_are_read_and_changed(session, session_of, behind):
    block = Block("b")
    one, two = RecordingChannelGroup("1", block=block), RecordingChannelGroup("2", block=block)
    channel = RecordingChannel("c")
    one.recordingchannels.append(channel)
    session.add_all([one, two])
    session.commit()
    other = session_of()
    again = other.get(channel.location)
    assert [group.name for group in again.recordingchannelgroups] == ["1"]
    again.recordingchannelgroups.append(other.get(two.location))
    other.commit()
    numbers = [group.location.number for group in (one, two)]
    assert [group for _, group in behind.links([channel.location.number], [], "ann")] == numbers


def test_no_right_and_not_there_are_told_apart_from_failures(session, session_of):
    block = session.add(Block("private"))
    session.commit()
    ben = session_of("ben")
    assert ben.get(block.location) is None
    assert ben.get("block/2DFA548ESC") is None
    session.share(block, "ben", "read")
    theirs = ben.get(block.location)
    theirs.name = "not allowed"
    with pytest.raises(AccessDenied, match=f"nothing was written.*{block.location}"):
        ben.commit()
    ben.rollback()
    ben.delete(theirs)
    with pytest.raises(AccessDenied, match="not deleted, by ben"):
        ben.commit()


def test_a_segment_without_a_block_is_refused_before_anything_is_sent(session, peer):
    session.add(Segment("alone"))
    before = len(peer.requests)
    with pytest.raises(UnsupportedByStore, match=r"Segment 'alone'\.block: an object above it is needed"):
        session.commit()
    assert not [path for path in peer.requests[before:] if path.endswith(("/in_bulk/", "/segment/"))]


def test_data_that_were_never_stored_are_none(session, session_of):
    train = SpikeTrain(t_start=0 * pq.ms, t_stop=1 * pq.ms, segment=Segment("s", block=Block("b")))
    session.add(train)
    session.commit()
    again = session_of().get(train.location)
    assert (again.times, again.waveforms) == (None, None)


def test_a_stale_object_is_found_by_its_revision(session, session_of):
    from gnode_orm.errors import ConflictError

    block = session.add(Block("b"))
    session.commit()
    other = session_of()
    other.get(block.location).name = "theirs"
    other.commit()
    block.name = "mine"
    with pytest.raises(ConflictError) as failure:
        session.commit()
    (conflict,) = failure.value.conflicts
    assert (conflict.base, conflict.mine, conflict.theirs, conflict.user) == ("b", "mine", "theirs", None)
    failure.value.resolve("mine")
    session.commit()
    assert session_of().get(block.location).name == "mine"


def test_a_change_of_what_is_gone_makes_no_stranger(session, session_of, behind):
    from gnode_orm.core.select import Select
    from gnode_orm.errors import ConflictError

    block = session.add(Block("b"))
    session.commit()
    other = session_of()
    other.delete(other.get(block.location))
    other.commit()
    block.name = "too late"
    with pytest.raises(ConflictError):
        session.commit()
    assert behind.count(Select("block"), "ann") == 0


@pytest.mark.parametrize("name", ["block", "metadata"])
def test_a_foreign_key_is_not_set_to_none(session, behind, name):
    section = Section("top", document=Document("d"))
    segment = Segment("s", block=Block("b"), metadata=section)
    session.add(segment)
    session.commit()
    setattr(segment, name, None)
    with pytest.raises(UnsupportedByStore, match=rf"segment/.*\.{name}: a reference cannot be taken away"):
        session.commit()
    session.rollback()
    assert getattr(segment, name) is not None


def test_filters_that_the_server_would_ignore_are_refused(session, session_of):
    recording(session)
    other = session_of()
    for condition in (Event.metadata.name == "x", Block.file_origin == "x", Segment.annotations["k"] == 1):
        model = {"event": Event, "block": Block, "segment": Segment}[condition.kind]
        with pytest.raises(UnsupportedByStore, match="cannot answer conditions on"):
            other.query(model).where(condition).all()


def test_null_tests_say_what_they_mean(session, session_of):
    block = Block("b")
    session.add_all([Segment("one", index=1, block=block), Segment("two", block=block)])
    session.commit()
    other = session_of()
    assert [item.name for item in other.query(Segment).filter(index__isnull=False)] == ["one"]
    assert [item.name for item in other.query(Segment).filter(index__isnull=True)] == ["two"]
    assert [item.name for item in other.select("segment", {"index__isnull": 0})] == ["one"]


def test_a_list_is_read_to_its_end_though_it_has_no_order(session, session_of, monkeypatch):
    from gnode_orm.stores.rest.v1 import paging

    monkeypatch.setattr(paging, "PAGE", 3)
    block = Block("b")
    session.add_all([Segment(str(number), block=block) for number in range(10)])
    session.commit()
    other = session_of()
    assert [item.name for item in other.query(Segment).all()] == [str(number) for number in range(10)]
    iterator = iter(other.query(Segment))
    next(iterator)
    session.get(block.segments[0].location).name = "moves to the end"
    session.commit()
    assert len({item.location for item in iterator}) == 9


def test_one_answer_for_a_whole_tree_is_enough_to_know_every_object(session, session_of, peer):
    block = Block("b")
    twins = [Segment("twin", block=block) for _ in range(3)]
    for number, segment in enumerate(twins):
        for _ in range(2):
            values = (np.arange(3.0) + number, "mV")
            AnalogSignal(signal=values, t_start=0 * pq.ms, sampling_rate=1 * pq.Hz, segment=segment)
    session.add(block)
    session.commit()
    assert peer.requests.count("/api/v1/in_bulk/") == 1
    other = session_of()
    for number, segment in enumerate(twins):
        signals = other.get(segment.location).analogsignals
        assert [list(signal.signal.magnitude) for signal in signals] == [list(np.arange(3.0) + number)] * 2
        assert {item.location for item in segment.analogsignals} == {item.location for item in signals}


def test_a_ring_of_sections_is_never_sent(session, session_of, peer):
    document = Document("d")
    outer = Section("outer", document=document)
    inner = Section("inner", section=outer)
    session.add(inner)
    session.commit()
    other = session_of()
    other.get(outer.location).section = str(inner.location)
    with pytest.raises(CycleError, match=r"inside itself|contain each other"):
        other.commit()
    assert peer.requests.count("/api/v1/in_bulk/") == 1


def test_odd_numbers_and_times_come_back(session, session_of):
    when = datetime(2014, 4, 10, 10, 0, 0, 123456, tzinfo=UTC)
    segment = Segment("s", filedatetime=when, block=Block("b"))
    values = [math.inf, -math.inf, 1e308, -0.0, 1e-320]
    session.add_all([Event(str(value), time=(value, "ms"), segment=segment) for value in values])
    session.add(Event("nan", time=(math.nan, "ms"), segment=segment))
    session.commit()
    other = session_of()
    again = {event.label: event.time.item() for event in other.query(Event)}
    assert math.isnan(again.pop("nan"))
    assert again == {str(value): value for value in values}
    assert other.get(segment.location).filedatetime == when


def test_a_text_that_looks_like_an_address_is_found_again(session, session_of):
    block = session.add(Block("/api/v1/looks/like/a/path"))
    session.commit()
    assert session_of().get(block.location).name.endswith("/api/v1/looks/like/a/path")


def test_a_delete_that_would_take_others_along_is_refused(session, session_of, behind):
    section = Section("s", document=Document("d"))
    block = Block("b", metadata=section)
    unit = Unit("u", recordingchannelgroup=RecordingChannelGroup("g", block=block))
    train = SpikeTrain(t_start=0 * pq.ms, t_stop=1 * pq.ms, segment=Segment("s", block=block), unit=unit)
    session.add(train)
    session.commit()
    for victim, kept in ((section, block), (unit, train)):
        session.delete(victim)
        with pytest.raises(UnsupportedByStore, match=f"also what refers to it: 1 .*{kept.location}"):
            session.commit()
        session.rollback()
    other = Unit("other", recordingchannelgroup=unit.recordingchannelgroup)
    train.unit = other
    session.delete(unit)
    session.commit()
    assert session_of().get(train.location).unit.name == "other"
    assert behind.get("unit", [unit._state.id], "ann") == []


def test_members_that_cannot_be_read_are_counted_where_they_would_go(session, session_of):
    block = session.add(Block("b"))
    session.commit()
    session.share(block, "ben", "write")
    ben = session_of("ben")
    ben.add(Segment("by ben", block=ben.get(block.location)))
    ben.commit()
    assert list(block.segments) == []
    preview = session.preview_delete(block)
    assert (preview.children, preview.owners) == ({"segment": 1}, {"somebody else": 1})


@pytest.mark.parametrize(
    ("status", "error"),
    [(404, None), (401, None), (500, StoreUnavailable), (501, UnsupportedByStore), (400, ValidationFailed)],
)
def test_an_error_without_a_body_is_told(session, peer, status, error):
    block = session.add(Block("b"))
    session.commit()
    location = block.location
    session.expunge(block)
    peer.fault(f"/{location.id}/", answering(status))
    if error is None:
        assert session.get(location) is None
    else:
        with pytest.raises(error, match=f"{status}"):
            session.get(location)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html><head><title>DoesNotExist at /api/</title></head></html>", "DoesNotExist at /api/"),
        (b"<h1>Server Error (500)</h1>", "Server Error (500)"),
        (b"<html></html>", "the server answered 500"),
        (b'{"error_message": "Sorry"}', "Sorry"),
        (b'{"error": ["one", "two"]}', "one; two"),
        (b'{"error": ""}', "the server answered 500"),
        (b"plain text", "plain text"),
        (b"", "the server answered 500"),
        (b"\xff\xfe", "the server answered 500|\ufffd"),
    ],
)
def test_an_error_is_read_in_whatever_form_it_comes(body, said):
    refusal = Refused(500, *_said(urllib3.HTTPResponse(io.BytesIO(body), status=500)))
    assert any(word in refusal.text for word in said.split("|")) or "\ufffd" in refusal.text


def upload(store, path, content):
    """Put a file in the place of an array's, as a program of then did."""
    body = Multipart(io.BytesIO(content))
    headers = {"Content-Type": body.content_type, "Content-Length": str(len(body))}
    assert store._connection._sent("POST", path, body, headers, False).status < 300


def test_bytes_that_are_no_data_are_told_when_they_are_read(session, session_of, peer, open_as):
    signal = recording(session)
    upload(open_as(), f"{signal.location}signal/", b"not hdf5 at all")
    other = session_of()
    again = other.get(signal.location)
    assert again.name is None
    with pytest.raises(FormatError, match=f"AnalogSignal.signal at {signal.location}"):
        again.signal  # noqa: B018


def test_labels_come_back_as_text_and_bytes_of_others_as_they_are(session, session_of, peer, open_as):
    import h5py

    array = EventArray(times=([1.0, 2.0], "ms"), labels=["go", "läuft"], segment=Segment("s", block=Block("b")))
    session.add(array)
    session.commit()
    assert list(session_of().get(array.location).labels.load()) == ["go", "läuft"]
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        root.create_dataset("whatever", data=np.array([b"go", b"stop"]))
    upload(open_as(), f"{array.location}labels/", file.getvalue())
    assert list(session_of().get(array.location).labels.load()) == [b"go", b"stop"]


def test_the_delta_is_what_readers_of_then_take(session, peer, monkeypatch):
    import h5py

    from gnode_orm.stores.rest.v1 import bulk

    sent = []
    send = bulk.send

    def noted(connection, objects, open_array):
        with bulk._delta(objects, open_array) as file:
            file.seek(0)
            sent.append(file.read())
        return send(connection, objects, open_array)

    monkeypatch.setattr(bulk, "send", noted)
    recording(session, name="Grüße")
    with h5py.File(io.BytesIO(sent[0])) as root:
        assert all(name.startswith("-api-v1-electrophysiology-") and name.endswith("-") for name in root)
        assert all(len(name.split("-")) == 7 for name in root)
        (signal,) = (root[name] for name in root if "-analogsignal-TEMP" in name)
        assert set(signal) == {"json", "signal"}
        text = signal["json"][()]
        assert text.isascii()
        body = json.loads(text)
        assert body["name"] == "Grüße"
        assert body["segment"].startswith("TEMP")
        assert (body["t_start"], body["t_start__unit"], body["signal__unit"]) == (2.0, "s", "uV")
        assert signal["signal"].dtype == np.float64
