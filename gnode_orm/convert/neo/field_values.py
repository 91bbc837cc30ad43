"""Values of fields as neo takes them. Arrays are copies, so that neo may change them."""

from __future__ import annotations

from typing import Any

import numpy as np
import quantities as pq
from neo.core.dataobject import ArrayDict

from gnode_orm.convert.filled_names import name_in_file
from gnode_orm.convert.neo.extension import extension_of
from gnode_orm.convert.neo.refusal import refuse
from gnode_orm.core.annotations import plain
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.entity import Entity


def describe(native: Any, model: Any) -> None:
    """Give a neo object what all of them have."""
    native.name = name_in_file(model)
    native.description = model.description
    native.file_origin = model.file_origin
    native.annotations = plain(model.annotations)


def array_annotations(native: Any, values: dict[str, Any]) -> ArrayDict:
    """Make neo's dictionary of array annotations around values that were in one before."""
    kept = ArrayDict(native._get_arr_ann_length())
    dict.update(kept, values)
    return kept


def exact_or(model: Entity, name: str, default: Any) -> Any:
    """Give a field, what it could not hold, or neo's default."""
    value = getattr(model, name)
    if value is not None:
        return scalar(value) if isinstance(value, pq.Quantity) else value
    exact = extension_of(model).get("exact", {})
    return plain_copy(exact[name]) if name in exact else default


def plain_copy(value: Any) -> Any:
    """Copy what neo may change."""
    return value.copy() if isinstance(value, np.ndarray) else value


def scalar(value: Any) -> Any:
    """Copy a scalar quantity."""
    return quantity(np.array(value.magnitude), value._dimensionality)


def quantity(array: Any, dimensionality: Any) -> Any:
    """View an array as a quantity without parsing a unit."""
    view: Any = array.view(pq.Quantity)
    view._dimensionality = dimensionality
    return view


def own_copy(handle: ArrayHandle) -> Any:
    """Load an array that nobody else holds, in C order."""
    return np.array(handle.magnitude, order="C")


def measured(handle: ArrayHandle) -> Any:
    """Load an array with its unit that nobody else holds."""
    return quantity(own_copy(handle), handle.dimensionality)


def needed(model: Any, name: str, path: str) -> Any:
    """Give a field without which neo cannot make the object.

    Raises:
        ValidationFailed: it is not set.
    """
    value = getattr(model, name)
    if value is None:
        raise refuse(path, f"neo cannot make a {type(model).__name__} without it; set it", field=name)
    return value


def needed_or_exact(model: Any, name: str, path: str) -> Any:
    """Give a field without which neo cannot make the object, or what the field could not hold.

    Raises:
        ValidationFailed: there is neither.
    """
    missing = object()
    found = exact_or(model, name, missing)
    return needed(model, name, path) if found is missing else found


def one(value: Any) -> Any:
    """Give a scalar as an array of one value."""
    return quantity(np.array(value.magnitude).reshape(1), value._dimensionality)
