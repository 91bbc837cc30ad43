"""What descriptions of addresses are made of."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

INT64: Json = {"minimum": -(2**63), "maximum": 2**63 - 1}
ANY: Json = {"type": "object"}


def operation(
    tag: str, summary: str, answers: Json, *, body: Json | None = None, parameters: list[Json] | None = None,
    public: bool = False,
) -> Json:  # fmt: skip
    """Describe one method of an address; whatever else it answers is a problem."""
    described: Json = {
        "tags": [tag],
        "summary": summary,
        "responses": {**answers, "default": {"$ref": "#/components/responses/Problem"}},
    }
    if body is not None:
        described["requestBody"] = {"required": True, **body}
    if parameters:
        described["parameters"] = parameters
    if public:
        described["security"] = []
    return described


def content(schema: Json, media_type: str = "application/json") -> Json:
    """What a body holds."""
    return {"content": {media_type: {"schema": schema}}}


def answered(schema: Json, description: str = "JSON", media_type: str = "application/json") -> Json:
    """An answer with a body."""
    return {"description": description, **content(schema, media_type)}


def in_query(name: str, schema: Json, description: str) -> Json:
    """A parameter that may be left out."""
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def in_path(name: str, schema: Json) -> Json:
    """A part of the address."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


def object_of(required: Json, optional: Json | None = None) -> Json:
    """An object with some members."""
    return {"type": "object", "required": sorted(required), "properties": {**required, **(optional or {})}}
