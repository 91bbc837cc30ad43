"""How the original kept the files of arrays."""

from __future__ import annotations

import io

import h5py
import numpy as np
import pytest

from tests.server.asgi_client import Client
from tests.v1peer.conftest import PeerOf, made
from tests.v1peer.deltas import arraydata, as_upload, delta


def first_dataset(content: bytes) -> tuple[str, list[float]]:
    with h5py.File(io.BytesIO(content)) as root:
        (name,) = root
        return name, root[name][:].tolist()


@pytest.mark.parametrize("content", [b"not HDF5 at all", b"", arraydata([1.0, 2.0], name="other")])
def test_any_file_taken_gives_back_the_very_bytes_and_makes_a_new_version(peer_with: PeerOf, content: bytes) -> None:
    ann = peer_with("any-file-taken").ann
    signal = made(ann, "analogsignal", name="s")
    answer = ann.post(f"{signal['location']}signal/", files=as_upload(content, "whatever"))
    assert (answer.status_code, answer.text) == (202, "File content updated successfully")
    answer = ann.get(f"{signal['location']}signal/")
    assert (answer.status_code, answer.content) == (200, content)
    assert ann.get(signal["location"]).json()["guid"] != signal["guid"]


def test_data_named_by_id_under_which_a_delta_left_them(peer_with: PeerOf) -> None:
    ann: Client = peer_with("data-named-by-id").ann
    tree = {"analogsignal/TEMP1": {"name": "s"}}
    content = delta(tree, {"analogsignal/TEMP1": {"signal": np.arange(3.0)}})
    signal = ann.post("/api/v1/in_bulk/", files=as_upload(content)).json()
    answer = ann.get(f"{signal['location']}signal/")
    assert first_dataset(answer.content) == (signal["id"], [0.0, 1.0, 2.0])


def test_without_defects_files_are_looked_at(peer_with: PeerOf) -> None:
    ann = peer_with().ann
    signal = made(ann, "analogsignal", name="s")
    assert ann.post(f"{signal['location']}signal/", files=as_upload(b"junk")).status_code == 422
    assert ann.get(f"{signal['location']}signal/").status_code == 204
