"""Rules that say what an object lacks of what a template asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gnode_orm.files.validation.registry import Finding, Rule
from gnode_orm.files.validation.report import ERROR, WARNING

LEVELS = {"required": ("required-missing", ERROR), "recommended": ("recommended-missing", WARNING)}
ANNOTATIONS = "annotations."
METADATA = "metadata/"


def _remedy(entity: Any, item: str) -> str:
    """Say where it may be given: an import makes annotations of blocks, and properties for an odML template."""
    if "/" in item:
        return "set metadata to a section that has it; an odML template makes one for each block"
    if entity.kind == "block" and item.startswith(ANNOTATIONS):
        return "give it with metadata=, or in the object itself"
    return "set it in the object"


def missing_rule(level: str, item: str) -> Rule:
    """Make the rule that asks for one field, annotation or property of the metadata."""
    code, severity = LEVELS[level]

    def check(entity: Any) -> Iterator[Finding]:
        if not _present(entity, item):
            field = item if item.isidentifier() else item.partition(".")[0].partition("/")[0]
            yield Finding(
                field if field in type(entity).__spec__.by_name else None,
                f"the template asks for {item}",
                _remedy(entity, item),
            )

    return Rule(code, severity, check)


def _present(entity: Any, item: str) -> bool:
    if item.startswith(ANNOTATIONS):
        return not is_empty((entity.annotations or {}).get(item.removeprefix(ANNOTATIONS)))
    if "/" not in item:
        return not is_empty(getattr(entity, item))
    root = entity
    if item.startswith(METADATA) and "metadata" in type(entity).__references__:
        root, item = entity.metadata, item.removeprefix(METADATA)
    if root is None:
        return False
    *sections, name = item.split("/")
    for step in sections:
        root = next((section for section in root.sections if section.name == step), None)
        if root is None:
            return False
    return any(found.name == name and has_values(found) for found in getattr(root, "properties", ()))


def has_values(item: Any) -> bool:
    """Whether a property of odML has a value."""
    return any(not is_empty(value.data) for value in item.values)


def is_empty(value: Any) -> bool:
    """Whether a value says nothing."""
    return value is None or (isinstance(value, str | list | tuple) and not value)
