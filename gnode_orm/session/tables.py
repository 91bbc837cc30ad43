"""Tables of objects: pandas and HTML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import quantities as pq

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.expressions import META_FIELDS, Column, RefColumn
from gnode_orm.core.schema import FieldType
from gnode_orm.core.select import Attr
from gnode_orm.core.show import table_html
from gnode_orm.errors import QueryError, UnsupportedByStore

_SKIPPED = ("ext", "array_annotations")


@dataclass(frozen=True)
class TableColumn:
    """One column of a table: what it shows of each object, and whether a column of units stands beside it."""

    attr: Attr
    measured: bool

    @classmethod
    def of(cls, model: Any, column: Any) -> TableColumn:
        """Take over a column or foreign key of a class."""
        if isinstance(column, RefColumn) and column._start == model.kind:
            return cls(Attr(column._path), measured=False)
        if not isinstance(column, Column) or column.attr.part or column.start != model.kind:
            raise QueryError(
                f"to_dataframe({column!r}): a field or foreign key of {model.__name__} is needed", value=column
            )
        return cls(column.attr, column.spec.type is FieldType.QUANTITY)

    @property
    def name(self) -> str:
        return ".".join((*self.attr.path, *self.attr.keys))

    @property
    def parents(self) -> str:
        """The foreign keys to follow, as a path to load along."""
        return ".".join(self.attr.path[:-1])

    def cells(self, entity: Any) -> dict[str, Any]:
        """What an object shows in this column; a quantity has its unit in a second one."""
        value = self._value(entity)
        if isinstance(value, pq.Quantity) and not value.ndim:
            return {self.name: value.magnitude.tolist(), f"{self.name}_unit": value.dimensionality.string}
        return dict.fromkeys((self.name, f"{self.name}_unit")) if self.measured else {self.name: value}

    def _value(self, entity: Any) -> Any:
        *steps, name = self.attr.path
        for step in steps:
            entity = getattr(entity, step)
            if entity is None:
                return None
        if not self.attr.keys:
            return _cell(entity, name)
        value = getattr(entity, name)
        for key in self.attr.keys:
            value = value.get(key) if isinstance(value, Mapping) else None
        return value


def dataframe(model: Any, entities: Iterable[Any], columns: Sequence[TableColumn]) -> Any:
    """Build a pandas table with one row for each object, indexed by location.

    Foreign keys are locations, arrays their shape, quantities two columns: ``t_start`` and ``t_start_unit``.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise UnsupportedByStore("Tables need pandas: pip install 'gnode-orm[pandas]'") from error
    if not columns:
        names = (name for name in model.__spec__.by_name if name not in _SKIPPED)
        columns = [TableColumn.of(model, getattr(model, name)) for name in names]
    rows = {entity.location: _row(entity, columns) for entity in entities}
    headers = [name for item in columns for name in item.cells(model())] if not rows else None
    table = pd.DataFrame(list(rows.values()), columns=headers)
    table.index = pd.Index(list(rows), name="location", dtype=object)
    return table


def query_html(model: Any, query: Any) -> str:
    """Give the first rows of a query as an HTML table, with the count of all."""
    return table_html(f"{query.count()} {model.__name__}", model.kind, query.limit(10).all())


def _row(entity: Any, columns: Sequence[TableColumn]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in columns:
        row.update(column.cells(entity))
    return row


def _cell(entity: Any, name: str) -> Any:
    if name in META_FIELDS:
        return getattr(entity, name)
    if name in type(entity).__references__:
        return entity.ref(name)
    value = entity._raw(name)
    return str(value) if isinstance(value, ArrayHandle) else value
