"""Small HDF5 files that unfold to much: they are refused by what they claim, and nothing of them is stored."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import pytest

from gnode_orm.core.select import Select
from gnode_orm.errors import ValidationFailed
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.wire import hdf5
from tests.server.asgi_client import Client
from tests.server.hdf5_files import hdf5_bytes

BULK = "/api/v1/in_bulk/"
SIGNAL = "-api-v1-electrophysiology-analogsignal-TEMP{}-"
LABELS = "-api-v1-electrophysiology-eventarray-TEMP1-"
_REFERENCE = 16  # bytes of a reference to a text: its length and its place in the heap


def with_json(root: Any, name: str, text: str = "{}") -> Any:
    group = root.create_group(name)
    group.create_dataset("json", data=text, dtype=h5py.string_dtype("ascii"))
    return group


def repeated(content: bytes, path: str) -> bytes:
    """Let every element of a dataset of texts refer to the first one, however long that is."""
    with h5py.File(io.BytesIO(content)) as root:
        start, count = root[path].id.get_offset(), len(root[path])
    first = content[start : start + _REFERENCE]
    return content[:start] + first * count + content[start + _REFERENCE * count :]


def one_text_many_times(root: Any) -> None:
    texts = np.array(["x" * 100_000, *[""] * 20_000], dtype=object)
    with_json(root, LABELS).create_dataset("labels", data=texts, dtype=h5py.string_dtype())


def many_that_claim_much(root: Any) -> None:
    # Each of them would pass alone: zeros that are nowhere, of as much as one small file may hold.
    for number in range(200):
        with_json(root, SIGNAL.format(number)).create_dataset("signal", (1 << 20,), "f8")


def a_json_that_claims_much(root: Any) -> None:
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(1 << 31)
    group = root.create_group(SIGNAL.format(1))
    h5py.h5d.create(group.id, b"json", kind, h5py.h5s.create(h5py.h5s.SCALAR))


def zeros_packed_tightly(root: Any) -> None:
    data = with_json(root, SIGNAL.format(1)).create_dataset(
        "signal", (1 << 24,), "f8", chunks=(1 << 20,), compression=9
    )
    data[:] = np.zeros(1 << 24)


BOMBS = {
    "one text many times": repeated(hdf5_bytes(one_text_many_times), f"{LABELS}/labels"),
    "many that claim much": hdf5_bytes(many_that_claim_much),
    "a json that claims much": hdf5_bytes(a_json_that_claims_much),
    "zeros packed tightly": hdf5_bytes(zeros_packed_tightly),
}


def stored(store: LocalStore) -> tuple[int, int, int]:
    with store._database.read() as transaction:
        ((arrays,),) = transaction.query("SELECT count(*) FROM array")
    return (store.count(Select("analogsignal"), "ann"), store.count(Select("eventarray"), "ann"), arrays)


@pytest.mark.parametrize("name", BOMBS)
def test_a_delta_that_unfolds_to_much_is_refused_with_nothing_stored(ann: Client, store: LocalStore, name: str) -> None:
    content = BOMBS[name]
    assert len(content) < 3 << 20
    answer = ann.post(BULK, files={"raw_file": content})
    assert answer.status_code == 422, answer.text
    assert stored(store) == (0, 0, 0)


def test_one_text_many_times_is_refused_as_an_array_too(ann: Client) -> None:
    def fill(root: Any) -> None:
        texts = np.array(["x" * 100_000, *[""] * 20_000], dtype=object)
        root.create_dataset("arraydata", data=texts, dtype=h5py.string_dtype())

    address = ann.post("/api/v1/electrophysiology/eventarray/", json={}).json()["location"]
    answer = ann.post(f"{address}labels/", files={"raw_file": repeated(hdf5_bytes(fill), "arraydata")})
    assert (answer.status_code, "longer than the file" in answer.json()["error"]) == (422, True)


def test_a_json_that_all_objects_share_counts_for_each(ann: Client, store: LocalStore) -> None:
    def fill(root: Any) -> None:
        text = '{"name": "' + "x" * 500_000 + '"}'
        first = with_json(root, SIGNAL.format(0), text)
        for number in range(1, 20):
            root.create_group(SIGNAL.format(number))["json"] = first["json"]

    answer = ann.post(BULK, files={"raw_file": hdf5_bytes(fill)})
    assert (answer.status_code, "longer than the file" in answer.json()["error"]) == (422, True)
    assert stored(store) == (0, 0, 0)


def soft(root: Any) -> None:
    with_json(root, SIGNAL.format(1))["signal"] = h5py.SoftLink("/elsewhere")


def up_again(root: Any) -> None:
    with_json(root, SIGNAL.format(1))["signal"] = root


def a_group_that_is_a_link(root: Any) -> None:
    root[SIGNAL.format(1)] = h5py.ExternalLink("/etc/hostname", "/")


def a_json_of_numbers(root: Any) -> None:
    root.create_group(SIGNAL.format(1)).create_dataset("json", data=1.0)


def many_jsons(root: Any) -> None:
    texts = np.array(["{}", "{}"], dtype=object)
    root.create_group(SIGNAL.format(1)).create_dataset("json", data=texts, dtype=h5py.string_dtype())


def no_json(root: Any) -> None:
    root.create_group(SIGNAL.format(1)).create_dataset("signal", data=[1.0])


@pytest.mark.parametrize("fill", [soft, up_again, a_group_that_is_a_link, a_json_of_numbers, many_jsons, no_json])
def test_a_delta_of_another_form_is_refused_with_nothing_stored(
    ann: Client, store: LocalStore, fill: Callable[[Any], None]
) -> None:
    assert ann.post(BULK, files={"raw_file": hdf5_bytes(fill)}).status_code == 422
    assert stored(store) == (0, 0, 0)


def test_honest_labels_of_many_lengths_are_taken(ann: Client) -> None:
    texts = [f"stimulus {number}" * (number % 3) for number in range(5_000)]
    content = hdf5_bytes(lambda root: root.create_dataset("arraydata", data=texts, dtype=h5py.string_dtype()))
    address = ann.post("/api/v1/electrophysiology/eventarray/", json={}).json()["location"]
    assert ann.post(f"{address}labels/", files={"raw_file": content}).status_code == 202
    with h5py.File(io.BytesIO(ann.get(f"{address}labels/").content)) as root:
        assert root["arraydata"].asstr()[()].tolist() == texts


def test_a_delta_with_bytes_changed_or_missing_is_written_whole_or_not_at_all(ann: Client, store: LocalStore) -> None:
    def fill(root: Any) -> None:
        with_json(root, "-api-v1-electrophysiology-segment-TEMP9-")
        with_json(root, SIGNAL.format(1), '{"segment": "TEMP9"}').create_dataset("signal", data=np.arange(50.0))

    content, choice = hdf5_bytes(fill), random.Random(3)
    places = [place for place, byte in enumerate(content) if byte]
    whole = 0
    for number in range(120):
        changed = bytearray(content)
        for place in choice.sample(places, 2):
            changed[place] = choice.randrange(256)
        sent = bytes(changed) if number % 4 else content[: choice.randrange(8, len(content) - 600)]
        answer = ann.post(BULK, files={"raw_file": sent})
        assert answer.status_code in (200, 400, 404, 422), (number, answer.text)
        whole += answer.status_code == 200
        assert store.count(Select("segment"), "ann") == whole
    assert stored(store)[0] == whole


def test_an_allowance_is_shared_by_all_datasets_of_a_file() -> None:
    allowance = hdf5.Allowance(1000)
    allowance.take(16 << 20, "one")
    with pytest.raises(ValidationFailed, match="two claims 200000 bytes in a file of 1000"):
        allowance.take(200_000, "two")


def links_to_another_file(root: Any) -> None:
    with_json(root, SIGNAL.format(1))["signal"] = h5py.ExternalLink("elsewhere.h5", "/signal")


def groups_without_end(root: Any) -> None:
    group = with_json(root, SIGNAL.format(1))
    for _ in range(100):
        group = group.create_group("deeper")


def a_group_in_itself(root: Any) -> None:
    group = with_json(root, SIGNAL.format(1))
    group["signal"] = group


def a_number_for_an_object(root: Any) -> None:
    root[SIGNAL.format(1)] = 3


TREES = {
    links_to_another_file: "a link to something else",
    groups_without_end: "one too many",
    a_group_in_itself: "not a dataset",
    a_number_for_an_object: "no group",
}


@pytest.mark.parametrize("fill", TREES)
def test_a_delta_of_another_tree_is_refused_with_the_reason(
    ann: Client, store: LocalStore, fill: Callable[[Any], None]
) -> None:
    answer = ann.post(BULK, files={"raw_file": hdf5_bytes(fill)})
    assert (answer.status_code, TREES[fill] in answer.json()["error"]) == (422, True), answer.text
    assert stored(store) == (0, 0, 0)
