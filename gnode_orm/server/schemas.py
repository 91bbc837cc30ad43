"""What API v1 says of its own fields: ``.../<kind>/schema/`` and the index of a namespace."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType
from gnode_orm.errors import NotFound
from gnode_orm.server.endpoints import Call
from gnode_orm.server.objects import json_answer, kind_of
from gnode_orm.server.paging import DEFAULT_LIMIT
from gnode_orm.wire.kinds import WireKind, shown_unit, wire_kind

_NONE = "No default provided."
_METHODS = ["get", "post", "put", "delete", "patch"]
_TYPES = {
    FieldType.TEXT: "string",
    FieldType.INTEGER: "integer",
    FieldType.BOOLEAN: "boolean",
    FieldType.DATE: "datetime",
    FieldType.DATETIME: "datetime",
    FieldType.QUANTITY: "float",
    FieldType.ARRAY: "string",
}
_DEFAULTS: dict[str, Any] = {"tree_position": 0, "is_template": False}
_PLAIN, _RELATED = 1, 2


def kind_schema(call: Call) -> Response:
    """Describe the fields of a kind."""
    wire = wire_kind(kind_of(call))
    fields = {**_meta_fields(), **_own_fields(wire), **_related_fields(wire)}
    return json_answer(_described(fields, _filtering(wire)))


def user_schema(call: Call) -> Response:
    """Describe the fields of a user."""
    names = {name: _field("string", default="") for name in ("first_name", "last_name")}
    fields = {
        **names,
        "id": _field("integer", unique=True),
        "resource_uri": _field("string", readonly=True),
        "username": _field("string", unique=True),
    }
    return json_answer(_described(fields, dict.fromkeys(("first_name", "last_name", "username"), _PLAIN)))


def namespace_index(call: Call) -> Response:
    """List the kinds of a namespace."""
    namespace = call.params["namespace"]
    paths = {kind: wire_kind(kind).path for kind, spec in SCHEMA.items() if spec.namespace == namespace}
    if namespace == "user":
        paths = {"user": "/api/v1/user/user/"}
    if not paths:
        raise NotFound(f"There is no namespace {namespace!r}")
    return json_answer({kind: {"list_endpoint": path, "schema": f"{path}schema/"} for kind, path in paths.items()})


def _described(fields: dict[str, Any], filtering: dict[str, int]) -> dict[str, Any]:
    return {
        "allowed_detail_http_methods": _METHODS,
        "allowed_list_http_methods": _METHODS,
        "default_format": "application/json",
        "default_limit": DEFAULT_LIMIT,
        "fields": fields,
        "filtering": filtering,
    }


def _field(
    type_: str, *, default: Any = _NONE, nullable: bool = False, readonly: bool = False, unique: bool = False,
    help_text: str = "", related: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    described = {
        "blank": nullable or default != _NONE,
        "default": default,
        "help_text": help_text,
        "nullable": nullable,
        "readonly": readonly,
        "type": type_,
        "unique": unique,
    }
    return described if related is None else {**described, "related_type": related}


def _meta_fields() -> dict[str, Any]:
    return {
        "id": _field("string", readonly=True, help_text="Ten characters, unique within the kind"),
        "local_id": _field("string", readonly=True, unique=True),
        "guid": _field("string", readonly=True, help_text="A new one for every version"),
        "resource_uri": _field("string", readonly=True),
        "date_created": _field("datetime", readonly=True),
        "owner": _field("related", readonly=True, related="to_one"),
        "safety_level": _field("integer", default=3, help_text="1 public, 2 friendly, 3 private"),
    }


def _own_fields(wire: WireKind) -> dict[str, Any]:
    kind = wire.spec.kind
    fields: dict[str, Any] = {}
    for item in (*wire.plain, *wire.quantities):
        fields[item.name] = _described_field(item)
    if wire.arrays:
        fields["data_size"] = _field("integer", nullable=True, readonly=True, help_text="Bytes of all arrays")
    for item in wire.arrays:
        fields[item.name] = _field("string", nullable=True, readonly=True, help_text="Address of an HDF5 file")
    for item in (*wire.quantities, *wire.arrays):
        if item.name != "labels":
            unit = shown_unit(kind, item)
            fields[f"{item.name}__unit"] = _field("string", default=unit or _NONE, nullable=unit is None)
    return fields


def _described_field(item: FieldSpec) -> dict[str, Any]:
    if item.name in _DEFAULTS:
        return _field(_TYPES[item.type], default=_DEFAULTS[item.name])
    return _field(_TYPES[item.type], nullable=True)


def _related_fields(wire: WireKind) -> dict[str, Any]:
    fields = {item.name: _field("related", nullable=True, related="to_one") for item in wire.refs}
    for key in wire.sets:
        fields[key] = _field("related", nullable=True, related="to_many")
    if wire.spec.kind == "recordingchannel":
        fields["recordingchannelgroup"] = _field("related", nullable=True, related="to_many")
    return fields


def _filtering(wire: WireKind) -> dict[str, int]:
    plain = [item.name for item in (*wire.plain, *wire.quantities, *wire.arrays)]
    names = dict.fromkeys(("id", "guid", "date_created", "safety_level", *plain), _PLAIN)
    return {**names, **dict.fromkeys(("owner", *(item.name for item in wire.refs)), _RELATED)}
