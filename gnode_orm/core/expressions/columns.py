"""Columns: a field seen from the class that a query selects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gnode_orm.core.expressions.condition import Condition, Ordering
from gnode_orm.core.expressions.operands import is_unicode, operand, several
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType
from gnode_orm.core.select import Attr, Comparison, Order, Scalar
from gnode_orm.errors import QueryError, UnknownField, did_you_mean

T = TypeVar("T")


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
        """Meet any of the values; ``None`` among them is met by objects without one.

        Raises:
            QueryError: no list is given, or a value in it cannot be compared with the column.
        """
        given = several(self, values)
        among = self._condition("in", tuple(self._value("in", value) for value in given if value is not None))
        return among | self.is_null() if any(value is None for value in given) else among

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
        return f"{SCHEMA[self.start].class_name}.{self.attr}"

    def __repr__(self) -> str:
        return f"<column {self}>"

    if not TYPE_CHECKING:  # the checkers say themselves what a column does not have

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
                f"{self}.{operator}(...) needs text; {self} is of type {self.spec.type.value}", field=self.spec.name
            )
        if not isinstance(text, str):
            raise QueryError(f"{self}.{operator}({text!r}): text is needed", field=self.spec.name, value=text)
        return self._condition(operator, text if self.spec.name == "location" else self._value(operator, text))

    def _compare(self, operator: str, other: Any) -> Condition:
        return self._condition(operator, self._value(operator, other))

    def _condition(self, operator: str, value: Any) -> Condition:
        return Condition(self.start, Comparison(self.attr, operator, value))

    def _value(self, operator: str, value: Any) -> Scalar:
        return operand(self.start, self.spec, str(self), operator, value)


class QuantityColumn(Column[Any]):
    """A column with a unit; compared with quantities of the same dimension, whatever their unit."""

    __slots__ = ()


class JsonColumn(Column[Any]):
    """Annotations: ``Segment.annotations["stimulus"]["color"] == "red"``."""

    __slots__ = ()

    def __getitem__(self, key: str) -> JsonColumn:
        if not isinstance(key, str) or not is_unicode(key):
            raise QueryError(f"{self}[{key!r}]: the keys of annotations are text", field=self.spec.name, value=key)
        return JsonColumn(self.start, Attr(self.attr.path, (*self.attr.keys, key)), self.spec)

    def __iter__(self) -> Any:
        raise TypeError(f"{self} is a column; give a key, for instance {self}['stimulus']")

    def _condition(self, operator: str, value: Any) -> Condition:
        if not self.attr.keys and not self.spec.name.endswith("annotations"):
            raise QueryError(f"{self} holds no single value, so no query can ask for it", field=self.spec.name)
        if not self.attr.keys:
            raise QueryError(f"{self}: give a key, for instance {self}['stimulus'] == ...", field=self.spec.name)
        return super()._condition(operator, value)
