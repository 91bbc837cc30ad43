"""How an entity is shown: one line, and HTML for notebooks. Neither loads anything, nor follows a cycle."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.shortened import shortened
from gnode_orm.location import Location

# Documents and long texts, for which one line has no room.
_NOT_IN_LINE = frozenset(
    {"annotations", "array_annotations", "ext", "description", "definition", "file_origin", "safety_level"}
)
_NOT_IN_TABLE = frozenset({"annotations", "array_annotations", "ext"})
_FIELDS_IN_LINE = 6


def one_line(entity: Any) -> str:
    """Give class, the first fields that are set, and the address of a stored object."""
    shown = ["<not loaded>"] if entity._expired else [f"{name}={word}" for name, word in shown_fields(entity)]
    location = entity.location
    if location is not None:
        shown.append(f"at {location.kind}/{location.id}")
    return f"{type(entity).__name__}({', '.join(shown)})"


def shown_fields(entity: Any) -> list[tuple[str, str]]:
    """Give the first fields that are set, each in a few words; none of an object that would have to be read again."""
    if entity._expired:
        return []
    names = (name for name in type(entity).__spec__.by_name if name not in _NOT_IN_LINE)
    values = [(name, value) for name in names if (value := entity._raw(name)) is not None]
    return [(name, shortened(_word(value), 60)) for name, value in values[:_FIELDS_IN_LINE]]


def entity_html(entity: Any) -> str:
    """Give a small table: the fields that are set, foreign keys as locations, and collections in memory."""
    from html import escape  # for notebooks alone

    values = {} if entity._expired else entity._values()
    rows = [(name, _cell(value)) for name, value in values.items() if not _empty(value)]
    rows += [(name, f"{len(members)} loaded") for name, members in _loaded(entity)]
    cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(cell)}</td></tr>" for name, cell in rows)
    where = entity.location or "not stored"
    return f"<table><caption>{escape(type(entity).__name__)} ({escape(where)})</caption>{cells}</table>"


def table_html(caption: str, kind: str, entities: Iterable[Any]) -> str:
    """Give objects of one kind as a table: their locations and first fields."""
    from html import escape  # for notebooks alone

    names = [name for name in SCHEMA[kind].by_name if name not in _NOT_IN_TABLE][:_FIELDS_IN_LINE]
    head = "".join(f"<th>{escape(name)}</th>" for name in ("location", *names))
    rows = ((entity.location, *(_raw_cell(entity, name) for name in names)) for entity in entities)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><tr>{head}</tr>{body}</table>"


def _raw_cell(entity: Any, name: str) -> Any:
    return entity.ref(name) if name in type(entity).__references__ else entity._raw(name)


def _loaded(entity: Any) -> list[tuple[str, list[Any]]]:
    found = [(name, collection.known()) for name, collection in (entity._collections or {}).items()]
    return [(name, members) for name, members in found if members]


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and not value)


def _word(value: Any) -> str:
    if hasattr(value, "__spec__"):
        location = value.location
        return f"<{location.kind}/{location.id}>" if location else f"<new {type(value).__name__}>"
    if isinstance(value, Location):
        return f"<{value.kind}/{value.id}>"
    # A quantity of several values is printed over several lines.
    return repr(value) if isinstance(value, str) else " ".join(str(value).split())


def _cell(value: Any) -> str:
    if hasattr(value, "__spec__"):
        return value.location or f"new {type(value).__name__}"
    return shortened(str(value), 200)
