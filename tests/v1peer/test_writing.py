"""Each way in which the original stored something else than it was asked to, or failed instead."""

from __future__ import annotations

import pytest

from gnode_orm.stores.local.store import LocalStore
from tests.v1peer.conftest import PeerOf, list_of, made

CANNED = {"error_message": "Sorry, this request could not be processed. Please try again later."}


@pytest.mark.parametrize("defects", [(), ("null-foreign-keys-ignored",)])
def test_null_foreign_keys_ignored_keeps_the_parent(peer_with: PeerOf, defects: tuple[str, ...]) -> None:
    ann = peer_with(*defects).ann
    block = made(ann, "block", name="b")
    segment = made(ann, "segment", name="s", block=block["id"])
    answer = ann.put(segment["location"], json={"block": None, "metadata": None})
    assert (answer.status_code, answer.json()["block"]) == (200, segment["block"])


def test_parents_required_refuses_a_segment_without_a_block_as_not_found(peer_with: PeerOf) -> None:
    ann = peer_with("parents-required").ann
    answer = ann.post(list_of("segment"), json={"name": "s"})
    assert (answer.status_code, answer.json()) == (404, CANNED)
    answer = ann.post(list_of("section"), json={"name": "s"})
    assert (answer.status_code, answer.json()) == (400, {"error": ["Either document or section must present"]})
    assert ann.post(list_of("recordingchannel"), json={"name": "c"}).status_code == 500
    assert ann.post(list_of("block"), json={}).status_code == 201


def test_values_required_fails_on_a_signal_without_a_sampling_rate(peer_with: PeerOf) -> None:
    ann = peer_with("values-required").ann
    assert ann.post(list_of("analogsignal"), json={"t_start": 0}).json() == CANNED
    signal = made(ann, "analogsignal", t_start=0, sampling_rate=10)
    assert ann.put(signal["location"], json={"t_start": None}).status_code == 500
    assert ann.put(signal["location"], json={"name": "n"}).status_code == 200


def test_text_limited_fails_on_long_names_and_units(peer_with: PeerOf) -> None:
    ann = peer_with("text-limited").ann
    assert ann.post(list_of("block"), json={"name": "x" * 101}).json() == CANNED
    assert ann.post(list_of("event"), json={"time": 1, "time__unit": "microsecond"}).status_code == 500
    assert ann.post(list_of("section"), json={"name": "x" * 101}).status_code == 400
    assert ann.post(list_of("value"), json={"data": "x" * 5000}).status_code == 201


def test_put_creates_a_stranger_where_nothing_is(peer_with: PeerOf) -> None:
    ann = peer_with("put-creates").ann
    block = made(ann, "block", name="b")
    ann.delete(block["location"])
    answer = ann.put(block["location"], json={"name": "again"})
    assert (answer.status_code, answer.json()["name"]) == (201, "again")
    assert answer.json()["id"] != block["id"]
    assert ann.get(block["location"]).status_code == 404


def test_local_id_obeyed_overwrites_the_object_that_the_body_names(peer_with: PeerOf) -> None:
    ann = peer_with("local-id-obeyed").ann
    one, victim = made(ann, "block", name="one", description="d"), made(ann, "block", name="victim")
    assert ann.post(list_of("block"), json={"local_id": "ABCDEFGHIJ"}).status_code == 500
    answer = ann.put(one["location"], json={"name": "over", "local_id": victim["id"]})
    assert (answer.json()["id"], answer.json()["name"], answer.json()["description"]) == (victim["id"], "over", "d")
    assert ann.get(one["location"]).json()["name"] == "one"


def test_no_entity_tags_lets_a_stale_write_through_and_never_says_unchanged(peer_with: PeerOf) -> None:
    ann = peer_with("no-entity-tags").ann
    block = made(ann, "block", name="b")
    ann.put(block["location"], json={"name": "newer"})
    answer = ann.put(block["location"], json={"name": "stale"}, headers={"If-match": block["guid"]})
    assert (answer.status_code, answer.json()["name"]) == (200, "stale")
    answer = ann.get(block["location"], headers={"If-none-match": answer.json()["guid"]})
    assert (answer.status_code, "etag" in answer.headers) == (200, False)


def test_forgery_token_is_asked_of_patch_alone(peer_with: PeerOf) -> None:
    ann = peer_with("forgery-token").ann
    block = made(ann, "block", name="b")
    assert ann.request("PATCH", block["location"], json={"name": "c"}).status_code == 401
    token = {"X-CSRFToken": ann.cookies["csrftoken"]}
    assert ann.request("PATCH", block["location"], json={"name": "c"}, headers=token).status_code == 202
    over = {**token, "X-HTTP-Method-Override": "PATCH"}
    assert ann.post(block["location"], json={"name": "d"}, headers=over).json()["name"] == "d"


def test_links_cascade_deletes_spike_trains_with_their_unit_and_blocks_with_their_section(peer_with: PeerOf) -> None:
    ann = peer_with("links-cascade").ann
    unit, section = made(ann, "unit", name="u"), made(ann, "section", name="s")
    train = made(ann, "spiketrain", unit=unit["id"])
    block = made(ann, "block", metadata=section["id"])
    segment = made(ann, "segment", block=block["id"])
    assert ann.delete(unit["location"]).status_code == 204
    assert ann.delete(section["location"]).status_code == 204
    assert [ann.get(item["location"]).status_code for item in (train, block, segment)] == [404, 404, 404]
    assert ann.delete(unit["location"]).status_code == 404


def test_without_defects_optional_links_are_cleared(peer_with: PeerOf, store: LocalStore) -> None:
    ann = peer_with().ann
    unit = made(ann, "unit", name="u")
    train = made(ann, "spiketrain", unit=unit["id"])
    ann.delete(unit["location"])
    assert ann.get(train["location"]).json()["unit"] is None


def test_moved_segments_keep_their_block_and_lose_their_events_with_it(peer_with: PeerOf) -> None:
    ann = peer_with("moved-segments-keep-their-block").ann
    old, new = made(ann, "block", name="old"), made(ann, "block", name="new")
    segment = made(ann, "segment", name="s", block=old["id"])
    event, saved = (made(ann, "event", time=1, segment=segment["id"]) for _ in range(2))
    ann.put(segment["location"], json={"block": new["id"]})
    ann.put(saved["location"], json={"label": "saved since"})
    assert ann.delete(old["location"]).status_code == 204
    assert [ann.get(item["location"]).status_code for item in (segment, event, saved)] == [200, 404, 200]
