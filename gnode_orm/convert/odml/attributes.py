"""Which field of a model is which attribute of an odml object, and how values that are not text stay exact.

odml takes any type for most attributes (a version may be the number 1.0, an uncertainty ``"0.25"`` or ``0.25``), while
a field holds text. The exact value then stands in ``ext["exact"]`` and counts as long as the field still says the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from gnode_orm.convert.odml.value_text import same, write_value

EXT_VERSION = 1

FIELDS: dict[str, dict[str, str]] = {
    "document": {"author": "_author", "date": "_date", "version": "_version", "repository": "_repository"},
    "section": {
        "name": "_name",
        "type": "type",
        "definition": "_definition",
        "reference": "_reference",
        "link": "_link",
        "include": "_include",
        "repository": "_repository",
    },
    "property": {
        "name": "_name",
        "definition": "_definition",
        "dependency": "_dependency",
        "dependencyvalue": "_dependency_value",
    },
}
"""Field of a model -> attribute of an odml object. The private ones, since setters merge sections and ask servers."""

EXT_FIELDS: dict[str, dict[str, str]] = {
    "document": {"oid": "_id", "origin_file_name": "_origin_file_name"},
    "section": {"oid": "_id", "sec_cardinality": "_sec_cardinality", "prop_cardinality": "_prop_cardinality"},
    "property": {"oid": "_id", "val_cardinality": "_val_cardinality"},
}
"""Key of ``ext`` -> attribute of an odml object, for what no field can hold."""

VALUE_FIELDS: dict[str, str] = {
    "unit": "_unit",
    "uncertainty": "_uncertainty",
    "reference": "_reference",
    "filename": "_value_origin",
}
"""Field of each ``Value`` -> attribute of the odml property that holds them all."""


def plain(field: str, value: Any) -> Any:
    """Give what a field can hold of an attribute."""
    if field == "date":
        return value if type(value) is dt.date else None
    return write_value(value)


def stated(field: str, held: Any, ext: Mapping[str, Any]) -> Any:
    """Give what a field says of an attribute: the exact value, unless the field was edited since."""
    exact = ext.get("exact", {})
    if field in exact and same(plain(field, exact[field]), held):
        return exact[field]
    return held


def with_exact(ext: dict[str, Any], field: str, value: Any) -> None:
    """Note a value that its field cannot hold exactly, or forget the one noted before."""
    exact = dict(ext.get("exact", {}))
    exact.pop(field, None)
    if not same(plain(field, value), value):
        exact[field] = value
    ext.pop("exact", None)
    if exact:
        ext["exact"] = exact
