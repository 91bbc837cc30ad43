"""Forms of requests that the original stumbled over, each with its own answer."""

from __future__ import annotations

import pytest

from gnode_orm.core.select import Select
from gnode_orm.stores.local.store import LocalStore
from tests.v1peer.conftest import PeerOf, list_of, made


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("{id}", 201), ("{path}", 201), ("http://elsewhere.example{path}", 201),
        ("", 400), ("/electrophysiology/block/{id}/", 400), ("/api/v1/electrophysiology/block/{id}", 500),
    ],
)  # fmt: skip
def test_addresses_strict_takes_a_parent_in_few_forms(peer_with: PeerOf, form: str, status: int) -> None:
    ann = peer_with("addresses-strict").ann
    block = made(ann, "block", name="b")
    sent = form.format(id=block["id"], path=block["location"])
    assert ann.post(list_of("segment"), json={"name": "s", "block": sent}).status_code == status


def test_addresses_strict_takes_a_dict_with_pk_alone(peer_with: PeerOf) -> None:
    ann = peer_with("addresses-strict").ann
    block = made(ann, "block", name="b")
    for value, status in (({"pk": block["id"]}, 201), ({"resource_uri": block["location"]}, 500)):
        assert ann.post(list_of("segment"), json={"name": "s", "block": value}).status_code == status


def test_members_looked_up_fails_on_no_list_and_stores_the_object_nevertheless(
    peer_with: PeerOf, store: LocalStore
) -> None:
    ann = peer_with("members-looked-up").ann
    assert ann.post(list_of("block"), json={"segment_set": ["0000000000"]}).status_code == 400
    assert store.count(Select("block"), "ann") == 0
    assert ann.post(list_of("block"), json={"segment_set": "x"}).status_code == 500
    assert store.count(Select("block"), "ann") == 1
    segment = made(ann, "segment", name="s")
    assert made(ann, "block", segment_set=[segment["id"]])["segment_set"] == []


def test_access_lists_strict_names_users_by_path_alone(peer_with: PeerOf) -> None:
    ann = peer_with("access-lists-strict").ann
    block, signal = made(ann, "block", name="b"), made(ann, "analogsignal", name="s")
    acl = f"{block['location']}acl/"
    for user, status in (("/api/v1/user/user/ben/", 200), ("http://127.0.0.1:8010/api/v1/user/user/ben/", 500)):
        assert ann.put(acl, json=[{"user": user, "access_level": 1}]).status_code == status
    assert ann.put(acl, json={"shared_with": {"ben": 1}}).status_code == 500
    assert ann.get(f"{signal['location']}acl/").status_code == 400


def test_wrong_methods_are_401_and_heads_405(peer_with: PeerOf, store: LocalStore) -> None:
    ann = peer_with("wrong-methods-are-401").ann
    block = made(ann, "block", name="b")
    assert ann.delete(list_of("block")).status_code == 401
    assert ann.post("/api/v1/user/user/", json={"username": "x"}).status_code == 401
    assert ann.request("HEAD", block["location"]).status_code == 405
    assert store.count(Select("block"), "ann") == 1


def test_redirects_lose_the_method_so_that_nothing_is_made(peer_with: PeerOf) -> None:
    ann = peer_with("redirects-lose-the-method").ann
    answer = ann.request("POST", list_of("block").rstrip("/"), json={"name": "b"}, follow_redirects=True)
    assert [item.status_code for item in (*answer.history, answer)] == [301, 200]
    assert answer.json()["selected"] == []


def test_sections_stay_in_their_document_while_they_have_a_parent(peer_with: PeerOf) -> None:
    ann = peer_with("sections-stay").ann
    one, other = made(ann, "document"), made(ann, "document")
    parent = made(ann, "section", name="p", document=one["id"])
    child = made(ann, "section", name="c", section=parent["id"])
    assert ann.put(child["location"], json={"document": other["id"]}).status_code == 500
    assert ann.put(child["location"], json={"document": one["id"], "name": "d"}).status_code == 200
    assert ann.put(parent["location"], json={"document": other["id"]}).status_code == 200


def test_any_level_taken_is_echoed_and_opens_nothing(peer_with: PeerOf) -> None:
    users = peer_with("any-level-taken")
    block = made(users.ann, "block", name="b", safety_level=1)
    assert users.ann.put(block["location"], json={"safety_level": 9}).json()["safety_level"] == 9
    assert users.ann.get(block["location"]).json()["safety_level"] == 9
    assert users.ben.get(block["location"]).status_code == 404


def test_own_levels_are_kept_of_every_object_and_list_it_alone(peer_with: PeerOf) -> None:
    users = peer_with("own-levels", "shared-not-listed")
    block = made(users.ann, "block", name="b", safety_level=1)
    segments = [made(users.ann, "segment", name=name, block=block["id"]) for name in "ab"]
    assert [segment["safety_level"] for segment in segments] == [3, 3]
    assert users.ann.put(segments[0]["location"], json={"safety_level": 1}).json()["safety_level"] == 1
    listed = users.ben.get(list_of("segment")).json()["selected"]
    assert [item["name"] for item in listed] == ["a"]
    assert users.ben.get(segments[1]["location"]).status_code == 200
