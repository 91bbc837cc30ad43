"""The left side of a condition or sort key: a column or a value in annotations, and what it may be compared with."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from gnode_orm.core.quantity import si_value
from gnode_orm.core.schema import FieldSpec, FieldType, KindSpec
from gnode_orm.core.select import Attr, Measure
from gnode_orm.errors import QueryError, UnitError, ValidationFailed, did_you_mean
from gnode_orm.ids import decode_id
from gnode_orm.location import Location
from gnode_orm.stores.local.binds import Binds
from gnode_orm.stores.local.elements import DatePart, InstantPart
from gnode_orm.stores.local.imported_content import KEYS, ImportedContent
from gnode_orm.stores.local.json_elements import (
    JsonAnyInstant,
    JsonAnySI,
    JsonInstant,
    JsonNumber,
    JsonPresent,
    JsonSI,
    JsonText,
    JsonTruth,
    JsonValue,
    NumbersOf,
    without_nul,
)
from gnode_orm.stores.local.shapes import Slot
from gnode_orm.stores.local.tables import BoundText, Integer, Real
from gnode_orm.units import unit_of

Convert = Callable[[Any], Any]
Expression = ColumnElement[Any]
VIRTUAL = ("id", "location", "owner", "guid", "date_created", "modified")
PARTS = ("year", "month", "day", "hour", "week_day")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Side:
    """An expression and how values are brought into its form before they are bound.

    Attributes:
        text: the expression is text, so that ``contains`` and the like apply.
        ordered: ``<`` and ``>`` apply.
        among: the rows that the expression stands in, where a field holds several values: one has to meet the test.
    """

    expression: Expression
    convert: Convert
    type: sa.types.TypeEngine[Any]
    text: bool = False
    ordered: bool = True
    among: FromClause | None = None

    def met(self, test: Callable[[Expression], ColumnElement[bool]]) -> ColumnElement[bool]:
        """The condition that the expression meets a test."""
        condition = test(self.expression)
        if self.among is None:
            return condition
        return sa.select(sa.literal_column("1")).select_from(self.among).where(condition).exists()


class Operand:
    """One attribute of one source of rows.

    Args:
        binds: takes the values that the statement has bound.
    """

    def __init__(self, attr: Attr, spec: KindSpec, rows: FromClause, binds: Binds) -> None:
        self.attr = attr
        self.spec = spec
        self.rows = rows
        self.binds = binds
        self.name = attr.path[-1]
        self.field = _field(spec, self.name)
        self._check()

    def _check(self) -> None:
        if self.attr.keys and (self.field is None or self.field.type is not FieldType.JSON):
            raise self.refusal("only annotations have keys")
        if self.attr.part is not None and self.attr.part not in PARTS:
            raise self.refusal(f"there is no part {self.attr.part!r}; use one of {', '.join(PARTS)}")

    def refusal(self, reason: str) -> QueryError:
        """An error that names this attribute."""
        return QueryError(f"{self.spec.class_name}.{self.attr}: {reason}", entity=self.spec.class_name, field=self.name)

    def present(self) -> Expression:
        """True where the attribute is not null."""
        if self.attr.keys:
            return self._json(JsonPresent) == sa.literal_column("1")
        return self._presence_column().is_not(None)

    def _presence_column(self) -> Expression:
        if self.field is None:
            return self._virtual_column()
        suffix = {FieldType.QUANTITY: "_unit", FieldType.REF: "_id", FieldType.ARRAY: "_hash"}
        return self.rows.c[self.name + suffix.get(self.field.type, "")]

    def _virtual_column(self) -> Expression:
        names = {"location": "id", "guid": "id", "date_created": "born", "modified": "rev"}
        return self.rows.c[names.get(self.name, self.name)]

    def sort_keys(self) -> list[Expression]:
        """What to order by; nulls come last."""
        if self.attr.keys:
            return [self._json(element) for element in (JsonNumber, JsonAnySI, JsonTruth, JsonAnyInstant, JsonText)]
        if self.attr.part is not None:
            return [self._part().expression]
        return [self._sort_column()]

    def _sort_column(self) -> Expression:
        if self.field is None:
            return self._virtual_column()
        if self.field.type in (FieldType.ARRAY, FieldType.JSON):
            raise self.refusal("arrays and annotations as a whole have no order; name a key of the annotations")
        if self.field.type is FieldType.NUMBERS:
            numbers = self._numbers()
            return sa.select(sa.func.min(numbers.c.value)).select_from(numbers).scalar_subquery()
        suffix = {FieldType.QUANTITY: "_si", FieldType.REF: "_id", FieldType.DATETIME: "_us"}
        return self.rows.c[self.name + suffix.get(self.field.type, "")]

    def _numbers(self) -> FromClause:
        return NumbersOf(self.rows.c[self.name]).table_valued(sa.column("value", Real))

    def side(self, slot: Slot) -> Side:
        """The expression to compare with a value of this type."""
        if self.attr.part is not None:
            return self._part()
        if self.attr.keys:
            return self._json_side(slot)
        if self.field is None:
            return self._virtual_side(slot)
        return self._column_side(self.field, slot)

    def _part(self) -> Side:
        if self.name in ("date_created", "modified") or (self.field and self.field.type is FieldType.DATETIME):
            expression: Expression = InstantPart(self.attr.part or "", self._sort_column())
        elif self.field and self.field.type is FieldType.DATE and self.attr.part != "hour":
            expression = DatePart(self.attr.part or "", self._sort_column())
        else:
            raise self.refusal("only dates and datetimes have such a part")
        return Side(expression, self._integer, Integer)

    def _virtual_side(self, slot: Slot) -> Side:
        column = self._virtual_column()
        if self.name == "owner":
            return Side(column, self._text, BoundText, text=True)
        if self.name in ("date_created", "modified"):
            return Side(column, self._instant, Integer)
        if self.name == "id":
            return Side(column, self._id, Integer)
        if self.name == "location":
            return Side(column, self._location_of(self.spec.kind), Integer)
        raise self.refusal("a guid is compared by == or in alone")

    def _column_side(self, field: FieldSpec, slot: Slot) -> Side:
        if field.type is FieldType.NUMBERS:
            numbers = self._numbers()
            return Side(numbers.c.value, lambda value: float(self._number(value)), Real, among=numbers)
        column = self._sort_column()
        if field.type is FieldType.TEXT:
            return Side(column, self._text, BoundText, text=True)
        if field.type is FieldType.INTEGER:
            return Side(column, self._number, _number_type(slot))
        if field.type is FieldType.BOOLEAN:
            return Side(column, self._truth, sa.SmallInteger(), ordered=False)
        if field.type is FieldType.DATE:
            return Side(column, self._date, BoundText)
        if field.type is FieldType.DATETIME:
            return Side(column, self._instant, Integer)
        if field.type is FieldType.QUANTITY:
            return Side(column, self._measure(field, slot), Real)
        return Side(column, self._location_of(field.target or ""), Integer, ordered=False)

    def _json(self, element: type[JsonValue], *more: Any) -> Expression:
        # A key that begins with $ is stored with one more, apart from the tags of types.
        keys = ["$" + key if key.startswith("$") else key for key in map(without_nul, self.attr.keys)]
        return element(self.rows.c[self.name], *(self.binds.constant(key, BoundText) for key in keys), *more)

    def _json_side(self, slot: Slot) -> Side:
        if slot.type in (str, Location):
            indexed = (self.name, self.attr.keys) == ("ext", KEYS)
            text = ImportedContent(self.rows.c[self.name]) if indexed else self._json(JsonText)
            return Side(text, without_nul, BoundText, text=True)
        if slot.type is bool:
            return Side(self._json(JsonTruth), self._truth, sa.SmallInteger(), ordered=False)
        if slot.type in (int, float):
            return Side(self._json(JsonNumber), _number, _number_type(slot))
        if slot.type is Measure:
            unit = unit_of(slot.detail)
            si = self._json(JsonSI, self.binds.constant(unit.dimension, BoundText))
            return Side(si, lambda value: si_value(value.value, unit), Real)
        if slot.type in (datetime, date):
            kind = self.binds.constant(slot.type.__name__, BoundText)
            return Side(self._json(JsonInstant, kind), self._instant, sa.BigInteger())
        raise self.refusal("annotations are compared with text, numbers, truth values, dates, datetimes and quantities")

    def _wrong(self, value: Any, wanted: str) -> QueryError:
        return self.refusal(f"cannot be compared with {value!r}; {wanted} is needed")

    def _text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self._wrong(value, "text")
        return str(value)

    def _truth(self, value: Any) -> int:
        if not isinstance(value, bool) and value not in (0, 1):
            raise self._wrong(value, "True or False")
        return int(value)

    def _integer(self, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value not in _INT64:
            raise self._wrong(value, "a whole number")
        return value

    def _number(self, value: Any) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(value, "a number")
        return _number(value)

    def _date(self, value: Any) -> str:
        if isinstance(value, datetime):
            value = value.date()
        if isinstance(value, str):
            value = self._parsed(date.fromisoformat, value)
        if not isinstance(value, date):
            raise self._wrong(value, "a date")
        return value.isoformat()

    def _instant(self, value: Any) -> int:
        if isinstance(value, str):
            value = self._parsed(datetime.fromisoformat, value)
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)  # noqa: DTZ001
        if not isinstance(value, datetime):
            raise self._wrong(value, "a datetime")
        # A datetime without a zone counts as UTC, as in the stored column.
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        delta = aware - _EPOCH
        return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds

    def _parsed(self, parse: Callable[[str], Any], text: str) -> Any:
        try:
            return parse(text)
        except ValueError:
            raise self._wrong(text, "a date such as 2014-03-21") from None

    def _id(self, value: Any) -> int:
        if isinstance(value, Location):
            return int(self._location_of(self.spec.kind)(value))
        if isinstance(value, str):
            try:
                return decode_id(value)
            except ValidationFailed as error:
                raise self.refusal(str(error)) from None
        return self._integer(value)

    def _location_of(self, kind: str) -> Convert:
        def convert(value: Any) -> Any:
            if isinstance(value, str) and not isinstance(value, Location):
                try:
                    value = Location(value)
                except ValidationFailed as error:
                    raise self.refusal(str(error)) from None
            if not isinstance(value, Location) or value.kind != kind:
                raise self._wrong(value, f"the location of a {kind}")
            return value.number

        return convert

    def _measure(self, field: FieldSpec, slot: Slot) -> Convert:
        if slot.type is not Measure:
            return self._no_unit
        unit = unit_of(slot.detail)
        if field.dimension is None:
            raise self.refusal("this field takes any unit, so its values cannot be compared")
        if unit.dimension != field.dimension:
            raise UnitError(
                f"{self.spec.class_name}.{self.attr}: {unit.text} cannot be compared with a quantity of "
                f"{field.dimension}",
                entity=self.spec.class_name, field=self.name,
            )  # fmt: skip
        return lambda value: si_value(value.value, unit)

    def _no_unit(self, value: Any) -> Any:
        raise self.refusal(f"{value!r} has no unit; write for instance {value!r}*pq.s")


def _field(spec: KindSpec, name: str) -> FieldSpec | None:
    field = spec.by_name.get(name)
    if field is None and name not in VIRTUAL:
        known = [*spec.by_name, *VIRTUAL]
        raise QueryError(
            f"{spec.class_name} has no field {name!r}{did_you_mean(name, known)}", entity=spec.class_name, field=name
        )
    return field


def _number_type(slot: Slot) -> sa.types.TypeEngine[Any]:
    return Real if slot.type is float else sa.Numeric()


def _number(value: int | float) -> int | float:
    # Beyond 64 bits SQLite would refuse the value; a float compares the same against what it can hold.
    if isinstance(value, float) or value in _INT64:
        return value
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
