"""Tables of objects: pandas and HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.expressions import META_FIELDS
from gnode_orm.core.failures import misspelt
from gnode_orm.core.schema import FieldType
from gnode_orm.errors import UnsupportedByStore

_SKIPPED = ("ext", "array_annotations")


def dataframe(model: Any, entities: Iterable[Any], columns: Sequence[str]) -> Any:
    """Build a pandas table with one row for each object, indexed by location.

    Foreign keys are locations, arrays their shape, quantities two columns: ``t_start`` and ``t_start_unit``.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise UnsupportedByStore("Tables need pandas: pip install 'gnode-orm[pandas]'") from error
    names = list(columns) or [name for name in model.__spec__.by_name if name not in _SKIPPED]
    for name in names:
        if name not in model.__spec__.by_name and name not in META_FIELDS:
            raise misspelt(model, name)
    rows = {entity.location: _cells(entity, names) for entity in entities}
    table = pd.DataFrame(list(rows.values()), columns=None if rows else _headers(model, names))
    table.index = pd.Index(list(rows), name="location", dtype=object)
    return table


def query_html(model: Any, query: Any) -> str:
    """Give the first rows of a query as an HTML table, with the count of all."""
    names = [name for name in model.__spec__.by_name if name not in (*_SKIPPED, "annotations")][:6]
    shown = query.limit(10).all()
    head = "".join(f"<th>{escape(name)}</th>" for name in ("location", *names))
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in (item.location, *_plain(item, names))) + "</tr>"
        for item in shown
    )
    return f"<table><caption>{query.count()} {escape(model.__name__)}</caption><tr>{head}</tr>{body}</table>"


def _plain(entity: Any, names: Sequence[str]) -> list[Any]:
    return [_cell(entity, name) for name in names]


def _cells(entity: Any, names: Sequence[str]) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for name in names:
        value = _cell(entity, name)
        spec = entity.__spec__.by_name.get(name)
        if spec is not None and spec.type is FieldType.QUANTITY:
            cells[name] = None if value is None else value.magnitude.tolist()
            cells[f"{name}_unit"] = None if value is None else value.dimensionality.string
        else:
            cells[name] = value
    return cells


def _cell(entity: Any, name: str) -> Any:
    if name in META_FIELDS:
        return getattr(entity, name)
    if name in type(entity).__references__:
        return entity.ref(name)
    value = entity._raw(name)
    return str(value) if isinstance(value, ArrayHandle) else value


def _headers(model: Any, names: Sequence[str]) -> list[str]:
    headers = []
    for name in names:
        headers.append(name)
        spec = model.__spec__.by_name.get(name)
        if spec is not None and spec.type is FieldType.QUANTITY:
            headers.append(f"{name}_unit")
    return headers
