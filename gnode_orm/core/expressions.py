"""Conditions written on the classes: ``Segment.name == "a"``, ``AnalogSignal.sampling_rate > 1 * pq.kHz``.

A column knows its path from the selected kind and builds plain nodes (``core.select``); nothing is evaluated here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Generic, TypeVar, cast

import numpy as np
import quantities as pq

from gnode_orm.core.quantity import check_dimension
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, KindSpec, Relation
from gnode_orm.core.select import And, AnyOf, Attr, Comparison, Measure, Node, Not, Or, Order, Scalar
from gnode_orm.errors import QueryError, UnitError, UnknownField, did_you_mean
from gnode_orm.location import Location
from gnode_orm.units import unit_of_quantity

T = TypeVar("T")
C = TypeVar("C")

META_FIELDS = {
    "id": FieldType.TEXT,
    "location": FieldType.TEXT,
    "owner": FieldType.TEXT,
    "guid": FieldType.TEXT,
    "date_created": FieldType.DATETIME,
    "modified": FieldType.DATETIME,
}
_PARTS = ("year", "month", "day", "hour", "week_day")
_TEXT_OPERATORS = ("contains", "startswith", "endswith")


class Condition:
    """A condition for ``where``; join with ``&`` and ``|``, turn with ``~``."""

    __slots__ = ("kind", "node")

    def __init__(self, kind: str, node: Node) -> None:
        self.kind = kind
        self.node = node

    def __and__(self, other: Condition) -> Condition:
        return self._join(And, other)

    def __or__(self, other: Condition) -> Condition:
        return self._join(Or, other)

    def __invert__(self) -> Condition:
        return Condition(self.kind, Not(self.node))

    def __bool__(self) -> bool:
        raise QueryError("A condition has no truth value; join conditions with & and |, each in brackets, not and/or")

    def _join(self, node: type[And] | type[Or], other: Any) -> Condition:
        if not isinstance(other, Condition):
            raise QueryError(f"{other!r} is not a condition; write for instance (Segment.name == 'a')", value=other)
        if other.kind != self.kind:
            raise QueryError(f"A condition on {self.kind} cannot be joined with one on {other.kind}")
        mine = self.node.items if isinstance(self.node, node) else (self.node,)
        theirs = other.node.items if isinstance(other.node, node) else (other.node,)
        return Condition(self.kind, node((*mine, *theirs)))

    def __repr__(self) -> str:
        return f"Condition({self.kind}: {self.node})"


class Column(Generic[T]):
    """One field, seen from the class that a query selects."""

    __slots__ = ("attr", "spec", "start")
    __array_ufunc__ = None  # a quantity on the left must not try to compute with a column
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, start: str, attr: Attr, spec: FieldSpec) -> None:
        self.start = start
        self.attr = attr
        self.spec = spec

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]
        return self.is_null() if other is None else self._compare("eq", other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]
        return ~self.is_null() if other is None else self._compare("ne", other)

    def __lt__(self, other: Any) -> Condition:
        return self._compare("lt", other)

    def __le__(self, other: Any) -> Condition:
        return self._compare("le", other)

    def __gt__(self, other: Any) -> Condition:
        return self._compare("gt", other)

    def __ge__(self, other: Any) -> Condition:
        return self._compare("ge", other)

    def between(self, low: Any, high: Any) -> Condition:
        """Meet values from ``low`` to ``high``, both included."""
        return self._condition("between", (self._value("between", low), self._value("between", high)))

    def in_(self, values: Iterable[Any]) -> Condition:
        """Meet any of the values."""
        return self._condition("in", tuple(self._value("in", value) for value in values))

    def is_null(self, yes: bool = True) -> Condition:
        """Meet objects without a value (with one, for ``is_null(False)``)."""
        return self._condition("is_null", bool(yes))

    def contains(self, text: str) -> Condition:
        """Meet text that holds ``text``; upper and lower case differ."""
        return self._text("contains", text)

    def icontains(self, text: str) -> Condition:
        """Meet text that holds ``text`` in any case."""
        return self._text("icontains", text)

    def startswith(self, text: str) -> Condition:
        """Meet text that begins with ``text``."""
        return self._text("startswith", text)

    def istartswith(self, text: str) -> Condition:
        """Meet text that begins with ``text`` in any case."""
        return self._text("istartswith", text)

    def endswith(self, text: str) -> Condition:
        """Meet text that ends with ``text``."""
        return self._text("endswith", text)

    def iendswith(self, text: str) -> Condition:
        """Meet text that ends with ``text`` in any case."""
        return self._text("iendswith", text)

    def iexact(self, text: str) -> Condition:
        """Meet text that equals ``text`` in any case."""
        return self._text("iexact", text)

    def regex(self, pattern: str) -> Condition:
        """Meet text in which the regular expression is found."""
        return self._text("regex", pattern)

    def iregex(self, pattern: str) -> Condition:
        """Meet text in which the regular expression is found in any case."""
        return self._text("iregex", pattern)

    def asc(self) -> Ordering:
        """Sort by this column, rising."""
        return Ordering(self.start, Order(self.attr))

    def desc(self) -> Ordering:
        """Sort by this column, falling."""
        return Ordering(self.start, Order(self.attr, descending=True))

    @property
    def year(self) -> Column[int]:
        """The year of a date or datetime."""
        return self._part("year")

    @property
    def month(self) -> Column[int]:
        """The month of a date or datetime, 1 to 12."""
        return self._part("month")

    @property
    def day(self) -> Column[int]:
        """The day of the month of a date or datetime, 1 to 31."""
        return self._part("day")

    @property
    def hour(self) -> Column[int]:
        """The hour of a datetime, 0 to 23."""
        return self._part("hour")

    @property
    def week_day(self) -> Column[int]:
        """The day of the week of a date or datetime, 1 for Sunday to 7."""
        return self._part("week_day")

    def __bool__(self) -> bool:
        raise QueryError(f"{self} has no truth value; compare it, for instance {self} == ...")

    def __str__(self) -> str:
        return f"{_class_name(self.start)}.{self.attr}"

    def __repr__(self) -> str:
        return f"<column {self}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        known = [word for word in dir(type(self)) if not word.startswith("_")]
        raise UnknownField(f"{self} has no {name!r}{did_you_mean(name, known)}", field=name)

    def _part(self, part: str) -> Column[int]:
        if self.spec.type not in (FieldType.DATE, FieldType.DATETIME) or self.attr.part:
            raise QueryError(f"{self} is no date, so it has no {part}", field=self.spec.name)
        if part == "hour" and self.spec.type is FieldType.DATE:
            raise QueryError(f"{self} is a date and has no hour", field=self.spec.name)
        return Column(self.start, Attr(self.attr.path, part=part), FieldSpec(part, FieldType.INTEGER))

    def _text(self, operator: str, text: Any) -> Condition:
        if self.spec.type not in (FieldType.TEXT, FieldType.JSON):
            raise QueryError(
                f"{self}.{operator}(...) needs text; {self} is a {self.spec.type.value}", field=self.spec.name
            )
        if not isinstance(text, str):
            raise QueryError(f"{self}.{operator}({text!r}): text is needed", field=self.spec.name, value=text)
        return self._condition(operator, text)

    def _compare(self, operator: str, other: Any) -> Condition:
        return self._condition(operator, self._value(operator, other))

    def _condition(self, operator: str, value: Any) -> Condition:
        if self.spec.type is FieldType.ARRAY and operator != "is_null":
            raise QueryError(f"{self} is an array; only is_null() can be asked of it", field=self.spec.name)
        return Condition(self.start, Comparison(self.attr, operator, value))

    def _value(self, operator: str, value: Any) -> Scalar:
        return cast(
            Scalar, _VALUES[self.spec.type](self, f"{self} {_SIGNS.get(operator, operator)} {_shown(value)}", value)
        )


class QuantityColumn(Column[Any]):
    """A column with a unit; compared with quantities of the same dimension, whatever their unit."""

    __slots__ = ()


class JsonColumn(Column[Any]):
    """Annotations: ``Segment.annotations["stimulus"]["color"] == "red"``."""

    __slots__ = ()

    def __getitem__(self, key: str) -> JsonColumn:
        if not isinstance(key, str):
            raise QueryError(f"{self}[{key!r}]: the keys of annotations are text", field=self.spec.name, value=key)
        return JsonColumn(self.start, Attr(self.attr.path, (*self.attr.keys, key)), self.spec)

    def __iter__(self) -> Any:
        raise TypeError(f"{self} is a column; give a key, for instance {self}['stimulus']")

    def _condition(self, operator: str, value: Any) -> Condition:
        if not self.attr.keys:
            raise QueryError(f"{self}: give a key, for instance {self}['stimulus'] == ...", field=self.spec.name)
        return super()._condition(operator, value)


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
        """Meet objects whose parent is any of ``others``."""
        return self._condition("in", tuple(self._location(other) for other in others))

    def is_null(self, yes: bool = True) -> Condition:
        """Meet objects without a parent (with one, for ``is_null(False)``)."""
        return self._condition("is_null", bool(yes))

    def __bool__(self) -> bool:
        raise QueryError(f"{self} has no truth value; write {self}.is_(...)")

    def __str__(self) -> str:
        return f"{_class_name(self._start)}.{'.'.join(self._path)}"

    def __repr__(self) -> str:
        return f"<foreign key {self}>"

    def _condition(self, operator: str, value: Any) -> Condition:
        return Condition(self._start, Comparison(Attr(self._path), operator, value))

    def _location(self, other: Any) -> Location:
        location = Location(other) if isinstance(other, str) else getattr(other, "location", None)
        if location is None:
            raise QueryError(
                f"{self}: {other!r} is not stored yet; commit it before asking for its children", value=other
            )
        if location.kind != self._spec.target:
            raise QueryError(f"{self}: {location} is a {location.kind}, not a {self._spec.target}", value=other)
        return location


class RelationColumn(Generic[C]):
    """A collection on a class: ``Block.segments.any(condition)``, and a path for ``with_``."""

    __slots__ = ("_path", "_relation", "_start")

    def __init__(self, start: str, path: tuple[str, ...], relation: Relation) -> None:
        self._start = start
        self._path = path
        self._relation = relation

    def any(self, condition: Condition | None = None) -> Condition:
        """Meet objects with at least one member, or one that meets ``condition``."""
        if condition is not None and not isinstance(condition, Condition):
            raise QueryError(
                f"{self}.any({condition!r}): a condition on {self._relation.kind} is needed", value=condition
            )
        if condition is not None and condition.kind != self._relation.kind:
            raise QueryError(f"{self}.any(...) needs a condition on {self._relation.kind}, not on {condition.kind}")
        node = None if condition is None else condition.node
        return Condition(self._start, AnyOf(self._path[:-1], self._relation.name, node))

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
        return RelationColumn(self._start, (*self._path, name), relation)

    def __str__(self) -> str:
        return f"{_class_name(self._start)}.{self.eager_path}"

    def __repr__(self) -> str:
        return f"<collection {self}>"


class Ordering:
    """One key for ``order_by``."""

    __slots__ = ("kind", "order")

    def __init__(self, kind: str, order: Order) -> None:
        self.kind = kind
        self.order = order


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


_COLUMNS: dict[FieldType, type[Column[Any]]] = {FieldType.QUANTITY: QuantityColumn, FieldType.JSON: JsonColumn}
_SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def _class_name(kind: str) -> str:
    return SCHEMA[kind].class_name


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, pq.Quantity) else str(value)
    return text if len(text) < 60 else text[:57] + "..."


def _refuse(column: Column[Any], shown: str, value: Any, needed: str) -> QueryError:
    return QueryError(f"{shown}: {needed}", entity=_class_name(column.start), field=column.spec.name, value=value)


def _text_value(column: Column[Any], shown: str, value: Any) -> Scalar:
    if column.spec.name == "location":
        return Location(value)
    if isinstance(value, str):
        return str(value)
    raise _refuse(column, shown, value, "text is needed")


def _number_value(column: Column[Any], shown: str, value: Any) -> Scalar:
    if isinstance(value, pq.Quantity) or not isinstance(value, int | float | np.integer | np.floating):
        raise _refuse(column, shown, value, "a number is needed")
    return cast(Scalar, value.item() if isinstance(value, np.generic) else value)


def _boolean_value(column: Column[Any], shown: str, value: Any) -> Scalar:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    raise _refuse(column, shown, value, "True or False is needed")


def _date_value(column: Column[Any], shown: str, value: Any) -> Scalar:
    try:
        if isinstance(value, str):
            value = date.fromisoformat(value)
    except ValueError:
        raise _refuse(column, shown, value, "a date such as '2014-03-21' is needed") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise _refuse(column, shown, value, "a date is needed")


def _datetime_value(column: Column[Any], shown: str, value: Any) -> Scalar:
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
    except ValueError:
        raise _refuse(column, shown, value, "a datetime such as '2014-03-21T10:00:00' is needed") from None
    if isinstance(value, datetime):
        return value
    raise _refuse(column, shown, value, "a datetime is needed")


def _measure_value(column: Column[Any], shown: str, value: Any) -> Scalar:
    if not isinstance(value, pq.Quantity):
        example = "write 10*pq.kHz" if column.spec.dimension == "1/s" else "write 10*pq.ms"
        raise _refuse(column, shown, value, f"{_shown(value)} has no unit; {example}, column on the left")
    if value.size != 1:
        raise _refuse(column, shown, value, "a single value is needed")
    unit = unit_of_quantity(value)
    try:
        check_dimension(unit, column.spec.dimension, value)
    except UnitError as error:
        raise _refuse(column, shown, value, str(error)) from None
    return Measure(float(np.asarray(value).reshape(-1)[0]), unit.text)


def _json_value(column: Column[Any], shown: str, value: Any) -> Scalar:
    if isinstance(value, pq.Quantity):
        return _measure_value(column, shown, value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int | float | str | datetime | date):
        return value
    raise _refuse(column, shown, value, "text, a number, a date, True, False or a quantity is needed")


def _array_value(column: Column[Any], shown: str, value: Any) -> Scalar:
    raise _refuse(column, shown, value, "an array cannot be compared in a query")


_VALUES: dict[FieldType, Any] = {
    FieldType.TEXT: _text_value,
    FieldType.INTEGER: _number_value,
    FieldType.BOOLEAN: _boolean_value,
    FieldType.DATE: _date_value,
    FieldType.DATETIME: _datetime_value,
    FieldType.QUANTITY: _measure_value,
    FieldType.JSON: _json_value,
    FieldType.ARRAY: _array_value,
}
