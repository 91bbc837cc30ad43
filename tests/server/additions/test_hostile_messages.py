"""Whatever a message holds: it is answered, refused with its reason, and never a failure of the server."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.select import OPERATORS, Select
from gnode_orm.wire import frames
from tests.stores.rows import new_id

PREFIX = "/api/v1/additions"
MESSAGES = [
    "records",
    "select",
    "count",
    "count-by",
    "explain",
    "links",
    "receipt",
    "version",
    "preview",
    "history",
    "access",
]


def change_set(**members: Any) -> bytes:
    message = {"id": "a", "creates": {}, "updates": [], "deletes": [], "links": [], "arrays": [], **members}
    return frames.pack(message)


def creating(kind: str, **columns: Any) -> bytes:
    names = ("id", *SCHEMA[kind].write_columns)
    values = dict.fromkeys(names) | {"id": new_id()} | columns
    assert set(values) == set(names)
    return change_set(creates={kind: [[values[name] for name in names]]})


def refused(answer: Any, *statuses: int) -> dict[str, Any]:
    assert answer.status_code in statuses, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert body["detail"] == body["error"]
    assert body["request_id"]
    return body


@pytest.mark.parametrize(
    "path",
    [*MESSAGES, "share", "changes", *(f"arrays/{name}" for name in ("begin", "read", "overview", "small", "extend"))],
)
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"7", b"{}", b"\xff\xfe", b"[" * 5000, b"GNO1\xff\xff\xff\xff{}", frames.pack([])],
)
def test_what_is_no_message_is_refused(ann, path, body):
    refused(ann.post(f"{PREFIX}/{path}", content=body), 400, 422)


@pytest.mark.parametrize(
    "path", [*MESSAGES, "share", "changes", "arrays/begin", "arrays/read", "arrays/small", "arrays/extend"]
)
def test_nobody_is_answered_without_an_account(stranger, path):
    answer = stranger.post(f"{PREFIX}/{path}", content=b"{}")
    assert answer.status_code == 401
    assert "guid_key" not in stranger.get(f"{PREFIX}/").json()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5) | st.sampled_from(["block", "name", "annotations", "...", "is", "and", "or", "not", "any"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
VALUES = JSON | st.sampled_from(
    [
        {"$": "measure", "v": 1, "u": "mV"},
        {"$": "measure", "v": {"$": "float", "v": "nan"}, "u": "s"},
        {"$": "measure", "v": 1, "u": "9**9**9"},
        {"$": "date", "v": "2014-13-01"},
        {"$": "datetime", "v": "0001-01-01T00:00:00+23:59"},
        {"$": "location", "v": "block/0000000000"},
        {"$": "int", "v": "9" * 30},
        {"$": "int", "v": "9" * 5000},
        {"$": "float", "v": "inf"},
        {"$": []},
        "a\0b",
        "(",
    ]
)
FIELDS = st.sampled_from(
    ["name", "index", "filedatetime", "segment", "t_start", "signal", "annotations", "id", "guid", "owner", "modified",
     "location", "nothing", ""]
)  # fmt: skip
ATTRS = st.tuples(
    st.lists(FIELDS, min_size=1, max_size=3),
    st.lists(st.text(max_size=3), max_size=2),
    st.none() | st.sampled_from(["year", "hour", "nothing"]),
)
COMPARISONS = st.tuples(st.just("is"), ATTRS, st.sampled_from(sorted(OPERATORS)) | st.text(max_size=4), VALUES)
NODES = st.recursive(
    COMPARISONS | JSON,
    lambda inner: (
        st.tuples(st.sampled_from(["and", "or"]), inner, inner)
        | st.tuples(st.just("not"), inner)
        | st.tuples(st.just("any"), st.lists(FIELDS, max_size=2), st.sampled_from(["segments", "x"]), inner)
    ),
    max_leaves=4,
)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    kind=st.sampled_from([*SCHEMA, "x"]),
    where=NODES,
    order=st.lists(st.tuples(ATTRS, st.booleans()), max_size=2) | JSON,
    after=st.none() | st.lists(VALUES, max_size=4),
    limit=st.none() | st.integers(-1, 2**63 - 1),
    eager=st.lists(st.sampled_from(["segments", "segments.analogsignals", "x", "metadata", ""]), max_size=2) | JSON,
    at=st.none() | st.integers(-(2**63), 2**63 - 1),
)
def test_any_query_is_answered_or_refused(ann, kind, where, order, after, limit, eager, at):
    message = {"kind": kind, "where": where, "order": order, "after": after, "limit": limit, "eager": eager, "at": at}
    for path in ("select", "count"):
        answer = ann.post(f"{PREFIX}/{path}", content=orjson.dumps(message))
        if answer.status_code != 200:
            refused(answer, 400, 422)


def test_a_collection_of_a_kind_that_there_is_not_is_refused(ann):
    where = ["any", [], "segments", ["is", ["name"], "eq", "x"]]
    refused(ann.post(f"{PREFIX}/select", content=orjson.dumps({"kind": "x", "where": where})), 400, 422)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(message=st.dictionaries(st.sampled_from(["kind", "id", "ids", "at", "access", "channels", "groups"]), JSON))
def test_any_small_message_is_answered_or_refused(ann, message):
    for path in (*MESSAGES, "share"):
        answer = ann.post(f"{PREFIX}/{path}", content=orjson.dumps(message))
        if answer.status_code != 200:
            refused(answer, 400, 403, 404, 422)


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("block", {"name": 7}),
        ("block", {"name": "a\0b"}),
        ("block", {"name": ["x"]}),
        ("block", {"index": "7"}),
        ("block", {"index": 1.5}),
        ("block", {"index": True}),
        ("block", {"safety_level": 9}),
        ("block", {"filedatetime": "yesterday"}),
        ("block", {"id": 5}),
        ("block", {"id": "2DFA548ESC"}),
        ("block", {"annotations": "{"}),
        ("block", {"annotations": "[1]"}),
        ("block", {"annotations": "[" * 2000 + "]" * 2000}),
        ("block", {"annotations": '{"a": {"$": "nothing", "v": 1}}'}),
        ("block", {"annotations": '{"a": {"$": "np", "t": "|V1000000000", "v": 1}}'}),
        ("block", {"annotations": '{"a": {"$": "q", "v": 1.0, "u": "mV", "t": "<U500000000"}}'}),
        ("block", {"annotations": '{"a": {"$": "np", "t": "|S9", "v": 1000000000}}'}),
        ("block", {"annotations": '{"a": {"$": "array", "t": "|O", "s": [1], "b": "AAAAAAAAAAA="}}'}),
        ("block", {"annotations": '{"a": {"$": "array", "t": "<f8", "s": [99999999999], "b": ""}}'}),
        ("block", {"annotations": '{"a": {"$": "timedelta", "v": [999999999999, 0, 0]}}'}),
        ("section", {"is_template": "yes"}),
        ("section", {"tree_position": 2**62, "section_id": 7}),
        ("document", {"date": "2014-02-30"}),
        ("event", {"time": 1.0, "time_unit": "mV", "time_si": 1.0}),
        ("event", {"time": 1.0, "time_unit": "9**9**9", "time_si": 1.0}),
        ("event", {"time": None, "time_unit": "ms", "time_si": None}),
        ("event", {"time": "1", "time_unit": "ms", "time_si": None}),
        ("event", {"time": None, "time_unit": "ms <f8 9,9 AAAA", "time_si": None}),
        ("event", {"time": None, "time_unit": "ms |O8 - AAAAAAAAAAA=", "time_si": None}),
        ("analogsignal", {"sampling_rate": 0.0, "sampling_rate_unit": "Hz", "sampling_rate_si": 0.0}),
        ("analogsignal", {"signal_hash": "00" * 32, "signal_type": "<f8 3"}),
        ("analogsignal", {"signal_hash": "00" * 31, "signal_type": "<f8 3 mV"}),
        ("analogsignal", {"signal_hash": "00" * 32, "signal_type": "|O8 3 mV"}),
        ("analogsignal", {"signal_hash": "00" * 32, "signal_type": "<f8 " + "9" * 15 + "," + "9" * 15 + " mV"}),
        ("analogsignal", {"signal_hash": 7, "signal_type": None}),
        ("analogsignal", {"gain": '"x"'}),
    ],
)  # fmt: skip
def test_a_hostile_value_is_refused_and_nothing_written(ann, store, kind, columns):
    body = refused(ann.post(f"{PREFIX}/changes", content=creating(kind, **columns)), 400, 422)
    assert len(body["detail"]) < 2000
    assert store.count(Select(kind), "ann") == 0


@pytest.mark.parametrize(
    "members",
    [
        {"id": "x" * 65},
        {"id": "../x"},
        {"message": "a\0b"},
        {"message": "x" * 70_000},
        {"creates": {"blok": []}},
        {"creates": {"block": [[1]]}},
        {"creates": {"block": {}}},
        {"updates": [["block", 2**49, 1]]},
        {"updates": [["block", 2**49, 1, {"nam": "x"}]]},
        {"updates": [["event", 2**49, 1, {"time": 1.0}]]},
        {"updates": [["analogsignal", 2**49, 1, {"signal_hash": "xx", "signal_type": "<f8 3 mV"}]]},
        {"deletes": [["block", 2**49, 1, {"state": 5}]]},
        {"links": [[1, 2, True]]},
        {"links": [[2**49, 2**49, 1]]},
        {"arrays": [["00" * 32, 5]]},
        {"arrays": [["00" * 32, -1]]},
        {"seen": {"x": 1}},
        {"seen": {"00" * 32: ["block", 1]}},
    ],
)  # fmt: skip
def test_a_change_set_of_a_wrong_form_is_refused(ann, members):
    refused(ann.post(f"{PREFIX}/changes", content=change_set(**members)), 400, 422)


def test_what_a_client_derived_is_derived_again(ann, store):
    body = creating("event", time=5.0, time_unit="ms", time_si=77.0)
    assert ann.post(f"{PREFIX}/changes", content=body).status_code == 200
    message = {"kind": "event", "where": ["is", [["time"], [], None], "eq", {"$": "measure", "v": 0.005, "u": "s"}]}
    assert ann.post(f"{PREFIX}/count", content=orjson.dumps(message)).json() == {"count": 1}


def test_a_message_that_is_too_long_is_refused_before_it_is_read(ann):
    headers = {"Content-Length": str(2**40)}
    refused(ann.post(f"{PREFIX}/changes", content=b"", headers=headers), 413)
