"""Every version is kept: who changed what and when, and the state of then with its relations and arrays."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, RecordingChannel, RecordingChannelGroup, Segment
from gnode_orm.errors import NotFound, SessionError, ValidationFailed

STORES = ("memory", "postgres")


@pytest.fixture
def commits(session):
    """A block that was made, changed and emptied, and the three commits."""
    block = session.add(Block("first"))
    segment = Segment("s", block=block)
    signal = AnalogSignal(signal=([1.0, 2.0], "mV"), sampling_rate=1 * pq.kHz, t_start=0 * pq.s, segment=segment)
    made = session.commit("made")
    block.name = "second"
    signal.signal = ([3.0], "mV")
    segment.block = session.add(Block("other"))
    changed = session.commit("changed")
    session.delete(signal)
    session.delete(block)
    emptied = session.commit("emptied")
    return {"made": made, "changed": changed, "emptied": emptied}


@pytest.fixture
def places(session, commits):
    """Locations of what was there at first."""
    with session.lab.session(at=commits["made"]) as then:
        block = then.query(Block).one()
        return block.location, block.segments[0].location, block.segments[0].analogsignals[0].location


def test_every_version_tells_commit_time_user_and_changes(session, commits, places):
    versions = session.history(places[0])
    assert [version.message for version in versions] == ["made", "changed", "emptied"]
    assert [version.commit for version in versions] == [commits[name].id for name in ("made", "changed", "emptied")]
    assert [version.deleted for version in versions] == [False, False, True]
    assert versions[1].changes == {"name": ("first", "second")}
    assert versions[0].changes["name"] == (None, "first")
    assert {version.user for version in versions} == {"ann"}
    assert versions[0].time == commits["made"].time < versions[1].time
    assert "name (changed)" in str(versions[1])
    assert "deleted" in str(versions[2])


def test_moves_are_told_by_location(session, commits, places):
    old, new = session.history(places[1])[1].changes["block"]
    assert old == places[0]
    assert session.get(new).name == "other"


def test_then_is_shown_with_relations_filters_and_arrays(lab, session, commits, places):
    with lab.session(at=commits["made"]) as then:
        block = then.get(places[0])
        assert block.name == "first"
        assert [segment.name for segment in block.segments] == ["s"]
        signal = block.segments[0].analogsignals[0]
        assert np.asarray(signal.signal).tolist() == [1.0, 2.0]
        assert signal.segment.block is block
        assert then.query(AnalogSignal).filter(segment__block__name="first").all() == [signal]
        assert then.query(Block).where(Block.segments.any(Segment.name == "s")).count() == 1
        assert then.query(Block).with_("segments.analogsignals").one() is block
        assert then.query(Block).count() == 1
    with lab.session(at=commits["changed"]) as then:
        assert then.get(places[0]).name == "second"
        assert list(then.get(places[0]).segments) == []
        assert np.asarray(then.get(places[2]).signal).tolist() == [3.0]
    with lab.session(at=commits["emptied"]) as then:
        assert then.get(places[0]) is None
        assert then.query(Block).count() == 1


def test_then_may_be_a_moment_or_a_commits_id(lab, session, commits, places):
    for at in (commits["made"].id, commits["made"].time, session.history(places[0])[0]):
        with lab.session(at=at) as then:
            assert then.get(places[0]).name == "first"
    with lab.session(at=commits["made"].time - dt.timedelta(microseconds=1)) as then:
        assert then.query(Block).count() == 0


def test_links_of_then(lab, session):
    group = RecordingChannelGroup("g")
    group.recordingchannels = [RecordingChannel("1"), RecordingChannel("2")]
    session.add(group)
    before = session.commit()
    group.recordingchannels = list(group.recordingchannels)[:1]
    session.commit()
    with lab.session(at=before) as then:
        assert [channel.name for channel in then.get(group.location).recordingchannels] == ["1", "2"]
    with lab.session() as now:
        assert [channel.name for channel in now.get(group.location).recordingchannels] == ["1"]


def test_then_cannot_be_changed(lab, session, commits, places):
    with lab.session(at=commits["made"]) as then, pytest.raises(SessionError, match="read-only"):
        then.get(places[0]).name = "rewritten"


def test_a_moment_needs_a_time_zone_and_a_commit_has_to_exist(lab, session):
    with pytest.raises(ValidationFailed, match="no time zone"):
        lab.session(at=dt.datetime(2026, 1, 1))  # noqa: DTZ001
    for unknown in ("0" * 32, 5):
        with pytest.raises(NotFound, match="neither an aware datetime nor a commit"):
            lab.session(at=unknown)


def test_history_of_what_never_was(session):
    with pytest.raises(NotFound, match="does not exist"):
        session.history("block/1000000000")
    with pytest.raises(ValidationFailed, match="commit it first"):
        session.history(Block("new"))
