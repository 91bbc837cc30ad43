"""Updating a field of a model only where it differs, so that an unmodified graph writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import quantities as pq

from gnode_orm.convert.filled_names import name_in_file
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.entity import Entity
from gnode_orm.core.quantity import to_columns
from gnode_orm.core.schema import FieldType
from gnode_orm.core.typed_json import encode


def assign(model: Entity, name: str, value: Any, exact: Mapping[str, Any]) -> None:
    """Set one field, unless it says the same already."""
    old = name_in_file(model) if name == "name" else getattr(model, name)
    if _same(type(model).__spec__.by_name[name].type, old, value):
        return
    if old is None and name not in exact and _is_default(name, value):
        return
    setattr(model, name, value)


def _same(kind: FieldType, old: Any, new: Any) -> bool:
    if old is None or new is None:
        return old is new
    if kind is FieldType.QUANTITY:
        return to_columns(old) == to_columns(new)
    if kind in (FieldType.JSON, FieldType.NUMBERS):
        return encode(old) == encode(new)
    if kind is FieldType.ARRAY:
        return old.ref is None and _same_memory(old, new)
    return bool(old == new)


def _same_memory(old: ArrayHandle, new: ArrayHandle) -> bool:
    if old is new:
        return True
    here, there = old._array, new._array
    if here is None or there is None or old.unit != new.unit:
        return False
    return bool(here.__array_interface__ == there.__array_interface__)


def _is_default(name: str, value: Any) -> bool:
    """Whether neo fills in this value where a model says nothing."""
    if name == "t_start":
        return to_columns(value) == to_columns(pq.Quantity(0.0, "s"))
    if name in ("labels", "durations") and isinstance(value, ArrayHandle):
        return value.size == 0 and value.dtype == (np.dtype("U1") if name == "labels" else np.float64)
    return False
