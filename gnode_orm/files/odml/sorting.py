"""Sort what stands in an element into what it says and what stands below it; report what odML does not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gnode_orm.convert.odml.value_text import write_value
from gnode_orm.core.shortened import brief
from gnode_orm.files.odml.elements import Element

_SAYS = {
    "odml": {"author", "date", "version", "repository", "id"},
    "section": {
        *("name", "type", "definition", "reference", "link", "include", "repository", "mapping"),
        *("id", "sec_cardinality", "prop_cardinality"),
    },
    "property": {
        *("name", "definition", "mapping", "dependency", "dependencyvalue", "id", "val_cardinality"),
        *("type", "unit", "uncertainty", "reference", "value_origin"),
    },
    "value": {"value", "type", "unit", "uncertainty", "reference", "definition", "filename", "encoder", "checksum"},
}
_BELOW = {"odml": {"section"}, "section": {"section", "property"}, "property": {"value"}, "value": set[str]()}


@dataclass
class Sorted:
    """``says`` by tag, as the file has it; ``below`` in the order of the file."""

    says: dict[str, Any]
    below: list[Element]

    def take(self, tag: str) -> Any:
        """Take one thing out of ``says``."""
        return self.says.pop(tag, None)


def sort_members(element: Element, warnings: list[str]) -> Sorted:
    """Sort the members of an element, and warn of what is left out."""
    found = Sorted({}, [])
    for name, text in element.attributes.items():
        warnings.append(f"{element.place}: the attribute {name}={text!r} is not odML and was left out")
    if element.content is not None and element.tag != "value":
        warnings.append(
            f"{element.place}: {brief(element.content, 120)} in <{element.tag}> is not odML and was left out"
        )
    for member in element.members:
        if member.tag in _BELOW[element.tag]:
            found.below.append(member)
        elif member.tag not in _SAYS[element.tag]:
            _warn(member, f"<{member.tag}> in <{element.tag}> is not odML", warnings)
        elif (isinstance(member.content, list) and not _is_pair(member)) or _only_members(member):
            _warn(member, f"<{member.tag}> in <{element.tag}> should hold text", warnings)
        elif member.content is not None:
            if member.members or member.attributes:
                warnings.append(f"{member.place}: <{member.tag}> has markup; its text was kept, the markup left out")
            if member.tag in found.says:
                first = brief(found.says[member.tag], 120)
                warnings.append(f"{member.place}: <{member.tag}> is given twice; the first, {first}, was left out")
            found.says[member.tag] = member.content
    return found


def text_of(value: Any) -> str | None:
    """Give something said as text."""
    return write_value(value)


def _is_pair(member: Element) -> bool:
    """Whether a list is the two numbers of a cardinality."""
    return member.tag.endswith("_cardinality")


def _only_members(member: Element) -> bool:
    return member.content is None and bool(member.members)


def _warn(member: Element, why: str, warnings: list[str]) -> None:
    content = f" ({brief(member.content, 120)})" if member.content is not None else ""
    warnings.append(f"{member.place}: {why} and was left out{content}")
