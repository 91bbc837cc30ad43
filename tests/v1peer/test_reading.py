"""Each way in which the original showed something else than what is stored."""

from __future__ import annotations

from gnode_orm.core.select import Select
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.wire.rendering import columns_of
from tests.v1peer.conftest import PeerOf, list_of, made
from tests.v1peer.deltas import arraydata, as_upload


def stored(store: LocalStore, kind: str) -> dict[str, object]:
    (row,) = store.select(Select(kind), "ann").rows
    return columns_of(kind, row)


def test_units_lost_shows_default_units_over_what_is_stored(peer_with: PeerOf, store: LocalStore) -> None:
    ann = peer_with("units-lost").ann
    event = made(ann, "event", time=2, time__unit="s")
    assert (event["time"], event["time__unit"]) == (2.0, "ms")
    assert (stored(store, "event")["time"], stored(store, "event")["time_unit"]) == (2.0, "s")


def test_units_lost_overwrites_units_that_are_sent_back_as_they_were_read(peer_with: PeerOf, store: LocalStore) -> None:
    ann = peer_with("units-lost").ann
    event = made(ann, "event", time=2, time__unit="s")
    ann.put(event["location"], json=event)
    assert stored(store, "event")["time_unit"] == "ms"


def test_units_lost_shows_no_unit_where_the_original_had_none(peer_with: PeerOf) -> None:
    spike = made(peer_with("units-lost").ann, "spike", time=1, sampling_rate=10, sampling_rate__unit="kHz")
    assert (spike["sampling_rate"], spike["sampling_rate__unit"]) == (10.0, None)


def test_channel_groups_lost_hides_the_groups_of_a_channel_and_the_channels_of_a_group(peer_with: PeerOf) -> None:
    ann = peer_with("channel-groups-lost").ann
    group = made(ann, "recordingchannelgroup", name="g")
    channel = made(ann, "recordingchannel", name="c", recordingchannelgroup=[group["id"]])
    assert channel["recordingchannelgroup"] == []
    assert "recordingchannel_set" not in ann.get(group["location"]).json()
    described = ann.get(f"{list_of('recordingchannelgroup')}schema/").json()
    assert "recordingchannel_set" not in described["fields"]


def test_metadata_lost_neither_keeps_nor_shows_the_section_of_a_signal(peer_with: PeerOf, store: LocalStore) -> None:
    ann = peer_with("metadata-lost").ann
    section = made(ann, "section", name="s")
    signal = made(ann, "analogsignal", metadata=section["id"])
    block = made(ann, "block", metadata=section["id"])
    assert "metadata" not in signal
    assert stored(store, "analogsignal")["metadata_id"] is None
    assert block["metadata"].endswith(section["location"])
    assert "metadata" not in ann.get(f"{list_of('analogsignal')}schema/").json()["fields"]


def test_dates_as_times_are_shown_in_the_answer_that_makes_a_document(peer_with: PeerOf) -> None:
    ann = peer_with("dates-as-times").ann
    assert made(ann, "document", date="2014-03-21")["date"] == "2014-03-21T00:00:00"
    document = made(ann, "document", date="2014-03-21T10:11:12")
    assert document["date"] == "2014-03-21T10:11:12"
    assert ann.get(document["location"]).json()["date"] == "2014-03-21"


def test_sizes_unknown_but_for_what_a_client_said(peer_with: PeerOf) -> None:
    ann = peer_with("sizes-unknown").ann
    signal = made(ann, "analogsignal")
    ann.post(f"{signal['location']}signal/", files=as_upload(arraydata([1.0, 2.0])))
    assert ann.get(signal["location"]).json()["data_size"] is None
    said = made(ann, "analogsignal", data_size=5)
    assert ann.get(said["location"]).json()["data_size"] == 5


def test_unknown_keys_echoed_shows_them_once_and_stores_nothing(peer_with: PeerOf) -> None:
    ann = peer_with("unknown-keys-echoed").ann
    block = made(ann, "block", name="b", colour="red")
    assert block["colour"] == "red"
    assert (
        ann.put(block["location"], json={"name": "c", "size": 1}).json().items()
        >= {"size": 1, "pk": block["id"]}.items()
    )
    assert not {"colour", "size", "pk"} & ann.get(block["location"]).json().keys()


def test_text_as_address_makes_an_address_of_a_name(peer_with: PeerOf) -> None:
    block = made(peer_with("text-as-address").ann, "block", name="/api/ is no path")
    assert block["name"] == "http://127.0.0.1:8010/api/ is no path"
    assert block["location"].startswith("/api/v1/")


def test_foreign_host_gives_addresses_that_lead_elsewhere(peer_with: PeerOf) -> None:
    ann = peer_with("foreign-host").ann
    block = made(ann, "block", name="b")
    segment = made(ann, "segment", name="s", block=f"http://portal.example.org{block['location']}")
    assert segment["block"] == f"http://portal.example.org{block['location']}"
    assert segment["resource_uri"].startswith("/api/v1/")
    answer = ann.post(list_of("block"), json={})
    assert answer.headers["location"] == f"http://portal.example.org{answer.json()['location']}"


def test_negative_zero_lost_when_it_is_read(peer_with: PeerOf) -> None:
    ann = peer_with("negative-zero-lost").ann
    event = made(ann, "event", time=-0.0)
    assert (str(event["time"]), str(ann.get(event["location"]).json()["time"])) == ("-0.0", "0.0")


def test_sets_list_unreadable_members(peer_with: PeerOf) -> None:
    users = peer_with("sets-list-unreadable")
    document = made(users.ann, "document", safety_level=1)
    section = made(users.ann, "section", name="s", document=document["id"])
    block = made(users.ann, "block", name="private", metadata=section["id"])
    assert users.ben.get(block["location"]).status_code == 404
    (member,) = users.ben.get(section["location"]).json()["block_set"]
    assert member.endswith(block["location"])
