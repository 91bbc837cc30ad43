"""Scalar quantities as fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, overload

from pydantic_core import core_schema

from gnode_orm.core import quantity as quantities_of
from gnode_orm.core.quantity import RATE, TIME
from gnode_orm.errors import ValidationFailed
from gnode_orm.units import unit_of_quantity

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity
    from gnode_orm.core.expressions import QuantityColumn

QuantityLike = Any
"""A Quantity, ``(value, "unit")`` or ``"5 ms"``; ``quantities`` is untyped, so checkers cannot say more."""


class Measured:
    """A quantity of one value; reads as a read-only ``quantities.Quantity`` in the unit given."""

    dimension: ClassVar[str | None] = None

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> QuantityColumn: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> Any: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: QuantityLike) -> None: ...

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.nullable_schema(
            core_schema.no_info_plain_validator_function(cls.accept),
            serialization=core_schema.plain_serializer_function_ser_schema(_quantity_json, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        properties = {"value": {"type": "number"}, "unit": {"type": "string"}}
        pair = {"type": "object", "properties": properties, "required": ["value", "unit"]}
        return {"anyOf": [pair, {"type": "string"}, {"type": "null"}], "default": None}

    @classmethod
    def accept(cls, value: Any) -> Any:
        """Validate one value; gives a quantity, or its columns until it is read."""
        given = quantities_of.accept(value, cls.dimension)
        if type(given) is not tuple and given.size != 1:
            raise ValidationFailed(f"a quantity of shape {given.shape} was given; one value is needed", value=value)
        return given


class TimeQuantity(Measured):
    """A time or duration with its unit, such as ``5 ms``."""

    dimension = TIME


class RateQuantity(Measured):
    """A sampling rate with its unit, such as ``20 kHz``; more than zero."""

    dimension = RATE

    @classmethod
    def accept(cls, value: Any) -> Any:
        """Validate one rate: a finite number above zero."""
        rate = super().accept(value)
        number = rate[0] if type(rate) is tuple else rate.magnitude.item()
        if not 0 < number < float("inf"):
            shown = quantities_of.quantity(value, cls.dimension)
            raise ValidationFailed(f"{shown} is not a rate: it must be finite and above zero", value=value)
        return rate


def _quantity_json(value: Any) -> Any:
    if value is None:
        return None
    number = value.magnitude.tolist()
    finite = isinstance(number, list) or abs(number) < float("inf")
    return {"value": number if finite else str(number), "unit": unit_of_quantity(value).text}
