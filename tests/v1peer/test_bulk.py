"""How the original took an HDF5 delta."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from gnode_orm.core.select import Select
from gnode_orm.stores.local.store import LocalStore
from tests.server.asgi_client import Client
from tests.v1peer.conftest import PeerOf
from tests.v1peer.deltas import as_upload, delta

BULK = "/api/v1/in_bulk/"
TREE = {
    "segment/TEMP2": {"name": "s", "block": "TEMP1"},
    "block/TEMP1": {"name": "b"},
    "analogsignal/TEMP3": {"name": "a", "segment": "TEMP2", "t_start": 0, "sampling_rate": 1, "signal__unit": "uV"},
}
CYCLE = {"section/TEMP1": {"name": "a", "section": "TEMP2"}, "section/TEMP2": {"name": "b", "section": "TEMP1"}}


def test_a_tree_is_stored_whole_and_answered_by_its_top(peer_with: PeerOf, store: LocalStore) -> None:
    ann = peer_with().ann
    answer = ann.post(BULK, files=as_upload(delta(TREE, {"analogsignal/TEMP3": {"signal": np.arange(3.0)}})))
    assert (answer.status_code, answer.json()["name"]) == (200, "b")
    assert [store.count(Select(kind), "ann") for kind in ("block", "segment", "analogsignal")] == [1, 1, 1]


def test_bulk_answers_one_as_text_the_first_root_by_name(peer_with: PeerOf) -> None:
    ann = peer_with("bulk-answers-one-as-text").ann
    roots = {"document/TEMP8": {"author": "a"}, "section/TEMP9": {"name": "s", "document": "TEMP8"}}
    answer = ann.post(BULK, files=as_upload(delta({**roots, **TREE})))
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "/block/" in answer.json()["location"]
    assert not [text for text in ("TEMP", "document") if text in answer.text]


def test_a_delta_changes_what_it_names_and_keeps_the_rest(peer_with: PeerOf) -> None:
    ann = peer_with().ann
    top = ann.post(BULK, files=as_upload(delta({"block/TEMP1": {"name": "b", "index": 3}}))).json()
    changed = ann.post(BULK, files=as_upload(delta({f"block/{top['id']}": {"name": "c"}}))).json()
    assert (changed["id"], changed["name"], changed["index"]) == (top["id"], "c", 3)


def test_bulk_fails_without_reason_and_stores_nothing(peer_with: PeerOf, store: LocalStore) -> None:
    ann = peer_with("bulk-fails-without-reason").ann
    for wrong in ({**TREE, "unit/TEMP9": {"recordingchannelgroup": "TEMP8"}}, {"block/1234567890": {}}, {}):
        answer = ann.post(BULK, files=as_upload(delta(wrong)))
        assert (answer.status_code, answer.text) == (500, "<h1>Server Error (500)</h1>")
    assert store.count(Select("block"), "ann") == 0
    assert ann.post(BULK, files=as_upload(b"junk")).status_code == 400
    assert ann.post(BULK, files=as_upload(delta(TREE), "file")).status_code == 400


def test_a_path_to_a_temporary_id_is_no_parent(peer_with: PeerOf, store: LocalStore) -> None:
    ann = peer_with().ann
    path = "/api/v1/electrophysiology/block/TEMP1/"
    tree = {"block/TEMP1": {"name": "b"}, "segment/TEMP2": {"name": "s", "block": path}}
    assert ann.post(BULK, files=as_upload(delta(tree))).status_code == 400
    assert store.count(Select("block"), "ann") == 0


def test_bulk_hangs_on_cycles_until_the_peer_stops(peer_with: PeerOf, store: LocalStore) -> None:
    users = peer_with("bulk-hangs-on-cycles")
    ann: Client = users.ann
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(lambda: ann.post(BULK, files=as_upload(delta(CYCLE))))
        assert users.peer.hanging.wait(30)
        assert not answer.done()
        users.peer.stopping.set()
        assert answer.result().status_code == 500
    assert store.count(Select("section"), "ann") == 0


def test_body_defects_hold_within_a_delta(peer_with: PeerOf) -> None:
    ann = peer_with("parents-required", "text-limited", "metadata-lost").ann
    assert ann.post(BULK, files=as_upload(delta({"segment/TEMP1": {"name": "s"}}))).status_code == 500
    assert ann.post(BULK, files=as_upload(delta({"block/TEMP1": {"name": "x" * 101}}))).status_code == 500
    sections = {"document/TEMP1": {}, "section/TEMP2": {"name": "s", "document": "TEMP1"}}
    with_section = {name: {**body, "metadata": "TEMP2"} for name, body in TREE.items()}
    assert ann.post(BULK, files=as_upload(delta({**sections, **with_section}))).status_code == 200
    block, signal = (
        ann.get(f"/api/v1/electrophysiology/{kind}/").json()["selected"][0] for kind in ("block", "analogsignal")
    )
    assert (block["metadata"] is None, "metadata" in signal) == (False, False)
