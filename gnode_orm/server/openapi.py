"""The OpenAPI 3.1 description, made from the schema of the models."""

from __future__ import annotations

from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType
from gnode_orm.location import NAMESPACES
from gnode_orm.models import MODELS
from gnode_orm.server import openapi_additions
from gnode_orm.server.additions import PREFIX
from gnode_orm.server.filters import LOOKUPS
from gnode_orm.server.openapi_parts import ANY, INT64, Json, answered, content, in_path, in_query, operation
from gnode_orm.server.paging import DEFAULT_LIMIT, MAX_LIMIT
from gnode_orm.wire.kinds import WireKind, wire_kind

_ID: Json = {"type": "string", "pattern": "^[1-9A-V][0-9A-V]{9}$"}


def document(version: str) -> Json:
    """Describe the whole server."""
    paths: Json = {}
    for kind in SCHEMA:
        paths.update(_kind_paths(wire_kind(kind)))
    paths.update(_other_paths())
    paths.update(openapi_additions.paths(PREFIX))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "G-Node REST API v1",
            "version": version,
            "description": "Electrophysiology recordings and their metadata. Log in at /account/authenticate/ and send "
            "the cookie, or send a token as Authorization: Bearer.",
        },
        "paths": paths,
        "components": {"schemas": _schemas(), "responses": {"Problem": _problem()}, "securitySchemes": _SECURITY},
        "security": [{"cookie": []}, {"bearer": []}],
        "tags": [{"name": kind, "description": (MODELS[kind].__doc__ or "").split("\n")[0]} for kind in SCHEMA],
    }


_SECURITY: Json = {
    "cookie": {"type": "apiKey", "in": "cookie", "name": "sessionid"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


def _problem() -> Json:
    return {
        "description": "An error, as problem details",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _schemas() -> Json:
    schemas: Json = {"Problem": _PROBLEM, "Meta": _META, "User": _USER, "Access": _ACCESS}
    for kind in SCHEMA:
        wire = wire_kind(kind)
        schemas[wire.spec.class_name] = _shown_schema(wire)
        schemas[f"{wire.spec.class_name}Input"] = _input_schema(wire)
    return schemas


_PROBLEM: Json = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "error", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "error": {"description": "What old clients print"},
        "request_id": {"type": "string"},
    },
}
_META: Json = {
    "type": "object",
    "required": ["limit", "offset", "next", "previous", "total_count"],
    "properties": {
        "limit": {"type": "integer"},
        "offset": {"type": "integer"},
        "total_count": {"type": "integer"},
        "next": {"type": ["string", "null"]},
        "previous": {"type": ["string", "null"]},
    },
}
_USER: Json = {
    "type": "object",
    "required": ["username", "id", "resource_uri", "first_name", "last_name"],
    "properties": {
        "id": {"type": "integer"},
        **{name: {"type": "string"} for name in ("username", "resource_uri", "first_name", "last_name")},
    },
}
_ACCESS: Json = {
    "type": "object",
    "required": ["user", "access_level"],
    "properties": {"user": {"type": "string"}, "access_level": {"enum": [1, 2], "description": "1 read, 2 write"}},
}
_SHOWN_TYPES: dict[FieldType, Json] = {
    FieldType.TEXT: {"type": ["string", "null"]},
    FieldType.INTEGER: {"type": ["integer", "null"]},
    FieldType.BOOLEAN: {"type": ["boolean", "null"]},
    FieldType.DATE: {"type": ["string", "null"]},
    FieldType.DATETIME: {"type": ["string", "null"], "description": "UTC, without saying so"},
}
_INPUT_TYPES: dict[FieldType, Json] = {
    FieldType.TEXT: {"type": ["string", "null"], "pattern": "^[^\\x00\\ud800-\\udfff]*$"},
    FieldType.INTEGER: {"type": ["integer", "null"], **INT64},
    FieldType.BOOLEAN: {"type": ["boolean", "null"]},
    FieldType.DATE: {"type": ["string", "null"], "format": "date"},
    FieldType.DATETIME: {"type": ["string", "null"], "format": "date-time"},
}


def _shown_schema(wire: WireKind) -> Json:
    text, address = {"type": "string"}, {"type": ["string", "null"], "description": "URL"}
    meta = ("id", "local_id", "guid", "location", "resource_uri", "date_created", "owner")
    properties: Json = dict.fromkeys(meta, text)
    properties["safety_level"] = {"type": "integer"}
    properties.update({item.name: _SHOWN_TYPES[item.type] for item in wire.plain})
    properties.update({item.name: {"type": ["number", "null"]} for item in wire.quantities})
    properties.update({item.name: {"type": "string", "description": "URL of an HDF5 file"} for item in wire.arrays})
    properties.update({f"{item.name}__unit": {"type": ["string", "null"]} for item in _with_units(wire)})
    properties.update({item.name: address for item in wire.refs})
    properties.update({key: {"type": "array", "items": text} for key in _lists(wire)})
    if wire.arrays:
        properties["data_size"] = {"type": ["integer", "null"]}
    return {"type": "object", "required": sorted(properties), "properties": properties}


def _input_schema(wire: WireKind) -> Json:
    properties: Json = {item.name: _INPUT_TYPES[item.type] for item in wire.plain}
    if wire.is_root:
        properties["safety_level"] = {"enum": [1, 2, 3]}
    properties.update({item.name: {"type": ["number", "null"]} for item in wire.quantities})
    for item in _with_units(wire):
        properties[f"{item.name}__unit"] = {"type": ["string", "null"], "description": "For instance ms, kHz, uV"}
    for item in wire.refs:
        properties[item.name] = {"type": ["string", "null"], "description": f"Id, path or URL of a {item.target}"}
    if wire.spec.kind == "recordingchannel":
        properties["recordingchannelgroup"] = {"type": "array", "items": {"type": "string"}}
    return {"type": "object", "properties": properties}


def _with_units(wire: WireKind) -> list[FieldSpec]:
    return [item for item in (*wire.quantities, *wire.arrays) if item.name != "labels"]


def _lists(wire: WireKind) -> list[str]:
    return [*wire.sets, *(["recordingchannelgroup"] if wire.spec.kind == "recordingchannel" else [])]


def _kind_paths(wire: WireKind) -> Json:
    name, tag = wire.spec.class_name, wire.spec.kind
    one, many = answered({"$ref": f"#/components/schemas/{name}"}, "The object"), _list_schema(name)
    body = content({"$ref": f"#/components/schemas/{name}Input"})
    bodies = content(_paged("selected", f"{name}Input", paged=False))
    several, written = _list_schema(name, paged=False), answered(_paged("objects", name, paged=False), "Objects")
    detail = f"{wire.path}{{id}}/"
    hidden: Json = {"204": {"description": "Written, and now out of the sender's sight"}}
    paths: Json = {
        wire.path: {
            "get": operation(tag, f"List {tag} objects", {"200": many}, parameters=_list_parameters(wire)),
            "post": operation(tag, f"Make a {tag}", {"201": one}, body=body),
            "put": operation(tag, f"Make several {tag} objects, all or none", {"200": several}, body=bodies),
            "patch": operation(
                tag, f"Change or make several {tag} objects, all or none", {"202": written}, body=bodies
            ),
        },
        detail: {
            "parameters": [in_path("id", _ID)],
            "get": operation(tag, f"Read a {tag}", {"200": one, "304": {"description": "Unchanged"}}),
            "put": operation(tag, f"Change a {tag}; what is left out stays", {"200": one, **hidden}, body=body),
            "patch": operation(tag, f"Change a {tag}; what is left out stays", {"202": one, **hidden}, body=body),
            "delete": operation(tag, f"Delete a {tag} and what is below it", {"204": {"description": "Deleted"}}),
        },
        f"{wire.path}set/{{ids}}/": {
            "parameters": [
                in_path("ids", {"type": "string", "pattern": r"^[1-9A-V][0-9A-V]{9}(;[1-9A-V][0-9A-V]{9})*$"})
            ],
            "get": operation(tag, f"Read several {tag} objects", {"200": _list_schema(name, paged=False)}),
        },
        f"{wire.path}schema/": {"get": operation(tag, f"Describe the fields of a {tag}", {"200": answered(ANY)})},
    }
    for item in wire.arrays:
        paths[f"{detail}{item.name}/"] = _file_path(tag, item)
    if wire.is_root:
        paths[f"{detail}acl/"] = _access_path(tag)
    return paths


def _file_path(tag: str, item: FieldSpec) -> Json:
    file = {"description": "HDF5 with one dataset", "content": {"application/x-hdf": {"schema": {}}}}
    form = {"type": "object", "properties": {"raw_file": {"type": "string", "format": "binary"}}}
    return {
        "parameters": [in_path("id", _ID)],
        "get": operation(tag, f"Read {item.name}", {"200": file, "204": {"description": "No data"}}),
        "post": operation(
            tag,
            f"Store {item.name}: the first dataset of an HDF5 file",
            {"202": {"description": "Stored", "content": {"text/html": {"schema": {"type": "string"}}}},
             "204": {"description": "No file was sent"}},
            body=content(form, "multipart/form-data"),
        ),
    }  # fmt: skip


def _access_path(tag: str) -> Json:
    listed = {"type": "array", "items": {"$ref": "#/components/schemas/Access"}}
    answer = {"200": answered(listed, "The access list")}
    return {
        "parameters": [in_path("id", _ID)],
        "get": operation(tag, f"Read the access list of a {tag}", answer),
        "put": operation(tag, f"Replace the access list of a {tag}", answer, body=content(listed)),
    }


def _other_paths() -> Json:
    credentials = {
        "type": "object",
        "required": ["username", "password"],
        "properties": {"username": {"type": "string"}, "password": {"type": "string"}},
    }
    form = content(credentials, "application/x-www-form-urlencoded")
    page = {"200": answered({"type": "string"}, "A page", "text/html")}
    one, something = answered({"$ref": "#/components/schemas/User"}, "A user"), {"200": answered(ANY)}
    delta = {"type": "object", "properties": {"raw_file": {"type": "string", "format": "binary"}}}
    many = answered(_paged("objects", "User"), "Users")
    return {
        "/api/v1/in_bulk/": {
            "post": operation(
                "in bulk", "Write an HDF5 delta, all of it or nothing",
                {"200": answered(ANY), "204": {"description": "Written, and its top object out of sight"}},
                body=content(delta, "multipart/form-data"),
            )
        },
        "/api/v1/user/user/": {"get": operation("user", "List users", {"200": many}, parameters=_paging())},
        "/api/v1/user/user/schema/": {"get": operation("user", "Describe the fields of a user", something)},
        "/api/v1/user/user/{name}/": {
            "parameters": [in_path("name", {"type": "string", "pattern": r"^[A-Za-z0-9_.@+-]+$"})],
            "get": operation("user", "Read a user", {"200": one}),
        },
        "/account/authenticate/": {
            "post": operation("account", "Log in; the answer sets a cookie", {"202": {"description": "Logged in"}},
                               body=form, public=True)
        },
        "/account/token/": {
            "post": operation("account", "Make a bearer token", {"201": answered(ANY)}, body=form, public=True),
            "delete": operation("account", "End the bearer token of this request", {"204": {"description": "Ended"}}),
        },
        "/account/login/": {"get": operation("account", "Show the form to log in", page, public=True)},
        "/account/logout/": {
            "get": operation("account", "Log out", {"302": {"description": "Logged out"}}, public=True),
        },
        "/api/": {"get": operation("account", "Show this description to people", page, public=True)},
        "/api/openapi.json": {"get": operation("account", "This description", something, public=True)},
        "/api/v1/{namespace}/": {
            "parameters": [in_path("namespace", {"enum": [*sorted(set(NAMESPACES.values())), "user"]})],
            "get": operation("account", "List the kinds of a namespace", something, public=True),
        },
        "/healthz": {"get": operation("account", "Tell whether the lab can be read", something, public=True)},
    }  # fmt: skip


def _list_parameters(wire: WireKind) -> list[Json]:
    order = in_query("order_by", {"type": "string"}, "Fields separated by commas, - in front for falling order")
    text = (
        "Any of the fields, followed by further fields behind foreign keys and a lookup, joined by two underscores: "
        f"name__icontains=x, segment__block__name=y. Lookups: {', '.join(LOOKUPS)}."
    )
    first = (*wire.plain, *wire.quantities)[0].name
    by_field = in_query(f"{first}__isnull", {"type": "boolean"}, text)
    return [*_paging(), order, by_field]


def _paging() -> list[Json]:
    return [
        in_query("limit", {"type": "integer", "minimum": 0, "default": DEFAULT_LIMIT}, f"At most {MAX_LIMIT}"),
        in_query("offset", {"type": "integer", "minimum": 0, "maximum": 2**53, "default": 0}, "How many to leave out"),
    ]


def _list_schema(name: str, paged: bool = True) -> Json:
    return answered(_paged("selected", name, paged), "Objects")


def _paged(key: str, name: str, paged: bool = True) -> Json:
    properties: Json = {key: {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}}
    if paged:
        properties["meta"] = {"$ref": "#/components/schemas/Meta"}
    return {"type": "object", "required": sorted(properties), "properties": properties}
