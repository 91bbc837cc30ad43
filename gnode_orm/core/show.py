"""HTML of an entity for notebooks."""

from __future__ import annotations

from html import escape
from typing import Any


def entity_html(entity: Any) -> str:
    """Give a small table: the fields that are set, foreign keys as locations, collections with what is loaded."""
    rows = [(name, value) for name, value in entity._values().items() if not _empty(value)]
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(_cell(value))}</td></tr>" for name, value in rows)
    where = entity.location or "not stored"
    return f"<table><caption>{escape(type(entity).__name__)} ({escape(where)})</caption>{cells}</table>"


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and not value)


def _cell(value: Any) -> str:
    if hasattr(value, "__spec__"):
        return value.location or f"new {type(value).__name__}"
    text = str(value)
    return text if len(text) <= 200 else text[:197] + "..."
