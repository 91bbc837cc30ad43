"""How the original said that something failed."""

from __future__ import annotations

from tests.v1peer.conftest import PeerOf, list_of, made

CANNED = {"error_message": "Sorry, this request could not be processed. Please try again later."}


def test_bare_failures_leave_reasons_out(peer_with: PeerOf) -> None:
    users = peer_with("bare-failures")
    ann, stranger = users.ann, users.stranger
    missing = ann.get(f"{list_of('block')}1234567890/")
    assert (missing.status_code, missing.content) == (404, b"")
    assert (stranger.get(list_of("block")).status_code, stranger.get(list_of("block")).content) == (401, b"")
    assert stranger.login("ann", "wrong").text == "Invalid credentials"
    assert stranger.post("/api/v1/in_bulk/").text == "Must authorize before uploading"
    assert ann.post("/api/v1/in_bulk/").headers["content-type"].startswith("text/html")
    refused = ann.get(f"{list_of('block')}?limit=-1")
    assert (refused.status_code, list(refused.json())) == (400, ["error"])


def test_bare_failures_make_500_of_what_a_field_does_not_take(peer_with: PeerOf) -> None:
    ann = peer_with("bare-failures").ann
    for options in ({"json": {"index": "x"}}, {"content": b"{}"}, {"json": []}, {"content": b'{"name": "\xe9"}'}):
        answer = ann.post(list_of("block"), **options)
        assert (answer.status_code, answer.json()) == (500, CANNED)
    assert ann.get(list_of("block")).json()["selected"] == []


def test_answers_that_are_none_of_an_error_stay(peer_with: PeerOf) -> None:
    block = made(peer_with("bare-failures").ann, "block", name="b")
    assert block["name"] == "b"
