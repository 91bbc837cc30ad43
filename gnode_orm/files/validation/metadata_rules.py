"""Rules for what odML allows and a reader may stumble over: values, links, counts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gnode_orm.files.validation.registry import Finding, rule
from gnode_orm.files.validation.report import ERROR, WARNING

_COUNTS = {"sec_cardinality": "sections", "prop_cardinality": "properties", "val_cardinality": "values"}


@rule("property", code="value-not-of-dtype", severity=ERROR)
def _value_not_of_dtype(item: Any) -> Iterator[Finding]:
    """A value is not of its own type or of that of its property; its text is kept, and odML reads it as text."""
    from gnode_orm.convert.odml.value_text import read_value

    for value in item.values:
        # In odML 1.0 each value may have a type of its own.
        dtype = next((found for owner in (value, item) if (found := (owner.ext or {}).get("dtype"))), None)
        try:
            read_value(value.data, dtype)
        except ValueError:
            yield Finding("values", f"a value is no {dtype}", "correct the value, or the type", value.data)


@rule("property", code="number-as-text", severity=WARNING)
def _number_as_text(item: Any) -> Iterator[Finding]:
    """All values of a property of text are numbers, so that they cannot be compared as such."""
    texts = [value.data for value in item.values]
    if (item.ext or {}).get("dtype") in ("string", "text") and texts and all(map(_is_number, texts)):
        yield Finding("values", "are numbers with the type of text", "set the type to int or float", texts[0])


@rule("property", code="units-differ", severity=WARNING)
def _units_differ(item: Any) -> Iterator[Finding]:
    """Values of a property have different units, as odML 1.0 allows; odML 1.1 has one unit for all of them."""
    units = {value.unit for value in item.values}
    if len(units) > 1:
        shown = ", ".join(sorted(unit or "none" for unit in units))
        yield Finding("values", "have different units", "make a property for each unit", shown)


@rule("section", "property", code="cardinality-violated", severity=WARNING)
def _cardinality_violated(entity: Any) -> Iterator[Finding]:
    """There are fewer or more members than the section or property itself allows."""
    for name, collection in _COUNTS.items():
        low, high = (entity.ext or {}).get(name) or (None, None)
        if low is None and high is None:
            continue
        count = len(getattr(entity, collection))
        if count < (low or 0) or (high is not None and count > high):
            bounds = f"{low or 0} to {'any number' if high is None else high}"
            yield Finding(collection, f"there should be {bounds}", "add or remove some", count)


@rule("section", code="link-dangling", severity=WARNING)
def _link_dangling(section: Any) -> Iterator[Finding]:
    """A link leads to no section of the document. It is kept as text."""
    if section.link and _linked(section, section.link) is None:
        yield Finding("link", "leads to no section", "correct the path, such as /Subject/Surgery", section.link)


@rule("section", "property", code="name-with-slash", severity=WARNING)
def _name_with_slash(entity: Any) -> Iterator[Finding]:
    """A name holds a slash, which paths to sections and properties take for a step."""
    if entity.name and "/" in entity.name:
        yield Finding("name", "holds a slash", "rename it, so that links can lead to it", entity.name)


def _is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True


def _linked(section: Any, link: str) -> Any:
    here = section
    if link.startswith("/"):
        while here is not None and here.kind == "section":
            here = here.section or here.document
    elif not link.startswith("."):
        here = section.section or section.document
    for step in filter(None, link.split("/")):
        if here is None:
            return None
        if step == "..":
            here = getattr(here, "section", None) or getattr(here, "document", None)
        elif step != ".":
            here = next((child for child in here.sections if child.name == step), None)
    return here
