"""What NWB says in fields and columns, as values that an annotation can hold; what it cannot hold is named."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

_PLAIN = (str, bool, int, float, dt.datetime, dt.date)


class NoCounterpartError(Exception):
    """A value is of a kind that no annotation holds."""


def value_of(given: Any) -> Any:
    """Give a text, number, time or array, and the name of another object of the file.

    Raises:
        NoCounterpartError: it is of another kind.
    """
    if isinstance(given, np.generic):
        given = given.item()
    if isinstance(given, bytes):
        return given.decode("utf-8", "replace")
    if isinstance(given, _PLAIN):
        return given
    if isinstance(getattr(given, "name", None), str) and hasattr(given, "object_id"):
        return given.name
    if isinstance(given, list | tuple) or hasattr(given, "shape"):
        return _array(given)
    raise NoCounterpartError(type(given).__name__)


def _array(given: Any) -> Any:
    try:
        array = np.asarray(given[:] if hasattr(given, "shape") and given.shape else given)
    except (ValueError, TypeError):  # lists of different lengths
        raise NoCounterpartError("a ragged list") from None
    if array.dtype.kind in "iufb":
        return array
    texts = [item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in array.ravel().tolist()]
    if array.ndim == 1 and all(isinstance(item, str) for item in texts):
        return texts
    raise NoCounterpartError(f"an array of {array.dtype}")


def fields_of(item: Any, but: frozenset[str], left: list[str]) -> Iterator[tuple[str, Any]]:
    """Give the fields of an object that say something; name those that no annotation holds."""
    for name, given in item.fields.items():
        if name in but or given is None or (isinstance(given, str) and given in ("", "no comments", "no description")):
            continue
        if isinstance(given, Mapping):  # other objects, each taken by itself
            continue
        try:
            yield name, value_of(given)
        except NoCounterpartError:
            left.append(f"{name} of {type(item).__name__} {str(item.name)!r}")


def cell_of(table: Any, column: str, row: int) -> Any:
    """Give what stands in one cell: a value, or for a cell with several an array; rows of other tables by number.

    Raises:
        NoCounterpartError: it is of another kind.
    """
    found = table[column]
    region = getattr(found, "target", found)
    if hasattr(region, "table"):  # numbers of rows
        rows = region.data
        first = 0 if row == 0 or found is region else int(found.data[row - 1])
        last = int(found.data[row]) if found is not region else row + 1
        return np.asarray(rows[row:last] if found is region else rows[first:last])
    return value_of(found[row])


def column_of(table: Any, column: str) -> Any:
    """Give a column as an array with one value for each row; cells with several values become JSON texts.

    Raises:
        NoCounterpartError: it holds something else.
    """
    cells = [cell_of(table, column, row) for row in range(len(table))]
    if any(isinstance(cell, np.ndarray | list) for cell in cells):
        return np.array([json.dumps(np.asarray(cell).tolist()) for cell in cells])
    if any(isinstance(cell, dt.date) for cell in cells):
        return np.array([str(cell) for cell in cells])
    return np.array(cells)
