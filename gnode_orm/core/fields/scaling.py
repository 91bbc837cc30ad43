"""Gain and offset of raw samples as fields."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import quantities as pq
from pydantic_core import core_schema

from gnode_orm.errors import ValidationFailed

if TYPE_CHECKING:
    from gnode_orm.core.entity import Entity
    from gnode_orm.core.expressions import Column


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
        return core_schema.nullable_schema(core_schema.no_info_plain_validator_function(cls.accept))

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        numbers = {"type": "array", "items": {"type": "number"}}
        return {"anyOf": [{"type": "number"}, numbers, {"type": "null"}], "default": None}

    @classmethod
    def accept(cls, value: Any) -> float | tuple[float, ...]:
        """Validate one finite number, or a sequence of them."""
        if isinstance(value, str | bytes | pq.Quantity):
            raise ValidationFailed(_refusal(value), value=value)
        try:
            numbers = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise ValidationFailed(_refusal(value), value=value) from None
        if numbers.ndim > 1:
            raise ValidationFailed(_refusal(value), value=value)
        if not all(map(math.isfinite, numbers.ravel())):
            raise ValidationFailed(f"{value!r} is not finite", value=value)
        return tuple(numbers.tolist()) if numbers.ndim else float(numbers)


def _refusal(value: Any) -> str:
    return f"{value!r} is neither a number nor one number per channel"
