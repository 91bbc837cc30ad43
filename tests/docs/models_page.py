"""Writes the page of models from the schema: ``python -m tests.docs.models_page``."""

from __future__ import annotations

import inspect

from gnode_orm.core.schema import FieldSpec, FieldType, KindSpec
from gnode_orm.models import MODELS
from tests.docs.pages import ROOT

PAGE = ROOT / "docs/reference/models.md"

HEAD = """# Models

The 18 classes, one for each kind of the G-Node data API, all importable from `gnode_orm`. They are pydantic models: a
value is checked when it is set, and text is turned into dates and quantities where it says one. The field in bold may
be given by position: `Block("cell 3")`.

Each class also has these, read-only:

| attribute | type | meaning |
| --- | --- | --- |
| `location` | `Location` | `/api/v1/<namespace>/<kind>/<id>/`, with `.namespace`, `.kind`, `.id`; `None` until stored |
| `id` | text | ten characters, unique within the kind; `None` until stored |
| `guid` | text | revision id, a new one for each version; `None` until stored |
| `owner` | text | name of the user who made the object; `None` until stored |
| `date_created`, `modified` | aware datetime | times of the first and the last commit; `None` until stored |
| `kind`, `namespace` | text | such as `"analogsignal"`, `"electrophysiology"` |
| `ext` | mapping | what neo or odML say beyond the fields below; kept by the package |

How a foreign key may be set: to an instance, a location, or text such as `"block/2DFA548ESC"`. `obj.ref("block")` gives
the location without loading the parent. Collections are views of the children's foreign keys, in the order in which
they were hung in.
"""

NAMESPACES = {
    "metadata": "Metadata, after odML.",
    "electrophysiology": "Electrophysiology, after neo.",
}
_TYPES = {
    FieldType.TEXT: "text",
    FieldType.INTEGER: "whole number",
    FieldType.BOOLEAN: "truth value",
    FieldType.DATE: "date",
    FieldType.DATETIME: "datetime",
    FieldType.JSON: "nested dictionary",
}
_DIMENSIONS = {"s": "time", "1/s": "rate", None: "any unit"}


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    namespace = None
    for model in MODELS.values():
        if model.namespace != namespace:
            namespace = model.namespace
            parts.append(f"## {namespace.capitalize()}\n\n{NAMESPACES[namespace]}\n")
        parts.append(_section(model))
    return "\n".join(parts)


def _section(model: type) -> str:
    spec: KindSpec = model.__spec__
    rows = [_field_row(model, item) for item in spec.fields if item.type is not FieldType.REF and item.name != "ext"]
    rows += [f"| `{item.name}` | foreign key | {_target(item)} |" for item in spec.refs]
    rows += [f"| `{item.name}` | collection | {_members(item)} |" for item in spec.relations]
    doc = (inspect.getdoc(model) or "").splitlines()[0]
    table = "\n".join(["| field | type | remarks |", "| --- | --- | --- |", *rows])
    return f"### {model.__name__}\n\n{doc}\n\n{table}\n"


def _field_row(model: type, item: FieldSpec) -> str:
    name = f"**`{item.name}`**" if item.name == model.__positional__ else f"`{item.name}`"
    return f"| {name} | {_type(item)} | {_remark(model, item)} |"


def _type(item: FieldSpec) -> str:
    if item.type is FieldType.QUANTITY:
        return f"quantity, {_DIMENSIONS[item.dimension]}"
    if item.type is FieldType.ARRAY:
        return "labels" if item.name == "labels" else f"array, {_DIMENSIONS[item.dimension]}"
    if item.name in ("gain", "offset"):
        return "number"
    return _TYPES[item.type]


def _remark(model: type, item: FieldSpec) -> str:
    described = model.model_fields[item.name].description or ""
    synonyms = [f"also as `{other}`" for other, name in model.__synonyms__.items() if name == item.name]
    return "; ".join(filter(None, [described.replace("*", "\\*"), *synonyms]))


def _target(item: FieldSpec) -> str:
    target = MODELS[item.target or ""].__name__
    back = f", whose collection is `{item.related}`" if item.related else ""
    return f"to [{target}](#{target.lower()}){back}"


def _members(item: object) -> str:
    name = MODELS[item.kind].__name__  # type: ignore[attr-defined]
    many = "; many-to-many" if item.many_to_many else ""  # type: ignore[attr-defined]
    return f"of [{name}](#{name.lower()}){many}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
