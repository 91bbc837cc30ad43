"""Metadata and sources of NIX files, as dictionaries for annotations."""

from __future__ import annotations

from typing import Any

import numpy as np


def source_as_dictionary(source: Any) -> dict[str, Any]:
    """Give what a file says about a source, and the sources below it."""
    said: dict[str, Any] = {"type": str(source.type)}
    if source.definition:
        said["definition"] = str(source.definition)
    if source.metadata is not None:
        said["metadata"] = metadata_as_dictionary(source.metadata)
    below = {str(child.name): source_as_dictionary(child) for child in source.sources}
    return {**said, **({"sources": below} if below else {})}


def metadata_as_dictionary(section: Any) -> dict[str, Any]:
    """Give the properties of a section by name, with unit and uncertainty where they have some, and what is below."""
    found: dict[str, Any] = {}
    for item in section.props:
        values = [value.item() if isinstance(value, np.generic) else value for value in item.values]
        value = values[0] if len(values) == 1 else values
        uncertainty = None if item.uncertainty is None else float(item.uncertainty)
        said = {"unit": item.unit, "uncertainty": uncertainty, "definition": item.definition}
        more = {name: text for name, text in said.items() if text is not None}
        found[str(item.name)] = {"value": value, **more} if more else value
    for child in section.sections:
        found[str(child.name)] = metadata_as_dictionary(child)
    return found
