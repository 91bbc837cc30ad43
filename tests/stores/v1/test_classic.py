"""The calls of the original client, on a server as it was."""

from __future__ import annotations

import warnings

import neo
import numpy as np
import odml
import pytest
import quantities as pq

import gnode_orm
from gnode_orm import AnalogSignal, Block, Document, Segment
from gnode_orm.errors import (
    AccessDenied,
    AuthenticationFailed,
    DuplicateUploadWarning,
    LeftOutWarning,
    StoreUnavailable,
    UnsupportedByStore,
    ValidationFailed,
)
from tests.stores.rest.serving import answering
from tests.v1peer.serving import PASSWORD

pytestmark = pytest.mark.filterwarnings("ignore::gnode_orm.errors.LostUnitsWarning")


def test_the_first_page_of_the_portal(session, session_of):
    block = session.set(neo.Block("Experiment One"))
    segment = session.set(Segment("Trial 01", block=block))
    data = pq.Quantity(np.random.default_rng(1).random(100), "mV")
    signal = session.set(AnalogSignal(signal=data, t_start=100 * pq.ms, sampling_rate=1 * pq.kHz, segment=segment))
    segment.name = "Trial 100"
    assert session.set(segment) is segment
    other = session_of()
    again = other.get(f"electrophysiology/analogsignal/{signal.id}")
    assert np.array_equal(again.signal.magnitude, data.magnitude)
    assert (again.segment.name, again.segment.block.name) == ("Trial 100", "Experiment One")
    assert [item.id for item in other.select("analogsignal", {"segment": segment.id})] == [signal.id]


def test_a_segment_before_its_block_is_refused_with_the_way_out(session):
    with pytest.raises(UnsupportedByStore, match="an object above it is needed there; set it first"):
        session.set(neo.Segment("Trial 01"))
    session.rollback()
    segment = session.set(Segment("Trial 01", block=session.set(neo.Block("b"))))
    assert segment.location is not None


def test_setting_the_same_native_twice_makes_two(session):
    native = neo.Block("b")
    session.set(native)
    with pytest.warns(DuplicateUploadWarning):
        session.set(native)
    assert len(session.select("block")) == 2


def test_a_whole_tree_is_set_at_once(session, session_of, peer):
    native = neo.Block("b")
    segment = neo.Segment("s")
    native.segments.append(segment)
    rate = 1 * pq.kHz
    segment.analogsignals.append(neo.AnalogSignal(np.zeros((5, 2)), units="mV", sampling_rate=rate, name="a"))
    segment.spiketrains.append(neo.SpikeTrain([1.0, 2.0] * pq.ms, t_stop=5 * pq.ms, name="t"))
    segment.events.append(neo.Event([1.0] * pq.ms, labels=["go"], name="e"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeftOutWarning)
        stored = session.set_all(native)
    assert peer.requests.count("/api/v1/in_bulk/") == 1
    again = session_of().get(stored.location)
    (part,) = again.segments
    assert part.analogsignalarrays[0].signal.shape == (5, 2)
    assert list(part.spiketrains[0].times.magnitude) == [1.0, 2.0]
    assert list(part.eventarrays[0].labels.load()) == ["go"]


def test_metadata_is_set_and_got(session, session_of):
    document = odml.Document(author="anna")
    section = odml.Section(name="Setup", type="setup", parent=document)
    odml.Property(name="Rate", values=[20.0], unit="kHz", parent=section)
    with pytest.warns(LeftOutWarning, match=r"ext of Document"):
        stored = session.set_all(document)
    again = session_of().get(stored.location)
    (top,) = again.sections
    assert (again.author, top.name, top.properties[0].values[0].data) == ("anna", "Setup", "20.0")
    block = session.set(Block("b", metadata=stored.sections[0]))
    found = session_of().select("block", {"metadata__document__author": "anna"})
    assert [item.location for item in found] == [block.location]


def test_permissions_are_read_and_replaced_by_the_owner_alone(session, session_of):
    block, document = session.set(Block("b")), session.set(Document("d"))
    for root in (block, document):
        assert session.permissions(root) == {}
        assert session.permissions(root, {"ben": "read", "eve": "write"}) == {"ben": "read", "eve": "write"}
        assert session.permissions(root, {"ben": "write"}) == {"ben": "write"}
        session.unshare(root, "ben")
        assert session.access(root) == {}
    session.share(block, "ben", "read")
    ben = session_of("ben")
    theirs = ben.get(block.location)
    with pytest.raises(AccessDenied, match="belongs to ann"):
        ben.permissions(theirs)
    with pytest.raises(AccessDenied, match="belongs to ann"):
        ben.permissions(theirs, {"eve": "read"})
    with pytest.raises(ValidationFailed, match="knows no user 'nobody'"):
        session.permissions(block, {"nobody": "read"})
    assert session.permissions(block) == {"ben": "read"}


def test_sessions_are_opened_as_ever(peer):
    with gnode_orm.Session(peer.address, username="ann", password=PASSWORD) as session:
        assert session.user == "ann"
        session.set(Block("b"))
        session.clear_cache()
        assert [block.name for block in session.select("block", {"limit": 5})] == ["b"]


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"username": "ann", "password": "wrong"}, AuthenticationFailed, "does not know this user|refuses the login"),
        ({"username": "nobody", "password": PASSWORD}, AuthenticationFailed, "does not know|refuses"),
        ({}, AuthenticationFailed, "give username and password"),
        ({"token": "x"}, UnsupportedByStore, "knows no tokens"),
    ],
)
def test_who_is_not_known_is_told(peer, options, error, said):
    with pytest.raises(error, match=said):
        gnode_orm.Session(peer.address, **options)


@pytest.mark.parametrize(("status", "error"), [(404, UnsupportedByStore), (500, StoreUnavailable)])
def test_what_is_no_server_of_either_kind_is_told(peer, status, error):
    for _ in range(5):
        peer.fault("/electrophysiology/", answering(status))
    with pytest.raises(error, match=r"no lab|500"):
        gnode_orm.Session(peer.address, username="ann", password=PASSWORD)
