"""An odml document as text in XML, JSON or YAML.

The library's own writers leave out what is false in Python (an uncertainty of 0), cut blanks and quotes off values,
and go no deeper than Python's stack; what these write, the library reads.
"""

from __future__ import annotations

import json
import re
from typing import Any
from xml.sax.saxutils import escape

from gnode_orm.convert.odml.attributes import EXT_FIELDS, FIELDS, VALUE_FIELDS
from gnode_orm.convert.odml.value_text import write_value
from gnode_orm.files.odml.value_lists import join_values

VERSION = "1.1"

_NAMES: dict[str, dict[str, str]] = {
    "document": {**FIELDS["document"], "id": EXT_FIELDS["document"]["oid"]},
    "section": {
        **FIELDS["section"],
        "id": "_id",
        "sec_cardinality": "_sec_cardinality",
        "prop_cardinality": "_prop_cardinality",
    },
    "property": {
        **FIELDS["property"],
        "id": "_id",
        "val_cardinality": "_val_cardinality",
        "type": "_dtype",
        **{name: attribute for name, attribute in VALUE_FIELDS.items() if name != "filename"},
        "value_origin": VALUE_FIELDS["filename"],
    },
}
# What XML 1.0 has no way to write, not even as a reference.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def json_text(document: Any) -> str:
    """Write a document as JSON; NaN and infinity as odML's JSON has them, without quotes."""
    return json.dumps(_tree(document), indent=1, ensure_ascii=False) + "\n"


def yaml_text(document: Any) -> str:
    """Write a document as YAML."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(_tree(document), Dumper=dumper, sort_keys=False, allow_unicode=True)
    return text


def xml_text(document: Any) -> str:
    """Write a document as XML, iteratively."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n', f'<odML version="{VERSION}">\n']
    parts += _leaves("document", document, 1)
    waiting: list[tuple[Any, int]] = [(section, 1) for section in reversed(document._sections)]
    while waiting:
        item, depth = waiting.pop()
        indent = _indent(depth)
        if isinstance(item, str):
            parts.append(f"{indent}{item}\n")
            continue
        parts.append(f"{indent}<section>\n")
        parts += _leaves("section", item, depth + 1)
        for member in item._props:
            parts += [f"{indent} <property>\n", *_leaves("property", member, depth + 2), f"{indent} </property>\n"]
        waiting.append(("</section>", depth))
        waiting.extend((section, depth + 1) for section in reversed(item._sections))
    parts.append("</odML>\n")
    return "".join(parts)


def _leaves(kind: str, native: Any, depth: int) -> list[str]:
    indent = _indent(depth)
    said = {name: getattr(native, attribute) for name, attribute in _NAMES[kind].items()}
    texts = {name: str(value) for name, value in said.items() if value is not None}
    if kind == "property" and native._values:
        texts["value"] = join_values([text or "" for _, text in _worded(native)])
    return [f"{indent}<{name}>{_escaped(text)}</{name}>\n" for name, text in texts.items()]


def _indent(depth: int) -> str:
    # No deeper than this, or the blanks of a deep tree outgrow its text.
    return " " * min(depth, 40)


def _escaped(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text), {"\r": "&#13;"})


def _tree(document: Any) -> dict[str, Any]:
    """Give the structure that JSON and YAML share."""
    root = _said("document", document)
    waiting = [(document, root)]
    while waiting:
        native, entry = waiting.pop()
        entry["sections"] = [_said("section", section) for section in native._sections]
        waiting.extend(zip(native._sections, entry["sections"], strict=True))
    return {"Document": root, "odml-version": VERSION}


def _said(kind: str, native: Any) -> dict[str, Any]:
    said = {name: getattr(native, attribute) for name, attribute in _NAMES[kind].items()}
    entry = {name: _scalar(value) for name, value in said.items() if value is not None}
    if kind == "section":
        entry["properties"] = [_said("property", member) for member in native._props]
    if kind == "property":
        entry["value"] = [text if write_value(value) != text else _scalar(value) for value, text in _worded(native)]
    return entry


def _worded(native: Any) -> list[tuple[Any, str | None]]:
    """Give the values of a property with the texts that the models have for them."""
    texts = getattr(native, "_texts", None) or map(write_value, native._values)
    return list(zip(native._values, texts, strict=True))


def _scalar(value: Any) -> Any:
    """Give what JSON and YAML can both hold; a pair such as (1, None) as a list, a tuple value as text."""
    if isinstance(value, tuple) and all(item is None or type(item) is int for item in value):
        return list(value)
    return value if type(value) in (str, int, bool, float) else write_value(value)
