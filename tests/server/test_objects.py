"""Objects over API v1: units and groups that come back, versions, partial changes, cascades, atomic lists."""

from __future__ import annotations

import httpx
import pytest
import quantities as pq

from gnode_orm import Event, Session
from gnode_orm.ids import decode_id
from gnode_orm.stores.local.store import LocalStore
from tests.server.asgi_client import Client

EPHYS = "/api/v1/electrophysiology/"
META = "/api/v1/metadata/"


def make(client: Client, kind: str, **fields: object) -> dict[str, object]:
    answer = client.post((META if kind in ("document", "section") else EPHYS) + f"{kind}/", json=fields)
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


def test_units_come_back_as_stored(ann: Client) -> None:
    made = make(ann, "analogsignal", t_start=1.5, t_start__unit="s", sampling_rate=20, sampling_rate__unit="kHz")
    shown = ann.get(str(made["location"])).json()
    assert (shown["t_start"], shown["t_start__unit"]) == (1.5, "s")
    assert (shown["sampling_rate"], shown["sampling_rate__unit"]) == (20.0, "kHz")


def test_sending_back_what_was_read_keeps_exact_values(ann: Client, store: LocalStore) -> None:
    """JSON shows a 64-bit integer as a float; what is sent back unchanged stays what it is."""
    import numpy as np

    with Session(store=store, username="ann") as session:
        event = Event(label="x", time=pq.Quantity(np.array(2**60 + 1, dtype="i8"), "ns"))
        session.add(event)
        session.commit()
        shown = ann.get(str(event.location)).json()
        assert ann.put(str(event.location), json={**shown, "label": "y"}).status_code == 200
        session.refresh(event)
        assert (event.label, event.time.dtype, int(event.time.magnitude)) == ("y", np.int64, 2**60 + 1)


def test_groups_of_a_channel_come_back_and_are_replaced(ann: Client) -> None:
    one, two = (make(ann, "recordingchannelgroup", name=name) for name in "ab")
    channel = make(ann, "recordingchannel", name="c", recordingchannelgroup=[one["id"]])
    address = str(channel["location"])
    assert channel["recordingchannelgroup"] == [f"http://127.0.0.1:8010{one['location']}"]
    assert ann.put(address, json={"recordingchannelgroup": []}).json()["recordingchannelgroup"] != []
    changed = ann.put(address, json={"recordingchannelgroup": [two["id"]]}).json()
    assert changed["recordingchannelgroup"] == [f"http://127.0.0.1:8010{two['location']}"]
    assert ann.get(str(two["location"])).json()["recordingchannel_set"] == [f"http://127.0.0.1:8010{address}"]


def test_a_date_is_a_date(ann: Client) -> None:
    assert make(ann, "document", date="2014-03-21T10:00:00")["date"] == "2014-03-21"


def test_a_segment_may_come_before_its_block(ann: Client) -> None:
    segment = make(ann, "segment", name="first")
    block = make(ann, "block", name="then")
    moved = ann.put(str(segment["location"]), json={"block": block["id"]}).json()
    assert moved["block"] == f"http://127.0.0.1:8010{block['location']}"


def test_a_version_that_is_known_is_not_sent_again(ann: Client) -> None:
    made = make(ann, "block", name="x")
    for tag in (made["guid"], f'"{made["guid"]}"', f'W/"{made["guid"]}", "other"'):
        assert ann.get(str(made["location"]), headers={"If-None-Match": str(tag)}).status_code == 304
    assert ann.get(str(made["location"]), headers={"If-None-Match": "0" * 32}).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_change_of_another_version_is_refused(ann: Client, method: str) -> None:
    made = make(ann, "block", name="x")
    address = str(made["location"])
    assert ann.put(address, json={"name": "y"}, headers={"If-Match": str(made["guid"])}).status_code == 200
    answer = ann.request(method, address, json={"name": "z"}, headers={"If-Match": str(made["guid"])})
    assert answer.status_code == 412
    assert ann.get(address).json()["name"] == "y"


def test_null_clears_a_plain_field_and_leaves_a_foreign_key(ann: Client) -> None:
    section = make(ann, "section", name="s")
    block = make(ann, "block", name="x", description="d", index=3, metadata=section["id"])
    changed = ann.put(str(block["location"]), json={"description": None, "index": None, "metadata": None}).json()
    assert (changed["description"], changed["index"]) == (None, None)
    assert changed["metadata"].endswith(str(section["location"]))


def test_a_link_to_what_is_not_shared_any_more_may_be_sent_back(ann: Client, ben: Client) -> None:
    document = make(ann, "document")
    section, other = (make(ann, "section", name=name, document=document["id"]) for name in ("s", "t"))
    access = f"{document['location']}acl/"
    ann.put(access, json=[{"user": "/api/v1/user/user/ben/", "access_level": 1}])
    block = make(ben, "block", name="b", metadata=section["id"])
    ann.put(access, json=[])
    for link in (block["metadata"], section["location"], section["id"]):
        answer = ben.put(str(block["location"]), json={**block, "name": "c", "metadata": link})
        assert (answer.status_code, answer.json()["metadata"]) == (200, block["metadata"])
    assert ben.put(str(block["location"]), json={"metadata": other["id"]}).status_code == 400
    assert ben.post(EPHYS + "block/", json={"metadata": section["id"]}).status_code == 400


def test_unknown_parents_are_named(ann: Client) -> None:
    answer = ann.post(EPHYS + "segment/", json={"name": "x", "block": "0000000000"})
    assert answer.status_code == 400
    assert "block/0000000000/" in answer.json()["error"]
    assert answer.json()["field"] == "block"


def test_deleting_takes_what_is_below_and_clears_optional_links(ann: Client) -> None:
    block = make(ann, "block", name="b")
    segment = make(ann, "segment", name="s", block=block["id"])
    group = make(ann, "recordingchannelgroup", name="g", block=block["id"])
    unit = make(ann, "unit", name="u", recordingchannelgroup=group["id"])
    train = make(ann, "spiketrain", t_start=0, t_stop=1, segment=segment["id"], unit=unit["id"])
    assert ann.delete(str(unit["location"])).status_code == 204
    assert ann.get(str(train["location"])).json()["unit"] is None
    assert ann.delete(str(block["location"])).status_code == 204
    assert ann.get(str(train["location"])).status_code == 404


def test_a_list_is_made_whole_or_not_at_all(ann: Client) -> None:
    answer = ann.put(EPHYS + "block/", json={"selected": [{"name": "good"}, {"name": "bad", "index": "x"}]})
    assert answer.status_code == 422
    assert ann.get(EPHYS + "block/").json()["meta"]["total_count"] == 0
    assert len(ann.put(EPHYS + "block/", json={"selected": [{"name": "a"}, {"name": "b"}]}).json()["selected"]) == 2


def test_patching_a_list_changes_some_and_makes_others(ann: Client) -> None:
    made = make(ann, "block", name="old")
    bodies = [{"resource_uri": made["resource_uri"], "name": "new"}, {"name": "more"}]
    answer = ann.request("PATCH", EPHYS + "block/", json={"objects": bodies})
    assert [item["name"] for item in answer.json()["objects"]] == ["new", "more"]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("order_by=-index", ["c", "b", "a"]),
        ("order_by=name&limit=1&offset=1", ["b"]),
        ("index__in=1,3&order_by=index", ["a", "c"]),
        ("index__range=2,3&order_by=index", ["b", "c"]),
        ("name__iexact=A", ["a"]),
        ("metadata__document__author=x", ["a"]),
        ("metadata__isnull=false", ["a"]),
        ("metadata__isnull=0", ["a"]),
        ("filedatetime__year=2014", ["b"]),
        ("owner=ann&index__gt=2", ["c"]),
        ("owner__username=ben", []),
    ],
)
def test_filters_and_order(ann: Client, query: str, names: list[str]) -> None:
    document = make(ann, "document", author="x")
    outer = make(ann, "section", name="outer", document=document["id"])
    inner = make(ann, "section", name="inner", section=outer["id"])
    assert str(inner["document"]).endswith(str(document["location"]))
    make(ann, "block", name="a", index=1, metadata=inner["id"])
    make(ann, "block", name="b", index=2, filedatetime="2014-04-10T10:00:00")
    make(ann, "block", name="c", index=3)
    assert [item["name"] for item in ann.get(f"{EPHYS}block/?{query}").json()["selected"]] == names


def test_numbers_are_compared_across_units(ann: Client) -> None:
    make(ann, "event", label="late", time=2, time__unit="s")
    make(ann, "event", label="soon", time=5, time__unit="ms")
    found = ann.get(EPHYS + "event/?time__gt=100").json()["selected"]
    assert [item["label"] for item in found] == ["late"]
    assert ann.get(EPHYS + "event/?time__lt=0.1 s").json()["meta"]["total_count"] == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"time": "abc"}, "time"),
        ({"time": 1, "time__unit": "mV"}, "time"),
        ({"time": 1, "time__unit": "9**9**9"}, "time"),
        ({"label": "a\x00b"}, "label"),
        ({"label": {"no": "text"}}, "label"),
    ],
)
def test_a_refused_value_is_named(ann: Client, fields: dict[str, object], field: str) -> None:
    answer = ann.post(EPHYS + "event/", json=fields)
    problem = answer.json()
    assert (answer.status_code, problem["entity"], problem["field"]) == (422, "Event", field)
    assert problem["error"] == problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("unit", [["mV"], {"mV": 1}, 5, True])
@pytest.mark.parametrize("kind", ["analogsignal", "event"])
def test_a_unit_that_is_no_text_is_refused(ann: Client, kind: str, unit: object) -> None:
    field = {"analogsignal": "signal", "event": "time"}[kind]
    answer = ann.post(f"{EPHYS}{kind}/", json={"time": 1, f"{field}__unit": unit})
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize("level", [[1], {"a": 1}, "1", True, None, 3])
def test_a_level_of_an_access_list_that_is_none_is_refused(ann: Client, level: object) -> None:
    address = ann.post(EPHYS + "block/", json={}).json()["location"] + "acl/"
    answer = ann.put(address, json=[{"user": "/api/v1/user/user/ben/", "access_level": level}])
    assert (answer.status_code, answer.json()["field"], ann.get(address).json()) == (422, "access_level", [])


@pytest.mark.parametrize("through", ["acl", "additions"])
def test_a_share_with_a_name_that_is_no_account_is_refused(ann: Client, store: LocalStore, through: str) -> None:
    block = ann.post(EPHYS + "block/", json={}).json()
    id_ = decode_id(block["id"])
    store.set_access("block", id_, {"old.hand": "read"}, "ann")

    def share(*names: str) -> httpx.Response:
        if through == "acl":
            entries = [{"user": f"/api/v1/user/user/{name}/", "access_level": 1} for name in names]
            return ann.put(block["location"] + "acl/", json=entries)
        message = {"kind": "block", "id": id_, "access": dict.fromkeys(names, "read")}
        return ann.post("/api/v1/additions/share", json=message)

    refused = share("old.hand", "benn")
    assert (refused.status_code, refused.json()["error"]) == (422, "There is no user 'benn'; did you mean 'ben'?")
    assert store.access("block", id_, "ann") == {"old.hand": "read"}
    assert share("old.hand", "ben").status_code == 200
    assert store.access("block", id_, "ann") == {"ben": "read", "old.hand": "read"}


def test_the_labs_level_is_that_of_new_blocks(ann: Client, ben: Client, store: LocalStore) -> None:
    store.accounts.set_default_level(2)
    made = make(ann, "block", name="for all")
    assert made["safety_level"] == 2
    assert ben.get(str(made["location"])).status_code == 200
    assert make(ann, "segment", name="x", block=made["id"])["safety_level"] == 2


def test_a_missing_slash_is_added_and_changes_keep_their_method(ann: Client) -> None:
    answer = ann.get(EPHYS + "block?limit=3")
    assert (answer.status_code, answer.headers["location"]) == (301, f"http://127.0.0.1:8010{EPHYS}block/?limit=3")
    assert ann.delete(EPHYS + "block/2DFA548ESC").status_code == 308
