"""HDF5 from strangers: arrays and deltas that are taken whole, and files that are refused with nothing stored."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import pytest

from gnode_orm.session import Lab
from gnode_orm.stores.local.store import LocalStore
from tests.server.asgi_client import Client
from tests.server.hdf5_files import hdf5_bytes

EPHYS = "/api/v1/electrophysiology/"
Fill = Callable[[Any], None]


def array(values: Any, **options: Any) -> bytes:
    return hdf5_bytes(lambda root: root.create_dataset("arraydata", data=values, **options))


def read(content: bytes) -> Any:
    with h5py.File(io.BytesIO(content)) as root:
        data = root["arraydata"]
        return data.asstr()[()] if data.dtype == object else data[()]


def signal(client: Client, **fields: Any) -> str:
    answer = client.post(EPHYS + "analogsignal/", json={"sampling_rate": 1000, **fields})
    return str(answer.json()["location"])


def send(client: Client, address: str, content: bytes) -> Any:
    return client.post(address, files={"raw_file": content})


@pytest.mark.parametrize(
    "values",
    [
        np.arange(10.0),
        np.arange(12, dtype=">i2").reshape(6, 2),
        np.zeros((0, 3), dtype="f4"),
        np.arange(20_000, dtype="f8"),
        np.arange(3_000_000, dtype="f8").reshape(-1, 3),
    ],
    ids=["small", "big-endian", "empty", "file", "through the disk"],
)
def test_an_array_comes_back_with_dtype_and_shape(ann: Client, values: Any) -> None:
    address = signal(ann) + "signal/"
    assert ann.get(address).status_code == 204
    assert send(ann, address, array(values)).status_code == 202
    answer = ann.get(address)
    assert answer.headers["content-type"] == "application/x-hdf"
    again = read(answer.content)
    assert again.dtype == values.dtype
    assert np.array_equal(again, values)


def test_data_that_are_known_are_not_sent_again(ann: Client) -> None:
    address = signal(ann) + "signal/"
    send(ann, address, array(np.arange(3.0)))
    tag = ann.get(address).headers["etag"]
    again = ann.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    send(ann, address, array(np.arange(4.0)))
    assert ann.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_a_unit_that_came_first_is_that_of_the_array(ann: Client) -> None:
    address = signal(ann, signal__unit="nA")
    assert ann.get(address).json()["signal__unit"] == "nA"
    send(ann, address + "signal/", array(np.arange(3.0), compression="gzip", shuffle=True, fletcher32=True))
    assert ann.get(address).json()["signal__unit"] == "nA"
    assert ann.put(address, json={"signal__unit": "pA"}).json()["signal__unit"] == "pA"
    assert ann.get(address).json()["data_size"] == 24


@pytest.mark.case(87)
@pytest.mark.parametrize("values", [np.array([b"a", b"bc"]), np.array(["ä", "bc"], dtype=object)], ids=["S", "vlen"])
def test_labels_keep_their_text(ann: Client, values: Any) -> None:
    made = ann.post(EPHYS + "eventarray/", json={}).json()
    assert send(ann, made["location"] + "labels/", array(values)).status_code == 202
    assert list(read(ann.get(made["location"] + "labels/").content)) == values.astype("U").tolist()


@pytest.mark.case(87)
@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ([b"light on", b"Reiz \xc3\xa4"], ["light on", "Reiz ä"]),
        ([b"light on", b"Reiz \xe4"], ["light on", "Reiz ä"]),
        ([], []),
    ],
    ids=["UTF-8", "Latin-1", "none"],
)
def test_labels_that_old_clients_send_as_bytes_are_text(
    ann: Client, store: LocalStore, sent: list[bytes], meant: list[str]
) -> None:
    made = ann.post(EPHYS + "eventarray/", json={}).json()
    assert send(ann, made["location"] + "labels/", array(np.array(sent, "S9"))).status_code == 202
    with Lab(store, "ann").session() as session:
        labels = session.get(made["location"]).labels.load()  # type: ignore[union-attr]
        assert (labels.dtype.kind, labels.tolist()) == ("U", meant)


def external_link(root: Any) -> None:
    root["arraydata"] = h5py.ExternalLink("/etc/hostname", "/")


def external_storage(root: Any) -> None:
    root.create_dataset("arraydata", (10,), "u1", external=[("/etc/hostname", 0, 10)])


def virtual(root: Any) -> None:
    layout = h5py.VirtualLayout((10,), "f8")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (10,))
    root.create_virtual_dataset("arraydata", layout)


def bomb(root: Any) -> None:
    root.create_dataset("arraydata", (1 << 40,), "f8")


def chunked_bomb(root: Any) -> None:
    root.create_dataset("arraydata", (1 << 40,), "f8", chunks=(1 << 20,), compression="gzip")


def text_bomb(root: Any) -> None:
    values = np.array(["x"] * 20_000 + ["y" * 20_000], dtype=object)
    root.create_dataset("arraydata", data=values)


def compound(root: Any) -> None:
    root.create_dataset("arraydata", data=np.zeros(3, dtype=[("a", "i4"), ("b", "f8")]))


def references(root: Any) -> None:
    root.create_dataset("arraydata", data=np.array([root.ref, root.ref], dtype=object), dtype=h5py.ref_dtype)


def unknown_filter(root: Any) -> None:
    root.create_dataset("arraydata", data=np.arange(1000.0), chunks=(100,), compression="lzf")


MALICE: list[Fill] = [
    external_link, external_storage, virtual, bomb, chunked_bomb, text_bomb, compound, references, unknown_filter,
    lambda root: root.create_group("group"),
    lambda root: root.create_dataset("arraydata", data=h5py.Empty("f8")),
]  # fmt: skip


@pytest.mark.parametrize("fill", MALICE, ids=lambda fill: fill.__name__)
def test_a_file_that_reaches_out_or_blows_up_is_refused(ann: Client, fill: Fill) -> None:
    address = signal(ann)
    guid = ann.get(address).json()["guid"]
    answer = send(ann, address + "signal/", hdf5_bytes(fill))
    assert answer.status_code == 422, answer.text
    assert ann.get(address + "signal/").status_code == 204
    assert ann.get(address).json()["guid"] == guid


@pytest.mark.case(88)
@pytest.mark.parametrize(
    "content",
    [b"", b"junk", b"\x89HDF\r\n\x1a\n", b"\x89HDF\r\n\x1a\n" + b"\x00" * 500, array(np.arange(9.0))[:700]],
    ids=["empty", "junk", "signature", "zeros", "cut"],
)
def test_a_file_that_is_broken_is_refused(ann: Client, content: bytes) -> None:
    address = signal(ann) + "signal/"
    assert send(ann, address, content).status_code == 422
    assert ann.get(address).status_code == 204


def test_wrong_shapes_types_and_attributes_are_refused(ann: Client) -> None:
    train = ann.post(EPHYS + "spiketrain/", json={}).json()["location"]
    assert send(ann, train + "times/", array(np.zeros((2, 2)))).status_code == 422
    assert send(ann, train + "times/", array(np.array([b"x"]))).status_code == 422
    assert send(ann, train + "name/", array(np.zeros(2))).status_code == 400
    assert ann.request("PUT", train + "times/").status_code == 405


def delta(*objects: tuple[str, Any, dict[str, Any]]) -> bytes:
    def fill(root: Any) -> None:
        for name, body, arrays in objects:
            group = root.create_group(name)
            text = body if isinstance(body, str) else json.dumps(body)
            group.create_dataset("json", data=text, dtype=h5py.string_dtype("ascii"))
            for key, values in arrays.items():
                group.create_dataset(key, data=values)

    return hdf5_bytes(fill)


def group(kind: str, id_: str) -> str:
    namespace = "metadata" if kind in ("document", "section", "property", "value") else "electrophysiology"
    return f"-api-v1-{namespace}-{kind}-{id_}-"


def section(id_: str, parent: str) -> tuple[str, Any, dict[str, Any]]:
    return group("section", id_), {"section": parent}, {}


BLOCK = (group("block", "TEMP1"), {"name": "b"}, {})


def test_a_delta_is_written_whole(ann: Client, store: LocalStore) -> None:
    large = np.arange(50_000.0)
    content = delta(
        (group("analogsignal", "TEMP3"), {"segment": "TEMP2", "t_start": 1, "t_start__unit": "s", "signal__unit": "uV"},
         {"signal": large}),
        (group("segment", "TEMP2"), {"name": "s", "block": "TEMP1"}, {}),
        BLOCK,
        (group("recordingchannelgroup", "TEMP4"), {"name": "g", "block": "TEMP1"}, {}),
        (group("recordingchannel", "TEMP5"), {"name": "c", "recordingchannelgroup": ["TEMP4"]}, {}),
    )  # fmt: skip
    block = send(ann, "/api/v1/in_bulk/", content).json()
    assert (block["name"], len(block["segment_set"]), len(block["recordingchannelgroup_set"])) == ("b", 1, 1)
    (made,) = ann.get(f"{EPHYS}analogsignal/?segment__block={block['id']}").json()["selected"]
    assert (made["t_start__unit"], made["signal__unit"]) == ("s", "uV")
    assert np.array_equal(read(ann.get(made["location"] + "signal/").content), large)
    again = delta(
        (group("block", block["id"]), {"name": "renamed"}, {}), (group("segment", "TEMP9"), {"block": block["id"]}, {})
    )
    changed = send(ann, "/api/v1/in_bulk/", again).json()
    assert (changed["name"], len(changed["segment_set"])) == ("renamed", 2)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "in_bulk"])
def test_what_takes_its_object_out_of_sight_is_written_all_the_same(ann: Client, ben: Client, method: str) -> None:
    def channels(owner: Client, block: Any) -> str:
        made = owner.post(f"{EPHYS}recordingchannelgroup/", json={"name": "g", "block": block["id"]}).json()
        return str(made["id"])

    shared, private, own = (who.post(f"{EPHYS}block/", json={"name": "b"}).json() for who in (ann, ann, ben))
    sharing = [{"user": "/api/v1/user/user/ben/", "access_level": 2}]
    assert ann.put(f"{shared['location']}acl/", json=sharing).status_code == 200
    groups = [channels(ann, shared), channels(ann, private)]
    channel = ann.post(f"{EPHYS}recordingchannel/", json={"index": 1, "recordingchannelgroup": groups}).json()
    # Of the groups that stay, the first decides, and ben cannot see that there is one.
    left = {"recordingchannelgroup": [channels(ben, own)]}
    if method == "in_bulk":
        answer = send(ben, "/api/v1/in_bulk/", delta((group("recordingchannel", channel["id"]), left, {})))
    else:
        answer = ben.request(method, channel["location"], json=left)
    assert (answer.status_code, answer.content) == (204, b"")
    assert ben.get(channel["location"]).status_code == 404
    remaining = ann.get(channel["location"]).json()["recordingchannelgroup"]
    assert [address.split("/")[-2] for address in remaining] == groups[1:]


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        ([BLOCK, section("TEMP1", "TEMP2"), section("TEMP2", "TEMP1")], "ring"),
        ([BLOCK, section("TEMP1", "TEMP1")], "ring"),
        ([BLOCK, (group("segment", "TEMP2"), {"block": "TEMP9"}, {})], "TEMP9"),
        ([BLOCK, (group("segment", "TEMP2"), {"block": "0000000000"}, {})], "0000000000"),
        ([BLOCK, (group("segment", "TEMP2"), "{", {})], "JSON"),
        ([BLOCK, (group("segment", "TEMP2"), [], {})], "JSON object"),
        ([BLOCK, (group("nosuch", "TEMP2"), {}, {})], "location"),
        ([BLOCK, (group("block", "2DFA548ESC"), {}, {})], "2DFA548ESC"),
        ([BLOCK, ("other", {}, {})], "location"),
        ([BLOCK, (group("event", "TEMP2"), {"time": "x"}, {})], "Event.time"),
        ([BLOCK, (group("spiketrain", "TEMP2"), {}, {"times": np.zeros((2, 2))})], "one axis"),
        ([BLOCK, (group("spiketrain", "TEMP2"), {"times__unit": "mV"}, {"times": np.zeros(2)})], "times"),
        ([], "no object"),
    ],
)  # fmt: skip
def test_a_delta_with_a_fault_is_refused_with_nothing_stored(ann: Client, objects: Any, said: str) -> None:
    answer = send(ann, "/api/v1/in_bulk/", delta(*objects))
    assert answer.status_code in (400, 404, 422)
    assert said in answer.json()["error"]
    assert ann.get(EPHYS + "block/").json()["meta"]["total_count"] == 0


@pytest.mark.parametrize("fill", MALICE, ids=lambda fill: fill.__name__)
def test_a_delta_that_reaches_out_is_refused(ann: Client, fill: Fill) -> None:
    def filled(root: Any) -> None:
        made = root.create_group(group("analogsignal", "TEMP1"))
        made.create_dataset("json", data="{}", dtype=h5py.string_dtype("ascii"))
        fill(made)
        made.move(next(name for name in made if name != "json"), "signal")

    assert send(ann, "/api/v1/in_bulk/", hdf5_bytes(filled)).status_code == 422
    assert ann.get(EPHYS + "analogsignal/").json()["meta"]["total_count"] == 0
