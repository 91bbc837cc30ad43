"""Every operator on every field of every kind gives the right objects, or an error that names the field.

Of each field there are three objects: without a value, with a low one and with a high one. What a query finds among
them is told by their ranks alone, so that one table of operators serves all types of fields.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import quantities as pq

from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType
from gnode_orm.errors import QueryError
from gnode_orm.models import MODELS

STORES = ("memory", "postgres", "rest")

NONE, LOW, HIGH = "none", "low", "high"
Test = Callable[[Any, Any, Any], Any]

# What is found, by the ranks of objects, when a column is held against the values of the low and the high one.
COMPARED: dict[str, tuple[Test, list[str]]] = {
    "eq": (lambda c, low, high: c == low, [LOW]),
    "eq none": (lambda c, low, high: c == None, [NONE]),  # noqa: E711
    "ne": (lambda c, low, high: c != low, [NONE, HIGH]),
    "not eq": (lambda c, low, high: ~(c == low), [NONE, HIGH]),
    "in": (lambda c, low, high: c.in_([low, high]), [LOW, HIGH]),
    "in none": (lambda c, low, high: c.in_([high, None]), [NONE, HIGH]),
}
NULL: dict[str, tuple[Test, list[str]]] = {
    "is_null": (lambda c, low, high: c.is_null(), [NONE]),
    "is_null(False)": (lambda c, low, high: c.is_null(False), [LOW, HIGH]),
}
ORDERED: dict[str, tuple[Test, list[str]]] = {
    "lt": (lambda c, low, high: c < high, [LOW]),
    "le": (lambda c, low, high: c <= low, [LOW]),
    "gt": (lambda c, low, high: c > low, [HIGH]),
    "ge": (lambda c, low, high: c >= low, [LOW, HIGH]),
    "between": (lambda c, low, high: c.between(low, high), [LOW, HIGH]),
}
# The values of texts are "a low text" and "b High text".
TEXT: dict[str, tuple[Test, list[str]]] = {
    "contains": (lambda c, low, high: c.contains("High"), [HIGH]),
    "icontains": (lambda c, low, high: c.icontains("HIGH"), [HIGH]),
    "startswith": (lambda c, low, high: c.startswith("a low"), [LOW]),
    "istartswith": (lambda c, low, high: c.istartswith("A LOW"), [LOW]),
    "endswith": (lambda c, low, high: c.endswith(" text"), [LOW, HIGH]),
    "iendswith": (lambda c, low, high: c.iendswith("H TEXT"), [HIGH]),
    "iexact": (lambda c, low, high: c.iexact("A LOW TEXT"), [LOW]),
    "regex": (lambda c, low, high: c.regex("^[ab] H"), [HIGH]),
    "iregex": (lambda c, low, high: c.iregex("^[AB] h"), [HIGH]),
}
PARTS: dict[str, tuple[Test, list[str]]] = {
    "year": (lambda c, low, high: c.year == 2025, [LOW]),
    "month": (lambda c, low, high: c.month > 5, [HIGH]),
    "day": (lambda c, low, high: c.day.in_([3, 4]), [LOW, HIGH]),
    "week_day": (lambda c, low, high: c.week_day == 2, [LOW]),
}
HOUR: dict[str, tuple[Test, list[str]]] = {"hour": (lambda c, low, high: c.hour < 12, [LOW])}
EVERY = {**COMPARED, **NULL, **ORDERED, **TEXT, **PARTS, **HOUR}
NUMERIC = {**COMPARED, **NULL, **ORDERED}

TAKEN = {
    FieldType.TEXT: {**NUMERIC, **TEXT},
    FieldType.INTEGER: NUMERIC,
    FieldType.NUMBERS: NUMERIC,
    FieldType.QUANTITY: NUMERIC,
    FieldType.BOOLEAN: {**COMPARED, **NULL},
    FieldType.DATE: {**NUMERIC, **PARTS},
    FieldType.DATETIME: {**NUMERIC, **PARTS, **HOUR},
    FieldType.REF: {**COMPARED, **NULL},
    # Only whether there is an array can be asked, which comparing with None does too.
    FieldType.ARRAY: {**NULL, "eq none": COMPARED["eq none"]},
    FieldType.JSON: {},  # a key of it is compared, see below
}
VALUES: dict[FieldType, tuple[Any, Any]] = {
    FieldType.TEXT: ("a low text", "b High text"),
    FieldType.INTEGER: (1, 2),
    FieldType.NUMBERS: (0.195, 2),
    FieldType.BOOLEAN: (False, True),
    FieldType.DATE: (dt.date(2025, 3, 3), dt.date(2026, 11, 4)),
    FieldType.DATETIME: (dt.datetime(2025, 3, 3, 8, tzinfo=dt.UTC), dt.datetime(2026, 11, 4, 20, tzinfo=dt.UTC)),
}
# The same values as they may be written in a condition.
ALIKE = {"s": (1000 * pq.us, (0.002, "s")), "1/s": (0.001 * pq.kHz, "2 1/s")}


@pytest.mark.parametrize("kind", list(MODELS))
def test_every_operator_on_every_field_is_right_or_refused_with_its_name(lab: Any, kind: str) -> None:
    with lab.session() as session:
        fields = {spec.name: Field(spec, kind) for spec in SCHEMA[kind].fields}
        session.add_all([item for field in fields.values() for item in field.objects])
        session.commit()
        for field in fields.values():
            for name, test, expected in field.tests():
                assert field.found(session, test) == expected, f"{kind}.{field.spec.name} {name}"


class Field:
    """A field, its three objects, and what is asked of it."""

    def __init__(self, spec: FieldSpec, kind: str) -> None:
        self.spec = spec
        self.model: Any = MODELS[kind]
        self.low, self.high = _values(spec)
        values = {NONE: {}, LOW: {spec.name: self.low}, HIGH: {spec.name: self.high}}
        self.of_rank = {rank: self.model(**{} if spec.name == "ext" else value) for rank, value in values.items()}
        self.objects = list(self.of_rank.values())
        # An object without a value has one where the field has a default.
        self.ranks = [NONE, LOW, HIGH] if getattr(self.of_rank[NONE], spec.name) in (None, {}) else [LOW, HIGH]

    def tests(self) -> Iterator[tuple[str, Test, Any]]:
        taken = TAKEN[self.spec.type]
        for name, (test, expected) in EVERY.items():
            known = [rank for rank in expected if rank in self.ranks]
            yield name, test, known if name in taken else "refused"
        if self.spec.name.endswith("annotations"):
            for name, (test, expected) in NUMERIC.items():
                yield f"[] {name}", _of_key(test), expected

    def found(self, session: Any, test: Test) -> Any:
        low, high = ALIKE[self.spec.dimension] if self.spec.type is FieldType.QUANTITY else (self.low, self.high)
        try:
            found = session.query(self.model).where(test(getattr(self.model, self.spec.name), low, high)).all()
        except QueryError as error:
            return "refused" if f"{self.model.__name__}.{self.spec.name}" in str(error) else str(error)
        return [rank for rank in self.ranks if self.of_rank[rank] in found]


def _of_key(test: Test) -> Test:
    return lambda column, low, high: test(column["key"], low["key"], high["key"])


def _values(spec: FieldSpec) -> tuple[Any, Any]:
    if spec.type is FieldType.REF:
        target = MODELS[str(spec.target)]
        return target(), target()
    if spec.type is FieldType.QUANTITY:
        return (1 * pq.ms, 2 * pq.ms) if spec.dimension == "s" else (1 * pq.Hz, 2 * pq.Hz)
    if spec.type is FieldType.ARRAY:
        if spec.name == "labels":
            return np.array(["a"]), np.array(["b"])
        unit = "s" if spec.dimension == "s" else "mV"
        return (np.full(3, 1.0), unit), (np.full(3, 2.0), unit)
    if spec.type is FieldType.JSON:
        return {"key": 1}, {"key": 2}
    return VALUES[spec.type]
