"""The peer without defects: API v1 as our server speaks it, and nothing beyond."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import requests

from gnode_orm.stores.local.accounts import BEARER
from gnode_orm.stores.local.store import LocalStore
from tests.v1peer.conftest import PeerOf, list_of, made
from tests.v1peer.defects import DEFECTS
from tests.v1peer.peer import Peer
from tests.v1peer.serving import PASSWORD, served_peer


def test_additions_are_not_there(peer_with: PeerOf) -> None:
    ann = peer_with().ann
    for path in ("/api/v1/additions/", "/api/v1/additions/changes", "/healthz", "/api/openapi.json", "/api/"):
        assert ann.get(path).status_code == 404
    assert ann.post("/account/token/", data={"username": "ann", "password": PASSWORD}).status_code == 404


def test_tokens_are_not_known(peer_with: PeerOf, store: LocalStore) -> None:
    token = store.accounts.new_token("ann", BEARER, 60)
    answer = peer_with().stranger.get(list_of("block"), headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, "www-authenticate" in answer.headers) == (401, False)


def test_objects_and_files_are_served_as_ever(peer_with: PeerOf) -> None:
    ann = peer_with().ann
    block = made(ann, "block", name="b")
    assert ann.get(block["location"]).json() == block
    assert ann.get(f"{list_of('block')}?name=b").json()["meta"]["total_count"] == 1
    signal = made(ann, "analogsignal", name="s")
    assert ann.get(f"{signal['location']}signal/").status_code == 204


def test_a_name_that_is_no_defect_is_refused(store: LocalStore) -> None:
    with pytest.raises(ValueError, match="unit-lost"):
        Peer(store, ["unit-lost"])


def test_it_listens_for_clients_that_log_in_by_cookie(store: LocalStore) -> None:
    with served_peer(store) as server, requests.Session() as session:
        form = {"username": "ann", "password": PASSWORD}
        assert session.post(f"{server.address}/account/authenticate/", data=form).status_code == 202
        answer = session.post(f"{server.address}{list_of('block')}", json={"name": "b"})
        assert (answer.status_code, json.loads(answer.content)["name"]) == (201, "b")


def test_every_defect_has_a_test_of_its_name() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    names = {name.replace("-", "_") for name in DEFECTS}
    assert {name for name in names if f"def test_{name}" not in tests} == set()
