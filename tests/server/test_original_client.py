"""What the original Python client relies on, found by watching it: each fact is one test, in our own words."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import h5py
import httpx
import numpy as np
import pytest
import requests

from gnode_orm.core.schema import SCHEMA
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.wire.kinds import wire_kind
from tests.server.asgi_client import Client
from tests.server.conftest import PASSWORD
from tests.stores.rest.serving import served

# The names that the client knows, written down here so that no change of ours can move them.
PARENTS = {
    "section": ("document", "section"), "property": ("section",), "value": ("property",), "segment": ("block",),
    "recordingchannelgroup": ("block",), "recordingchannel": ("recordingchannelgroup",),
    "unit": ("recordingchannelgroup",), "event": ("segment",), "eventarray": ("segment",), "epoch": ("segment",),
    "epocharray": ("segment",), "spiketrain": ("segment", "unit"), "spike": ("segment", "unit"),
    "analogsignal": ("segment", "recordingchannel"), "irregularlysampledsignal": ("segment", "recordingchannel"),
    "analogsignalarray": ("segment", "recordingchannelgroup"),
}  # fmt: skip
CHILDREN = {
    "document": ("section",), "section": ("section", "property"), "property": ("value",),
    "block": ("segment", "recordingchannelgroup"), "recordingchannelgroup": ("unit", "analogsignalarray"),
    "recordingchannel": ("analogsignal", "irregularlysampledsignal"), "unit": ("spiketrain", "spike"),
    "segment": ("analogsignal", "analogsignalarray", "irregularlysampledsignal", "spiketrain", "spike", "event",
                "eventarray", "epoch", "epocharray"),
}  # fmt: skip
ARRAYS = {
    "eventarray": ("labels", "times"), "epocharray": ("labels", "times", "durations"),
    "spiketrain": ("times", "waveforms"), "analogsignal": ("signal",), "analogsignalarray": ("signal",),
    "irregularlysampledsignal": ("signal", "times"), "spike": ("waveform",),
}  # fmt: skip
NUMBERS = {
    "event": ("time",), "epoch": ("time", "duration"), "spiketrain": ("t_start", "t_stop"),
    "analogsignal": ("t_start", "sampling_rate"), "analogsignalarray": ("t_start", "sampling_rate"),
    "irregularlysampledsignal": ("t_start",), "spike": ("time", "left_sweep", "sampling_rate"),
}  # fmt: skip


def category(kind: str) -> str:
    return "metadata" if kind in ("document", "section", "property", "value") else "electrophysiology"


def made(client: Client, kind: str, **fields: Any) -> dict[str, Any]:
    numbers = dict.fromkeys(NUMBERS.get(kind, ()), 1.0)
    answer = client.post(f"/api/v1/{category(kind)}/{kind}/", json={**numbers, **fields})
    assert answer.status_code == 201, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def hdf5(**datasets: Any) -> dict[str, tuple[str, bytes]]:
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        for name, values in datasets.items():
            root.create_dataset(name, data=values)
    return {"raw_file": ("raw_file", file.getvalue())}


def first_array(content: bytes) -> Any:
    with h5py.File(io.BytesIO(content)) as root:
        return root[sorted(root)[0]][...]


def test_login_sets_a_cookie_and_logout_ends_well_after_its_redirects(stranger: Client) -> None:
    """A form with name and password gives some cookie; logging out is a GET that may redirect."""
    answer = stranger.login("ann", PASSWORD)
    assert (answer.status_code, answer.content) == (202, b"")
    assert stranger.cookies
    left = stranger.get("/account/logout/", follow_redirects=True)
    assert left.status_code < 400
    assert stranger.get("/api/v1/electrophysiology/block/").status_code == 401


@pytest.mark.parametrize("form", [{"username": "ann", "password": "x"}, {"username": "ann"}, {}])
def test_a_login_that_fails_is_an_error_status_without_a_cookie(stranger: Client, form: dict[str, str]) -> None:
    """The client looks at the status alone, and then at whether a cookie came."""
    answer = stranger.post("/account/authenticate/", data=form)
    assert (answer.status_code, dict(stranger.cookies)) == (401, {})


def test_what_is_not_there_is_404_and_becomes_none(ann: Client) -> None:
    """A missing object is the one failure that is no error to the client."""
    block = made(ann, "block", name="b")
    ann.delete(block["location"])
    assert ann.get(block["location"]).status_code == 404
    assert ann.get("/api/v1/electrophysiology/block/0000000000/").status_code == 404


@pytest.mark.parametrize("kind", SCHEMA)
def test_an_object_names_itself_by_a_path_of_five_parts(ann: Client, kind: str) -> None:
    """Category, kind and id are taken from the third, fourth and fifth part of ``resource_uri``."""
    shown = made(ann, kind, name="n")
    parts = shown["resource_uri"].strip("/").split("/")
    assert parts == ["api", "v1", category(kind), kind, shown["id"]]
    assert shown["location"] == shown["resource_uri"]
    assert shown["id"] == shown["local_id"]
    assert len(shown["guid"]) == 32


@pytest.mark.parametrize("kind", SCHEMA)
def test_every_array_is_an_absolute_url_with_a_unit_beside_it_even_without_data(ann: Client, kind: str) -> None:
    """The client posts to the value as it stands, takes the id from its fifth part, and fails on a missing key."""
    shown = made(ann, kind, name="n")
    assert tuple(sorted(ARRAYS.get(kind, ()))) == tuple(sorted(field.name for field in wire_kind(kind).arrays))
    for name in ARRAYS.get(kind, ()):
        url = urlsplit(shown[name])
        assert (url.scheme, url.netloc) == ("http", "127.0.0.1:8010")
        assert url.path == f"{shown['location']}{name}/"
        assert url.path.strip("/").split("/")[4] == shown["id"]
        assert name == "labels" or f"{name}__unit" in shown


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_number_that_was_sent_is_a_number_with_a_unit_beside_it(ann: Client, kind: str) -> None:
    """The client makes a float of every number that it finds, so none that was given may come back as null."""
    shown = made(ann, kind)
    for name in NUMBERS[kind]:
        assert isinstance(shown[name], float)
        assert isinstance(shown[f"{name}__unit"], str)


@pytest.mark.parametrize("kind", CHILDREN)
def test_children_stand_under_the_name_of_their_kind_even_when_there_are_none(ann: Client, kind: str) -> None:
    """A collection is ``<kind>_set``, a list that may be empty."""
    shown = made(ann, kind, name="n")
    assert {f"{child}_set": shown[f"{child}_set"] for child in CHILDREN[kind]} == {
        f"{child}_set": [] for child in CHILDREN[kind]
    }


@pytest.mark.parametrize("kind", PARENTS)
def test_parents_are_sent_as_bare_ids_and_shown_as_addresses(ann: Client, kind: str) -> None:
    """The client cuts scheme and host off, and takes the id from the fifth part of the path."""
    for name in PARENTS[kind]:
        parent = made(ann, name, name="p")
        many = (kind, name) == ("recordingchannel", "recordingchannelgroup")
        sent = [parent["id"]] if many else parent["id"]
        shown = made(ann, kind, **{name: sent})[name]
        (address,) = shown if many else [shown]
        assert urlsplit(address).path == parent["location"]
        listed = ann.get(parent["location"]).json()
        assert many or listed[f"{kind}_set"]


@pytest.mark.parametrize("kind", [kind for kind in SCHEMA if category(kind) == "electrophysiology"])
def test_the_section_of_an_object_is_its_metadata(ann: Client, kind: str) -> None:
    """The client calls it section, sends it as ``metadata`` with every object, and mostly null."""
    section = made(ann, "section", name="s")
    assert made(ann, kind, metadata=None)["metadata"] is None
    assert urlsplit(made(ann, kind, metadata=section["id"])["metadata"]).path == section["location"]


def test_an_array_is_posted_as_a_file_of_one_dataset_and_read_as_the_first(ann: Client) -> None:
    """What is sent is called ``arraydata``; what is read may have any name, and an upload is below 400."""
    signal = made(ann, "analogsignal")
    address = urlsplit(signal["signal"]).path
    assert ann.get(address).status_code == 204
    for name in ("arraydata", "anything"):
        values = np.arange(6.0).reshape(3, 2) if name == "anything" else np.arange(4, dtype="f4")
        assert ann.post(address, files=hdf5(**{name: values})).status_code == 202
        answer = ann.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-hdf")
        back = first_array(answer.content)
        assert (back.dtype, back.tolist()) == (values.dtype, values.tolist())


def test_the_guid_changes_with_every_change_and_stays_otherwise(ann: Client) -> None:
    """It is the entity tag: a change of a value, of an array, and an empty change make a new one; a child does not."""
    signal = made(ann, "analogsignal")
    seen = [signal["guid"]]
    ann.post(urlsplit(signal["signal"]).path, files=hdf5(arraydata=[1.0]))
    seen.append(ann.get(signal["location"]).json()["guid"])
    seen.append(ann.put(signal["location"], json={"name": "n"}).json()["guid"])
    seen.append(ann.put(signal["location"], json={}).json()["guid"])
    assert len(set(seen)) == 4
    block = made(ann, "block", name="b")
    made(ann, "segment", block=block["id"])
    assert ann.get(block["location"]).json()["guid"] == block["guid"]


def test_entity_tags_come_without_quotes(ann: Client) -> None:
    """``If-none-match`` with the guid is 304 and an empty body; ``If-match`` with an old one an error status."""
    block = made(ann, "block", name="b")
    unchanged = ann.get(block["location"], headers={"If-none-match": block["guid"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    changed = ann.put(block["location"], json={"name": "c"}, headers={"If-match": block["guid"]})
    assert (changed.status_code, changed.json()["name"]) == (200, "c")
    stale = ann.put(block["location"], json={"name": "d"}, headers={"If-match": block["guid"]})
    assert stale.status_code >= 400
    assert ann.get(block["location"], headers={"If-none-match": block["guid"]}).json()["name"] == "c"


def test_a_file_is_not_sent_again_to_who_has_it(ann: Client) -> None:
    """A tag is asked of objects alone; a file with a tag that is none of its own is sent."""
    signal = made(ann, "analogsignal")
    address = urlsplit(signal["signal"]).path
    ann.post(address, files=hdf5(arraydata=[1.0]))
    assert ann.get(address, headers={"If-none-match": signal["guid"]}).status_code == 200


@pytest.mark.parametrize("kind", SCHEMA)
def test_a_whole_object_may_be_sent_back_with_nulls_and_keys_that_nobody_knows(ann: Client, kind: str) -> None:
    """A change carries every key, parents and empty text as null, and some that the server never had."""
    shown = made(ann, kind, name="n")
    unknown = {"labels__unit": None, "description": "d", "no_such_key": 1}
    nulls = {name: None for name in (*PARENTS.get(kind, ()), "metadata") if name != "recordingchannelgroup"}
    answer = ann.put(shown["location"], json={**shown, **unknown, **nulls})
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] == shown["id"]


def test_a_date_has_no_time_of_day(ann: Client) -> None:
    """The client reads year, month and day, and fails on more."""
    document = made(ann, "document", date="2014-03-21")
    assert document["date"] == ann.get(document["location"]).json()["date"] == "2014-03-21"


def test_lists_are_read_by_limit_offset_and_ids_and_never_by_the_next_link(ann: Client) -> None:
    """What is found stands under ``selected``; an answer without limit is enough for five hundred objects."""
    blocks = [made(ann, "block", name=str(number)) for number in range(5)]
    ids = [block["id"] for block in blocks]
    address = "/api/v1/electrophysiology/block/"
    wanted = ann.get(address, params={"id__in": ",".join(ids[1:4])}).json()["selected"]
    assert [item["id"] for item in wanted] == ids[1:4]
    pages = [ann.get(address, params={"limit": 2, "offset": start}).json()["selected"] for start in (0, 2, 4)]
    assert [item["id"] for page in pages for item in page] == ids
    answer = ann.get(address).json()
    assert (answer["meta"]["limit"], len(answer["selected"])) == (500, 5)


def test_a_recursive_read_leaves_the_last_slash_out_and_follows_the_redirect(store: LocalStore) -> None:
    """The answer to the shortened path is a 301 to the absolute address, query and login included."""
    with served(store) as server, requests.Session() as session:
        form = {"username": "ann", "password": PASSWORD}
        session.post(f"{server.address}/account/authenticate/", data=form)
        lists = f"{server.address}/api/v1/electrophysiology"
        block = session.post(f"{lists}/block/", json={"name": "b"}).json()
        segment = session.post(f"{lists}/segment/", json={"name": "s", "block": block["id"]}).json()
        (child,) = session.get(f"{lists}/block/{block['id']}").json()["segment_set"]
        assert child.startswith(server.address)
        answer = session.get(child.rstrip("/"))
        assert [item.status_code for item in (*answer.history, answer)] == [301, 200]
        assert answer.json()["id"] == segment["id"]
        assert session.get(f"{lists}/segment?name=s").json()["selected"] == [answer.json()]


def test_the_example_on_the_first_page_saves_parts_before_the_whole(ann: Client) -> None:
    """A segment and a signal come without parents; a later change sets them, and the tree is whole."""
    segment, signal = made(ann, "segment", name="s", block=None), made(ann, "analogsignal", segment=None)
    assert (segment["block"], signal["segment"]) == (None, None)
    ann.post(urlsplit(signal["signal"]).path, files=hdf5(arraydata=[1.0, 2.0]))
    block = made(ann, "block", name="b")
    for item, parent in ((segment, {"block": block["id"]}), (signal, {"segment": segment["id"]})):
        assert ann.put(item["location"], json={**item, **parent}).status_code == 200
    (child,) = ann.get(block["location"]).json()["segment_set"]
    (grandchild,) = ann.get(urlsplit(child).path).json()["analogsignal_set"]
    found = ann.get(urlsplit(grandchild).path).json()
    assert first_array(ann.get(urlsplit(found["signal"]).path).content).tolist() == [1.0, 2.0]


def test_a_tree_goes_in_one_file_and_its_top_comes_back(ann: Client) -> None:
    """Groups are locations with ``-`` for ``/``, new ones with ``TEMP`` and a number; children learn ids by reading."""
    file = io.BytesIO()
    tree = {
        "block-TEMP140000000000001": ('{"name": "b", "metadata": null}', {}),
        "segment-TEMP140000000000002": ('{"name": "s", "block": "TEMP140000000000001"}', {}),
        "analogsignal-TEMP140000000000003": (
            '{"name": "a", "segment": "TEMP140000000000002", "t_start": 0.5, "t_start__unit": "s", '
            '"sampling_rate": 10, "sampling_rate__unit": "Hz", "signal__unit": "uV", "recordingchannel": null}',
            {"signal": np.arange(3.0)},
        ),
    }
    with h5py.File(file, "w") as root:
        for name, (text, arrays) in tree.items():
            group = root.create_group(f"-api-v1-electrophysiology-{name}-")
            group.create_dataset("json", data=text, dtype=h5py.string_dtype("ascii"))
            for field, values in arrays.items():
                group.create_dataset(field, data=values)
    answer = ann.post("/api/v1/in_bulk/", files={"raw_file": ("raw_file", file.getvalue())})
    assert (answer.status_code, answer.json()["name"]) == (200, "b")
    (child,) = answer.json()["segment_set"]
    (grandchild,) = ann.get(urlsplit(child).path).json()["analogsignal_set"]
    signal = ann.get(urlsplit(grandchild).path).json()
    assert (signal["signal__unit"], signal["t_start"], signal["t_start__unit"]) == ("uV", 0.5, "s")
    assert first_array(ann.get(urlsplit(signal["signal"]).path).content).tolist() == [0.0, 1.0, 2.0]


def test_a_stored_object_in_a_file_is_changed_and_named_by_its_own_id(ann: Client) -> None:
    """The same file may hold changes of what is there and new objects below it."""
    block = made(ann, "block", name="b", index=7)
    file = io.BytesIO()
    with h5py.File(file, "w") as root:
        for name, text in (
            (f"block-{block['id']}", '{"name": "c"}'),
            ("segment-TEMP1", f'{{"name": "s", "block": "{block["id"]}"}}'),
        ):
            group = root.create_group(f"-api-v1-electrophysiology-{name}-")
            group.create_dataset("json", data=text, dtype=h5py.string_dtype("ascii"))
    answer = ann.post("/api/v1/in_bulk/", files={"raw_file": ("raw_file", file.getvalue())}).json()
    assert (answer["id"], answer["name"], answer["index"]) == (block["id"], "c", 7)
    assert len(answer["segment_set"]) == 1


def test_access_lists_are_lists_of_user_paths_with_a_number(ann: Client, ben: Client) -> None:
    """They are read and replaced whole; 1 reads, 2 changes, and nothing but these two keys is needed."""
    block = made(ann, "block", name="b")
    address = f"{block['location']}acl/"
    assert ann.get(address).json() == []
    entries = [{"access_level": 1, "user": "/api/v1/user/user/ben/"}]
    assert ann.put(address, json=entries).json() == ann.get(address).json() == entries
    assert ben.get(block["location"]).status_code == 200
    assert ann.put(address, json=[]).json() == []


def test_deleting_is_204_and_then_404(ann: Client) -> None:
    """Neither answer has a body that the client would read."""
    block = made(ann, "block", name="b")
    answers = [ann.delete(block["location"]) for _ in range(2)]
    assert [(answer.status_code) for answer in answers] == [204, 404]
    assert answers[0].content == b""


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.post("/api/v1/electrophysiology/segment/", json={"block": "0000000000"}),
        lambda client: client.get("/api/v1/electrophysiology/block/?limit=-1"),
        lambda client: client.get("/api/v1/electrophysiology/block/0000000000/"),
        lambda client: client.post("/api/v1/electrophysiology/event/", json={"time": "x"}),
        lambda client: client.post("/api/v1/in_bulk/", files={"raw_file": ("raw_file", b"junk")}),
    ],
)  # fmt: skip
def test_a_failure_says_why_under_error(ann: Client, ask: Callable[[Client], httpx.Response]) -> None:
    """The client prints the body of every answer from 400 to 599; the text stands under the key that it had."""
    answer = ask(ann)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]


def test_answers_are_json_in_utf_8_with_sorted_keys(ann: Client) -> None:
    """The media type has no parameter, and text is not escaped."""
    answer = ann.get(made(ann, "block", name="µ")["location"])
    assert answer.headers["content-type"] == "application/json"
    assert "µ".encode() in answer.content
    assert list(answer.json()) == sorted(answer.json())


def test_no_token_is_asked_of_a_change_and_unknown_parameters_are_ignored(ann: Client) -> None:
    """The client sends neither a token against forgery nor an Origin, and parameters of older protocols."""
    block = made(ann, "block", name="b")
    assert ann.put(f"{block['location']}?bulk_update=1", json={"name": "c"}).status_code == 200
    listed = ann.get("/api/v1/electrophysiology/block/?q=full&at_time=2014-01-01&max_results=1")
    assert [item["name"] for item in listed.json()["selected"]] == ["c"]
