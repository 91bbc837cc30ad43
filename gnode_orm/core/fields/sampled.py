"""Arrays as fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, overload

from pydantic_core import core_schema

from gnode_orm.core.arrays import ArrayHandle, label_array, number_array
from gnode_orm.core.quantity import TIME
from gnode_orm.errors import ValidationFailed

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity
    from gnode_orm.core.expressions import Column


class Sampled:
    """An array; reads as an ``ArrayHandle``.

    Attributes:
        axes: the shape wanted, in words, and the numbers of axes accepted.
    """

    dimension: ClassVar[str | None] = None
    unit_optional: ClassVar[bool] = False
    axes: ClassVar[tuple[str, range]]

    if TYPE_CHECKING:

        @overload
        def __get__(self, obj: None, owner: Any) -> Column[Any]: ...
        @overload
        def __get__(self, obj: Entity, owner: Any) -> Any: ...
        def __get__(self, obj: Any, owner: Any) -> Any: ...
        def __set__(self, obj: Any, value: Any) -> None: ...

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.nullable_schema(
            core_schema.no_info_plain_validator_function(cls.accept),
            serialization=core_schema.plain_serializer_function_ser_schema(_array_json, when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {
            "type": ["object", "null"],
            "default": None,
            "description": "Array descriptor: dtype, shape, unit, sha256",
        }

    @classmethod
    def accept(cls, value: Any) -> ArrayHandle:
        """Validate one array."""
        handle = number_array(value, cls.dimension, unit_optional=cls.unit_optional)
        words, numbers = cls.axes
        if handle.ndim not in numbers:
            raise ValidationFailed(f"an array of shape {handle.shape} was given; {words} is needed", value=value)
        return handle


class SampleArray(Sampled):
    """Samples with a unit: shape (time,) or (time, channel)."""

    axes = ("the shape (time,) or (time, channel)", range(1, 33))


class TimeArray(Sampled):
    """Points in time or durations, shape (n,), with a unit of time."""

    dimension = TIME
    axes = ("one axis", range(1, 2))


class WaveformArray(Sampled):
    """Spike waveforms, shape (spike, channel, time) or (channel, time); neo allows them without a unit."""

    unit_optional = True
    axes = ("the shape (spike, channel, time) or (channel, time)", range(1, 33))


class LabelArray(Sampled):
    """Labels, shape (n,), without a unit."""

    @classmethod
    def accept(cls, value: Any) -> ArrayHandle:
        """Validate the labels."""
        return label_array(value)


def _array_json(value: ArrayHandle | None) -> Any:
    return None if value is None else value.descriptor()
