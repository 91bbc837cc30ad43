"""Ways from one kind to another: foreign keys and collections on a class, and what stands at their end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from gnode_orm.core.expressions.columns import Column, JsonColumn, QuantityColumn
from gnode_orm.core.expressions.condition import Condition
from gnode_orm.core.expressions.operands import several
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, KindSpec, Relation
from gnode_orm.core.select import AnyOf, Attr, Comparison
from gnode_orm.errors import QueryError, UnknownField, did_you_mean
from gnode_orm.location import Location

C = TypeVar("C")

META_FIELDS = {
    "id": FieldType.TEXT,
    "location": FieldType.TEXT,
    "owner": FieldType.TEXT,
    "guid": FieldType.TEXT,
    "date_created": FieldType.DATETIME,
    "modified": FieldType.DATETIME,
}
_OF_VALUES = frozenset(name for name in vars(Column) if not name.startswith("_")) - {"attr", "spec", "start"}
"""What columns of values have and foreign keys have not."""
_COLUMNS: dict[FieldType, type[Column[Any]]] = {FieldType.QUANTITY: QuantityColumn, FieldType.JSON: JsonColumn}


class RefColumn:
    """A foreign key on a class: go on to the parent's fields, or compare it as a whole."""

    __slots__ = ("_path", "_spec", "_start")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, start: str, path: tuple[str, ...], spec: FieldSpec) -> None:
        self._start = start
        self._path = path
        self._spec = spec

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in _OF_VALUES:
            raise self._no_value(f".{name}")
        assert self._spec.target is not None
        return column(self._start, SCHEMA[self._spec.target], name, self._path)

    def is_(self, other: Any) -> Condition:
        """Meet objects whose parent is ``other``: an instance, a location, or ``None``."""
        if other is None:
            return self.is_null()
        return self._condition("eq", self._location(other))

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return self.is_(other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return ~self.is_(other)

    def in_(self, others: Iterable[Any]) -> Condition:
        """Meet objects whose parent is any of ``others``; ``None`` among them is met by objects without one."""
        given = several(self, others)
        among = self._condition("in", tuple(self._location(other) for other in given if other is not None))
        return among | self.is_null() if any(other is None for other in given) else among

    def is_null(self, yes: bool = True) -> Condition:
        """Meet objects without a parent (with one, for ``is_null(False)``)."""
        return self._condition("is_null", bool(yes))

    def __lt__(self, other: Any) -> Condition:
        raise self._no_value(" <")

    def __le__(self, other: Any) -> Condition:
        raise self._no_value(" <=")

    def __gt__(self, other: Any) -> Condition:
        raise self._no_value(" >")

    def __ge__(self, other: Any) -> Condition:
        raise self._no_value(" >=")

    def __bool__(self) -> bool:
        raise QueryError(f"{self} has no truth value; write {self}.is_(...)")

    def __str__(self) -> str:
        return f"{SCHEMA[self._start].class_name}.{'.'.join(self._path)}"

    def __repr__(self) -> str:
        return f"<foreign key {self}>"

    def _condition(self, operator: str, value: Any) -> Condition:
        return Condition(self._start, Comparison(Attr(self._path), operator, value))

    def _no_value(self, operator: str) -> QueryError:
        return QueryError(
            f"{self}{operator}: a foreign key is an object; compare it by ==, in_() or is_null(), "
            f"or go on to one of its fields, as in {self}.owner",
            field=self._spec.name,
        )

    def _location(self, other: Any) -> Location:
        if not isinstance(other, str) and not hasattr(other, "location"):
            raise QueryError(f"{self}: {other!r} is neither a {self._spec.target} nor its location", value=other)
        location = Location(other) if isinstance(other, str) else other.location
        if location is None:
            raise QueryError(
                f"{self}: {other!r} is not stored yet; commit it before asking for its children", value=other
            )
        if location.kind != self._spec.target:
            raise QueryError(f"{self}: {location} is a {location.kind}, not a {self._spec.target}", value=other)
        return location


class RelationColumn(Generic[C]):
    """A collection on a class: ``Block.segments.any(condition)``, and a path for ``with_``."""

    __slots__ = ("_above", "_path", "_relation", "_start")

    def __init__(
        self, start: str, path: tuple[str, ...], relation: Relation, above: RelationColumn[Any] | None = None
    ) -> None:
        self._start = start
        self._path = path
        self._relation = relation
        # The collection whose members have this one, for Block.segments.analogsignals.
        self._above = above

    def any(self, condition: Condition | None = None) -> Condition:
        """Meet objects with at least one member, or one that meets ``condition``.

        Raises:
            QueryError: ``condition`` is none, or one on another kind.
        """
        if condition is not None and not isinstance(condition, Condition):
            raise QueryError(
                f"{self}.any({condition!r}): a condition on {self._relation.kind} is needed", value=condition
            )
        if condition is not None and condition.kind != self._relation.kind:
            raise QueryError(f"{self}.any(...) needs a condition on {self._relation.kind}, not on {condition.kind}")
        node, within = (None, 0) if condition is None else (condition.node, condition.depth + 1)
        if self._above is None:
            return Condition(self._start, AnyOf(self._path[:-1], self._relation.name, node), within)
        return self._above.any(Condition(self._above._relation.kind, AnyOf((), self._relation.name, node), within))

    @property
    def eager_path(self) -> str:
        """The dotted path that ``with_`` takes."""
        return ".".join(self._path)

    def __getattr__(self, name: str) -> RelationColumn[Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        spec = SCHEMA[self._relation.kind]
        relation = spec.relation_by_name.get(name)
        if relation is None:
            raise UnknownField(
                f"{self}.{name}: no such collection{did_you_mean(name, spec.relation_by_name)}; for a condition on the "
                f"members write {self}.any({spec.class_name}.{name} ...)",
                field=name,
            )
        return RelationColumn(self._start, (*self._path, name), relation, above=self)

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        raise QueryError(f"{self} is a collection and cannot be compared; write {self}.any(...)", value=other)

    __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __eq__  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise QueryError(f"{self} has no truth value; write {self}.any()")

    def __str__(self) -> str:
        return f"{SCHEMA[self._start].class_name}.{self.eager_path}"

    def __repr__(self) -> str:
        return f"<collection {self}>"


def column(start: str, spec: KindSpec, name: str, path: tuple[str, ...] = ()) -> Any:
    """Give the column, foreign key or collection ``name`` of a kind that ``path`` leads to.

    Raises:
        QueryError: no such field; the message says what was meant.
    """
    field = spec.by_name.get(name)
    if field is not None and field.type is FieldType.REF:
        return RefColumn(start, (*path, name), field)
    if field is not None:
        return _COLUMNS.get(field.type, Column)(start, Attr((*path, name)), field)
    if name in META_FIELDS:
        return Column(start, Attr((*path, name)), FieldSpec(name, META_FIELDS[name]))
    if name in spec.relation_by_name:
        return RelationColumn(start, (*path, name), spec.relation_by_name[name])
    known = [*spec.by_name, *META_FIELDS, *spec.relation_by_name]
    raise UnknownField(
        f"{spec.class_name} has no field {name!r}{did_you_mean(name, known)}", entity=spec.class_name, field=name
    )
