"""Queries: built step by step, run when they are iterated or asked for a result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gnode_orm.core.entity import Entity
from gnode_orm.core.expressions import Column, Condition, JsonColumn, Ordering, RefColumn, RelationColumn, column
from gnode_orm.core.schema import SCHEMA, KindSpec
from gnode_orm.core.select import Select, check_length
from gnode_orm.errors import MultipleFound, NotFound, QueryError
from gnode_orm.location import Location
from gnode_orm.session.loading import eager_paths
from gnode_orm.session.lookups import lookup

if TYPE_CHECKING:
    from gnode_orm.session.session import Session

E = TypeVar("E", bound=Entity)
_PAGE = 1000


class Query(Generic[E]):
    """A query for objects of one class. Each method gives a new query; nothing is read before a result is asked for.

    Iterating streams pages, so a long result need not fit in memory.
    """

    def __init__(self, session: Session, model: type[E], select: Select | None = None) -> None:
        self._session = session
        self._model = model
        self._select = select or Select(model.kind, at=session._at)

    def where(self, *conditions: Condition) -> Query[E]:
        """Keep objects that meet every condition, such as ``Segment.name == "a"``."""
        select = self._select
        for condition in conditions:
            select = select.narrowed(self._checked(condition).node)
        return self._with(select)

    def filter(self, **lookups: Any) -> Query[E]:
        """Keep objects by lookups: ``filter(name__icontains="x", block__name="y")``."""
        return self.where(*(lookup(self._model.__spec__, key, value) for key, value in lookups.items()))

    def order_by(self, *keys: Any) -> Query[E]:
        """Sort by columns, ``.asc()``/``.desc()`` of columns, or names (``"-name"`` falls)."""
        return self._with(replace(self._select, order=tuple(self._order(key) for key in keys)))

    def limit(self, count: int) -> Query[E]:
        """Give at most ``count`` objects."""
        return self._with(replace(self._select, limit=self._count("limit", count)))

    def offset(self, count: int) -> Query[E]:
        """Leave out the first ``count`` objects."""
        return self._with(replace(self._select, offset=self._count("offset", count)))

    def with_(self, *paths: Any) -> Query[E]:
        """Load along collections and foreign keys in the same call: ``with_("segments.analogsignals")``."""
        texts = [self._path(path) for path in paths]
        return self._with(replace(self._select, eager=eager_paths(self._model.kind, [*self._select.eager, *texts])))

    def all(self) -> list[E]:
        """Give every object."""
        return self._session._run(self._select)

    def first(self) -> E | None:
        """Give the first object, or ``None``."""
        found = self._session._run(self._at_most(1))
        return found[0] if found else None

    def one(self) -> E:
        """Give the only object.

        Raises:
            NotFound: there is none.
            MultipleFound: there are several.
        """
        found = self.one_or_none()
        if found is None:
            raise NotFound(f"No {self._model.__name__} meets the query; one was expected")
        return found

    def one_or_none(self) -> E | None:
        """Give the only object, or ``None``.

        Raises:
            MultipleFound: there are several.
        """
        found = self._session._run(self._at_most(2))
        if len(found) > 1:
            raise MultipleFound(
                f"{self.count()} objects of {self._model.__name__} meet the query, such as {found[0]!r}; "
                "one was expected"
            )
        return found[0] if found else None

    def count(self) -> int:
        """Count the objects."""
        return self._session._count(self._select)

    def count_by(self, path: Any) -> dict[Location, int]:
        """Count the objects by what foreign keys lead to: ``session.query(Event).count_by(Event.segment.block)``.

        Those that lead to nothing are left out.

        Raises:
            QueryError: the path does not lead along foreign keys.
        """
        if isinstance(path, Column | RelationColumn):
            raise QueryError(f"count_by({path!r}): a foreign key is needed, such as Segment.block", value=path)
        steps = tuple(self._path(path).split("."))
        check_length("steps", steps)
        spec: KindSpec = self._model.__spec__
        for step in steps:
            field = spec.by_name.get(step)
            if field is None or field.target is None:
                raise QueryError(f"count_by({path!r}): {step} is no foreign key of {spec.class_name}", field=step)
            spec = SCHEMA[field.target]
        counts = self._session._count_by(self._select, steps)
        return {Location.of_number(spec.kind, number): count for number, count in counts.items()}

    def exists(self) -> bool:
        """Whether there is any object."""
        return self.first() is not None

    def explain(self) -> list[str]:
        """Give the statements or requests that the query would run."""
        return self._session.store.explain(self._select, self._session.user)

    def to_dataframe(self, *columns: Any) -> Any:
        """Give all objects as a pandas table, indexed by location; a quantity has a magnitude and a unit column.

        Columns are names or columns of the class, also behind foreign keys and inside annotations:
        ``to_dataframe("name", AnalogSignal.segment.block.name, "segment.annotations.stimulus")``.

        Raises:
            QueryError: there is no such column.
            UnsupportedByStore: pandas is not installed.
        """
        from gnode_orm.session.tables import TableColumn, dataframe

        wanted = [TableColumn.of(self._model, self._column(key)) for key in columns]
        behind = [item.parents for item in wanted if item.parents]
        return dataframe(self._model, self.with_(*behind) if behind else self, wanted)

    def __iter__(self) -> Iterator[E]:
        if self._select.limit is not None and self._select.limit <= _PAGE:
            yield from self.all()
            return
        left = self._select.limit
        page = replace(self._select, limit=_PAGE)
        while True:
            if left is not None:
                page = replace(page, limit=min(_PAGE, left))
            found, cursor = self._session._page(page)
            yield from found
            left = None if left is None else left - len(found)
            if cursor is None or left == 0:
                return
            page = replace(page, after=cursor, offset=0)

    def __repr__(self) -> str:
        return f"<query for {self._model.__name__}>"

    def _repr_html_(self) -> str:
        from gnode_orm.session.tables import query_html

        return query_html(self._model, self)

    def __bool__(self) -> bool:
        raise QueryError("A query has no truth value; ask exists() or count()")

    def _at_most(self, count: int) -> Select:
        limit = self._select.limit
        return replace(self._select, limit=count if limit is None else min(count, limit))

    def _with(self, select: Select) -> Query[E]:
        return Query(self._session, self._model, select)

    def _checked(self, condition: Any) -> Condition:
        name = self._model.__name__
        if not isinstance(condition, Condition):
            raise QueryError(
                f"where({condition!r}): a condition is needed, such as {name}.name == 'a'", value=condition
            )
        if condition.kind != self._model.kind:
            raise QueryError(
                f"where(...) on {name} needs a condition on {name}, not on {condition.kind}; follow a foreign key or "
                f"use {name}.<collection>.any(...)"
            )
        return condition

    def _order(self, key: Any) -> Any:
        if isinstance(key, str):
            item = self._column(key.removeprefix("-"))
            key = item.desc() if key.startswith("-") and isinstance(item, Column) else item
        if isinstance(key, Column):
            key = key.asc()
        if not isinstance(key, Ordering) or key.kind != self._model.kind:
            raise QueryError(f"order_by({key!r}): a column of {self._model.__name__} is needed", value=key)
        return key.order

    def _column(self, key: Any) -> Any:
        """Give the column that a text names: steps along foreign keys, parted by a dot or two underscores."""
        if not isinstance(key, str):
            return key
        first, *steps = key.replace("__", ".").split(".")
        item = column(self._model.kind, self._model.__spec__, first)
        for step in steps:
            item = item[step] if isinstance(item, JsonColumn) else getattr(item, step)
        return item

    @staticmethod
    def _count(what: str, count: Any) -> int:
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise QueryError(f"{what}({count!r}): a whole number from 0 is needed", field=what, value=count)
        return count

    @staticmethod
    def _path(path: Any) -> str:
        if isinstance(path, str):
            return path
        if isinstance(path, RelationColumn):
            return path.eager_path
        if isinstance(path, RefColumn):
            return ".".join(path._path)
        raise QueryError(
            f"with_({path!r}): a collection such as Block.segments or its dotted name is needed", value=path
        )
