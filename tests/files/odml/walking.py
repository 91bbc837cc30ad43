"""Walk a document of models."""

from __future__ import annotations

from collections.abc import Iterator

from gnode_orm.models import Document, Property, Section, Value


def sections(document: Document) -> Iterator[tuple[int, Section]]:
    """Give each section with its depth, the topmost being 1."""
    waiting: list[tuple[int, Document | Section]] = [(0, document)]
    while waiting:
        depth, above = waiting.pop()
        for section in above.sections:
            yield depth + 1, section
            waiting.append((depth + 1, section))


def properties(document: Document) -> list[Property]:
    """Give every property."""
    return [item for _, section in sections(document) for item in section.properties]


def values(document: Document) -> list[Value]:
    """Give every value."""
    return [value for item in properties(document) for value in item.values]
