"""The values that a property of a file has: one for each ``<value>`` in odML 1.0, a list of them in 1.1."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gnode_orm.convert.odml.value_text import write_value
from gnode_orm.files.odml.elements import Element
from gnode_orm.files.odml.sorting import sort_members, text_of
from gnode_orm.files.odml.value_lists import split_values

# Dtypes whose empty text is no value; in all others it is a text of length 0.
_NEVER_EMPTY = frozenset({"int", "float", "boolean", "bool", "date", "time", "datetime"})


@dataclass
class Draft:
    """One value: its text, its dtype where the value itself names one, and its other fields."""

    text: str | None
    element: Element
    dtype: str | None = None
    fields: dict[str, str | None] = field(default_factory=dict)


def value_drafts(element: Element, version: str, dtype: str | None, warnings: list[str]) -> list[Draft]:
    """Give the values that one ``value`` element holds."""
    if element.members:
        return [_structured(element, warnings)]
    sort_members(element, warnings)
    content = element.content
    if isinstance(content, list):
        return [Draft(_text(item, dtype), element) for item in content]
    if version == "1.0":
        return [Draft(_stripped(content), element)]
    listed = split_values(content) if isinstance(content, str) else [] if content is None else [content]
    return [Draft(_text(item, dtype), element) for item in listed]


def _structured(element: Element, warnings: list[str]) -> Draft:
    """Read a value of odML 1.0, which has its unit and so on inside."""
    said = sort_members(element, warnings)
    text, dtype = said.take("value"), said.take("type")
    fields = {name: text_of(item) for name, item in said.says.items()}
    return Draft(_stripped(element.content if text is None else text), element, text_of(dtype), fields)


def _stripped(content: Any) -> str | None:
    """Take off the layout around a value of odML 1.0, whose unit and so on stand beside the text."""
    text = text_of(content)
    return None if text is None else text.strip() or None


def _text(item: Any, dtype: str | None) -> str | None:
    if isinstance(item, bool) and dtype not in ("boolean", "bool", None):
        return str(item)  # as odml reads it
    if item == "" and dtype in _NEVER_EMPTY:
        return None
    return write_value(item)
