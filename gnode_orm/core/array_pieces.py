"""Arrays that stand or come in pieces along their first axis, read by slices without putting them together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def read_pieces(pieces: Iterable[Array], shape: tuple[int, ...], dtype: np.dtype[Any], key: Any) -> Array:
    """Give ``array[key]`` of the array that pieces make up, looking into those alone that it concerns."""
    first, rest = (key[0], key[1:]) if isinstance(key, tuple) and key else (key, ())
    if isinstance(first, int | np.integer) and not isinstance(first, bool | np.bool_):
        number = int(first) + (shape[0] if first < 0 else 0)
        if not 0 <= number < shape[0]:
            raise IndexError(f"index {first} is out of bounds for axis 0 with size {shape[0]}")
        row: Array = _rows(pieces, shape, dtype, number, number + 1)[(0, *rest)]
        return row
    if isinstance(first, slice) and first.step in (None, 1):
        start, stop, _ = first.indices(shape[0])
        rows: Array = _rows(pieces, shape, dtype, start, stop)[(slice(None), *rest)]
        return rows
    whole: Array = _rows(pieces, shape, dtype, 0, shape[0])[key]
    return whole


def _rows(pieces: Iterable[Array], shape: tuple[int, ...], dtype: np.dtype[Any], start: int, stop: int) -> Array:
    found = []
    begin = 0
    for piece in pieces:
        if begin >= stop:
            break
        part = piece[max(0, start - begin) : max(0, stop - begin)]
        if len(part):
            found.append(part)
        begin += len(piece)
    if len(found) == 1:
        return found[0]
    return np.concatenate(found) if found else np.empty((0, *shape[1:]), dtype)
