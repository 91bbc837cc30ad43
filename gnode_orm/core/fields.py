"""The kinds of field that a model declares, typed so that checkers need no plugin.

Each annotation is a descriptor for type checkers alone: on an instance it gives the value, on the class a column to
build conditions from. At run time an annotation is nothing but a hook for pydantic's schema, so reads stay native.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar, get_args, overload

import orjson
from pydantic import Field
from pydantic_core import PydanticCustomError, core_schema

from gnode_orm.core import quantity as quantities_of
from gnode_orm.core.annotations import AnnotationDict
from gnode_orm.core.arrays import ArrayHandle, label_array, number_array
from gnode_orm.core.quantity import RATE, TIME
from gnode_orm.core.schema import FieldType
from gnode_orm.core.typed_json import encode
from gnode_orm.errors import GnodeError, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.units import unit_of_quantity

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity
    from gnode_orm.core.expressions import Column, JsonColumn, QuantityColumn

T = TypeVar("T")
E = TypeVar("E", bound="Entity")

QuantityLike = Any
"""A Quantity, ``(value, "unit")`` or ``"5 ms"``; ``quantities`` is untyped, so checkers cannot say more."""

_NO_NUL = r"^[^\x00]*$"  # PostgreSQL cannot keep NUL in text
_INT64 = {"ge": -(2**63), "le": 2**63 - 1}


def field(*, default: Any = None, kw_only: bool = True, description: str = "") -> Any:
    """Declare a plain field, a quantity or an array. ``kw_only=False`` lets it be given by position."""
    return Field(default=default, description=description or None, kw_only=kw_only)


class Mapped(Generic[T]):
    """A plain field: text, number, boolean or time."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> Column[T]: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> T: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: T) -> None: ...

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        schema: core_schema.CoreSchema = _narrowed(handler(get_args(source)[0]))
        return schema

    @staticmethod
    def field_type(annotation: Any) -> FieldType:
        """Give the field type that an annotation ``Mapped[...]`` stands for."""
        arguments = get_args(get_args(annotation)[0]) or (get_args(annotation)[0],)
        for python_type, field_type in _PLAIN_TYPES:
            if python_type in arguments:
                return field_type
        raise TypeError(f"{annotation} cannot be kept in a store")


_PLAIN_TYPES = (
    (bool, FieldType.BOOLEAN),
    (str, FieldType.TEXT),
    (int, FieldType.INTEGER),
    (datetime, FieldType.DATETIME),
    (date, FieldType.DATE),
)


def _narrowed(schema: Any) -> Any:
    """Narrow text and integers to what every store can keep."""
    if schema["type"] == "nullable":
        return {**schema, "schema": _narrowed(schema["schema"])}
    if schema["type"] == "str":
        return {**schema, "pattern": _NO_NUL}
    return {**schema, **_INT64} if schema["type"] == "int" and "ge" not in schema else schema


class Ref(Generic[E]):
    """A foreign key: accepts an instance, a ``Location`` or its text; reads as the instance, loaded at first use."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> type[E]: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> E | None: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: E | str | None) -> None: ...

    if not TYPE_CHECKING:
        # Named by text, so that models of different modules can refer to each other.
        def __class_getitem__(cls, target: str) -> Any:
            return Annotated[Any, ReferenceRule(target.lower())]


class ReferenceRule:
    """Validates the values of one foreign key."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _mended(self.accept),
            serialization=core_schema.plain_serializer_function_ser_schema(_reference_text, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        text = {"type": "string", "description": f"Location of a {self.kind}"}
        return {"anyOf": [text, {"type": "null"}], "default": None}

    def accept(self, value: Any) -> Any:
        """Give an instance of the kind, a location of the kind, or ``None``."""
        if value is None or getattr(value, "kind", None) == self.kind:
            return value
        if isinstance(value, str):
            location = Location(value)
            if location.kind != self.kind:
                raise ValidationFailed(
                    f"{value!r} is the location of a {location.kind}; a {self.kind} is needed", value=value
                )
            return location
        raise ValidationFailed(
            f"{value!r} is neither a {self.kind} nor the location of one; no object is made from it", value=value
        )


def ref(related: str = "") -> Any:
    """Declare a foreign key; ``related`` names the collection on the parent's side, where there is one."""
    return Field(default=None, json_schema_extra={"related": related})


def _reference_text(value: Any) -> Any:
    return None if value is None else (value if isinstance(value, str) else value.location)


class _Measured:
    """A scalar quantity; reads as a read-only ``quantities.Quantity`` in the unit given."""

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
        def validate(value: Any) -> Any:
            return None if value is None else cls.accept(value)

        return core_schema.no_info_plain_validator_function(
            _mended(validate),
            serialization=core_schema.plain_serializer_function_ser_schema(_quantity_json, when_used="json"),
        )

    @classmethod
    def accept(cls, value: Any) -> Any:
        """Validate one value."""
        return quantities_of.quantity(value, cls.dimension)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        properties = {"value": {"type": "number"}, "unit": {"type": "string"}}
        pair = {"type": "object", "properties": properties, "required": ["value", "unit"]}
        return {"anyOf": [pair, {"type": "string"}, {"type": "null"}], "default": None}


class TimeQuantity(_Measured):
    """A time or duration with its unit, such as ``5 ms``."""

    dimension = TIME


class RateQuantity(_Measured):
    """A sampling rate with its unit, such as ``20 kHz``; more than zero."""

    dimension = RATE

    @classmethod
    def accept(cls, value: Any) -> Any:
        """Validate one rate: a finite number above zero."""
        rate = super().accept(value)
        if not (0 < rate.magnitude).all() or not (rate.magnitude < float("inf")).all():
            raise ValidationFailed(f"{rate} is not a rate: it must be finite and above zero", value=value)
        return rate


def _quantity_json(value: Any) -> Any:
    if value is None:
        return None
    number = value.magnitude.tolist()
    finite = isinstance(number, list) or abs(number) < float("inf")
    return {"value": number if finite else str(number), "unit": unit_of_quantity(value).text}


class _Sampled:
    """An array; reads as an ``ArrayHandle``."""

    dimension: ClassVar[str | None] = None
    plain: ClassVar[bool] = False
    unit_optional: ClassVar[bool] = False

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> Column[Any]: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> Any: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: Any) -> None: ...

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(value: Any) -> Any:
            if value is None:
                return None
            if cls.plain:
                return label_array(value)
            return number_array(value, cls.dimension, unit_optional=cls.unit_optional)

        return core_schema.no_info_plain_validator_function(
            _mended(validate),
            serialization=core_schema.plain_serializer_function_ser_schema(_array_json, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {
            "type": ["object", "null"],
            "default": None,
            "description": "Array descriptor: dtype, shape, unit, sha256",
        }


def _array_json(value: ArrayHandle | None) -> Any:
    return None if value is None else value.descriptor()


class SampleArray(_Sampled):
    """Samples with a unit: shape (time,) or (time, channel)."""


class TimeArray(_Sampled):
    """Points in time or durations, shape (n,), with a unit of time."""

    dimension = TIME


class WaveformArray(_Sampled):
    """Spike waveforms, shape (spike, channel, time) or (channel, time); neo allows them without a unit."""

    unit_optional = True


class LabelArray(_Sampled):
    """Labels, shape (n,), without a unit."""

    plain = True


class Annotations:
    """A nested dictionary; value types are kept and edits at any depth are tracked."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> JsonColumn: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> dict[str, Any]: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: Mapping[str, Any] | None) -> None: ...

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        def validate(value: Any) -> Any:
            if value is None:
                return AnnotationDict()
            if not isinstance(value, Mapping):
                raise ValidationFailed(f"{value!r} is not a dictionary", value=value)
            encode(value)
            return AnnotationDict(value)

        return core_schema.no_info_plain_validator_function(
            _mended(validate),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: orjson.loads(encode(value)), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "object", "default": {}}


class ReadOnlyDict(dict[str, Any]):
    """A dictionary that users read and the package writes."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def _refuse(self, *args: Any, **values: Any) -> Any:
            raise TypeError("ext is kept by the package and cannot be edited")

        __setitem__ = __delitem__ = update = setdefault = pop = popitem = clear = __ior__ = _refuse

    # Hashable by identity, so that pydantic shares the empty default instead of copying it for each object.
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return ReadOnlyDict, (dict(self),)


_NO_EXTENSION = ReadOnlyDict()


def extension() -> Any:
    """Declare the field ``ext``."""
    return Field(default=_NO_EXTENSION)


class Extension:
    """What the 18 kinds cannot hold; written by converters, read-only for users."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> JsonColumn: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> Mapping[str, Any]: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: Mapping[str, Any] | None) -> None: ...

    @classmethod
    def accept(cls, value: Any) -> ReadOnlyDict:
        """Freeze a dictionary that can be stored."""
        if value is not None and not isinstance(value, Mapping):
            raise ValidationFailed(f"{value!r} is not a dictionary", value=value)
        encode(value)
        return ReadOnlyDict(value or {})

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _mended(cls.accept),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: orjson.loads(encode(value)), when_used="json"
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "object", "default": {}}


class Scaling:
    """Gain or offset of raw samples: one number for all channels, or one for each."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> Column[Any]: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> float | tuple[float, ...] | None: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: Any) -> None: ...

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(_mended(_scaling))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        numbers = {"type": "array", "items": {"type": "number"}}
        return {"anyOf": [{"type": "number"}, numbers, {"type": "null"}], "default": None}


def _scaling(value: Any) -> Any:
    if value is None:
        return None
    try:
        numbers = tuple(float(item) for item in value) if hasattr(value, "__len__") else float(value)
    except (TypeError, ValueError):
        raise ValidationFailed(f"{value!r} is neither a number nor one number per channel", value=value) from None
    if not all(abs(item) < float("inf") for item in (numbers if isinstance(numbers, tuple) else (numbers,))):
        raise ValidationFailed(f"{value!r} is not finite", value=value)
    return numbers


def _mended(validate: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let pydantic collect our errors beside its own."""

    def call(value: Any) -> Any:
        try:
            return validate(value)
        except GnodeError as error:
            raise PydanticCustomError("gnode", "{reason}", {"reason": str(error), "error": error}) from error

    return call
