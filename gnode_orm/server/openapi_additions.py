"""The description of what the server offers beyond API v1."""

from __future__ import annotations

from gnode_orm.core.schema import SCHEMA
from gnode_orm.server.openapi_parts import ANY, INT64, Json, answered, content, in_path, in_query, object_of, operation
from gnode_orm.wire import frames

_TAG = "additions"
_TEXT: Json = {"type": "string"}
_LIST: Json = {"type": "array"}
_MAP: Json = {"type": "object"}
_HASH: Json = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_UPLOAD: Json = {"type": "string", "pattern": "^[0-9a-f]{48}$"}
_KIND: Json = {"enum": list(SCHEMA)}
_ID: Json = {"type": "integer", **INT64, "description": "An id as a number: its ten characters read in base 32"}
_IDS: Json = {"type": "array", "items": _ID}
_AT: Json = {"type": ["integer", "null"], **INT64, "description": "The version as of which to read"}
_SHAPE: Json = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 2**40}, "maxItems": 32}
_BYTES: Json = {"type": "string", "format": "binary"}
_ANY_BYTES = "application/octet-stream"
_FRAME = "The length of a JSON text, that text, and the bytes that it names"
_QUERY: Json = object_of(
    {"kind": _KIND},
    {
        "where": {"type": ["object", "null"]},
        "order": _LIST,
        "limit": {"type": ["integer", "null"], "minimum": 0},
        "offset": {"type": "integer", "minimum": 0},
        "after": {"type": ["array", "null"], "description": "The cursor of the page before"},
        "eager": {"type": "array", "items": _TEXT, "description": "Paths of objects to read along"},
        "at": _AT,
    },
)
_NAMES: Json = {
    "type": ["integer", "null"],
    "description": "Of so many records of a kind, or more, give id and revision alone",
}
_SELECT: Json = {**_QUERY, "properties": {**_QUERY["properties"], "names": _NAMES}}
_OBJECT = object_of({"kind": _KIND, "id": _ID})
_CHANGE_ID: Json = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}

# By name: what it does, what it takes, and what its answer holds.
_MESSAGES: dict[str, tuple[str, Json, Json]] = {
    "records": ("Read records", object_of({"kind": _KIND, "ids": _IDS}, {"at": _AT}), {"rows": _LIST}),
    "select": ("Read what meets a condition, several kinds at once", _SELECT, {"rows": _LIST, "eager": _LIST}),
    "count": ("Count what meets a condition", _QUERY, {"count": {"type": "integer"}}),
    "count-by": (
        "Count by what a path of foreign keys leads to",
        object_of({"query": _QUERY, "path": {"type": "array", "items": _TEXT, "minItems": 1}}),
        {"counts": _LIST},
    ),
    "explain": ("Show how a condition would be read", _QUERY, {"steps": _LIST}),
    "links": (
        "Read pairs of channel and channel group",
        object_of({"channels": _IDS, "groups": _IDS}, {"at": _AT}),
        {"links": _LIST},
    ),
    "receipt": ("Read the receipt of a change set", object_of({"id": _CHANGE_ID}), {"receipt": {}}),
    "version": ("Tell the version that a commit made", object_of({"commit": _CHANGE_ID}), {"version": {}}),
    "preview": ("Tell what a delete would touch", _OBJECT, {"children": _MAP, "unlinked": _MAP}),
    "history": ("Read every version of an object", _OBJECT, {"versions": _LIST}),
    "access": ("Read an access list", _OBJECT, {"access": _MAP}),
    "share": (
        "Replace an access list",
        object_of({"kind": _KIND, "id": _ID, "access": {**_MAP, "additionalProperties": {"enum": ["read", "write"]}}}),
        {},
    ),
    "arrays/begin": (
        "Announce an array that comes in pieces; tells which are missing",
        object_of({"upload": _UPLOAD, "dtype": _TEXT, "shape": _SHAPE}, {"digests": {"type": ["string", "null"]}}),
        {"upload": _UPLOAD, "missing": {"type": ["array", "null"]}, "piece": {"type": "integer"}},
    ),
}


def paths(prefix: str) -> Json:
    """Describe every address of the additions."""
    described: Json = {
        f"{prefix}/": {
            "get": operation(_TAG, "Tell what there is beyond API v1", {"200": answered(ANY)}, public=True),
        }
    }
    for name, (summary, takes, gives) in _MESSAGES.items():
        answer = {"200": answered(object_of(gives))}
        described[f"{prefix}/{name}"] = {"post": operation(_TAG, summary, answer, body=content(takes))}
    return {**described, **_with_bytes(prefix), **_array_paths(prefix)}


def _with_bytes(prefix: str) -> Json:
    framed = content({**_BYTES, "description": _FRAME}, _ANY_BYTES)
    read = object_of({"items": _LIST}, {"seen": _MAP})
    bins = object_of({"hash": _HASH, "bins": {"type": "integer"}}, {"seen": _MAP})
    bytes_ = {"200": answered(_BYTES, _FRAME, frames.CONTENT_TYPE)}
    every: dict[str, tuple[str, Json, Json]] = {
        "changes": ("Write a change set, once however often it is sent", framed, {"200": answered(ANY, "Its receipt")}),
        "arrays/small": ("Store many small arrays", framed, {"200": answered(ANY)}),
        "arrays/extend": (
            "Append rows to arrays, which makes new ones of them",
            framed,
            {"200": answered(object_of({"arrays": _LIST}), "Hash, dtype and shape of each that was made")},
        ),
        "arrays/read": ("Read many slices", content(read), bytes_),
        "arrays/overview": ("Read the minimum and maximum of so many bins", content(bins), bytes_),
    }
    return {
        f"{prefix}/{name}": {"post": operation(_TAG, summary, answer, body=body)}
        for name, (summary, body, answer) in every.items()
    }


def _array_paths(prefix: str) -> Json:
    cut = [
        in_query("index", _TEXT, "Rows and columns: 0:1000,2"),
        in_query("t0", _TEXT, "From this time of a signal on: 10 s"),
        in_query("t1", _TEXT, "Up to this time: 11 s"),
        in_query("points", {"type": "integer", "minimum": 1}, "Minimum and maximum of so many stretches"),
        in_query("at", {"type": "integer", **INT64}, "The version as of which to read"),
    ]
    kept = {"200": answered(object_of({"digest": _HASH, "whole": {"type": "boolean"}}))}
    raw = answered(_BYTES, "The bytes; dtype, shape and unit stand in X-Array-...", _ANY_BYTES)
    return {
        f"{prefix}/arrays/uploads/{{upload}}/{{number}}": {
            "parameters": [in_path("upload", _UPLOAD), in_path("number", {"type": "integer", "minimum": 0})],
            "put": operation(_TAG, "Send one piece of an array", kept, body=content(_BYTES, _ANY_BYTES)),
        },
        f"{prefix}/arrays/{{kind}}/{{id}}/{{field}}": {
            "parameters": [
                in_path("kind", _KIND),
                in_path("id", {"type": "string", "pattern": "^[1-9A-V][0-9A-V]{9}$"}),
                in_path("field", {"enum": sorted({field.name for spec in SCHEMA.values() for field in spec.arrays})}),
            ],
            "get": operation(_TAG, "Read an array of an object, or part of it", {"200": raw}, parameters=cut),
        },
    }  # fmt: skip
