"""Whom the original let read and write otherwise than we do."""

from __future__ import annotations

from tests.v1peer.conftest import PeerOf, Users, list_of, made

READ, EDIT = 1, 2


def share(users: Users, block: dict[str, object], name: str, level: int) -> None:
    entry = {"user": f"/api/v1/user/user/{name}/", "access_level": level}
    assert users.ann.put(f"{block['location']}acl/", json=[entry]).status_code == 200


def test_unreadable_is_401_also_for_files_and_for_a_parent(peer_with: PeerOf) -> None:
    users = peer_with("unreadable-is-401")
    block = made(users.ann, "block", name="b")
    answer = users.ben.get(block["location"])
    assert (answer.status_code, answer.content) == (401, b"")
    assert users.ben.put(block["location"], json={}).status_code == 401
    assert users.ben.post(list_of("segment"), json={"block": block["id"]}).status_code == 401
    assert users.ben.get(f"{list_of('block')}1234567890/").status_code == 404
    assert users.ben.post(list_of("segment"), json={"block": "1234567890"}).status_code == 400


def test_unwritable_is_500_and_401_for_access_lists(peer_with: PeerOf) -> None:
    users = peer_with("unwritable-is-500")
    block = made(users.ann, "block", name="b", safety_level=1)
    assert users.ben.put(block["location"], json={"name": "c"}).status_code == 500
    assert users.ben.delete(block["location"]).status_code == 500
    assert users.ben.get(f"{block['location']}acl/").status_code == 401
    assert users.ann.get(block["location"]).json()["name"] == "b"


def test_unknown_file_is_410(peer_with: PeerOf) -> None:
    ann = peer_with("unknown-file-is-410").ann
    assert ann.get(f"{list_of('analogsignal')}1234567890/signal/").status_code == 410
    assert ann.get(f"{list_of('block')}1234567890/acl/").status_code == 410
    assert ann.get(f"{list_of('analogsignal')}1234567890/").status_code == 404


def test_shared_not_listed_lists_what_stands_below_alone(peer_with: PeerOf) -> None:
    users = peer_with("shared-not-listed")
    block = made(users.ann, "block", name="b")
    segment = made(users.ann, "segment", name="s", block=block["id"])
    share(users, block, "ben", READ)
    assert users.ben.get(block["location"]).status_code == 200
    assert users.ben.get(list_of("block")).json()["selected"] == []
    listed = users.ben.get(list_of("segment")).json()
    assert [item["id"] for item in listed["selected"]] == [segment["id"]]
    assert listed["meta"]["total_count"] == 1
    assert len(users.ann.get(list_of("block")).json()["selected"]) == 1


def test_readers_add_to_what_they_may_only_read_and_change_what_they_made(peer_with: PeerOf) -> None:
    users = peer_with("readers-add")
    block = made(users.ann, "block", name="b")
    share(users, block, "ben", READ)
    segment = made(users.ben, "segment", name="s", block=block["id"])
    assert segment["owner"].endswith("/ben/")
    assert users.ben.put(segment["location"], json={"name": "t"}).status_code == 200
    assert users.ben.put(block["location"], json={"name": "c"}).status_code == 403
    assert users.ann.get(f"{block['location']}acl/").json()[0]["access_level"] == READ


def test_owner_locked_out_of_what_others_add_which_his_block_still_lists(peer_with: PeerOf) -> None:
    users = peer_with("owner-locked-out", "unreadable-is-401")
    block = made(users.ann, "block", name="b")
    share(users, block, "ben", EDIT)
    segment = made(users.ben, "segment", name="s", block=block["id"])
    assert users.ann.get(segment["location"]).status_code == 401
    assert users.ann.get(list_of("segment")).json()["selected"] == []
    assert len(users.ann.get(block["location"]).json()["segment_set"]) == 1


def test_friendly_is_private(peer_with: PeerOf) -> None:
    users = peer_with("friendly-is-private")
    block = made(users.ann, "block", name="b", safety_level=2)
    assert users.ben.get(block["location"]).status_code == 404
    assert users.ben.get(list_of("block")).json()["selected"] == []
    share(users, block, "ben", READ)
    assert users.ben.get(block["location"]).status_code == 200
