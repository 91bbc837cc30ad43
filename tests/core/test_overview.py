from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.overview import minimum_maximum
from gnode_orm.errors import ValidationFailed


class InPieces(ArrayHandle):
    """An array that comes in small pieces."""

    __slots__ = ("rows",)

    def _rows_per_chunk(self) -> int:
        return self.rows


def naive(array: Any, bins: int) -> tuple[Any, Any, Any]:
    edges = np.linspace(0, len(array), min(bins, len(array)) + 1).astype(int)
    parts = [array[a:b] for a, b in pairwise(edges)]
    return np.array([part.min(0) for part in parts]), np.array([part.max(0) for part in parts]), edges[:-1]


@given(st.integers(1, 60), st.integers(1, 3), st.integers(1, 70), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_extremes_are_right_whatever_the_pieces(length: int, channels: int, bins: int, rows: int, seed: int) -> None:
    array = np.random.default_rng(seed).integers(-9, 9, (length, channels))
    handle = InPieces(array, None)
    handle.rows = rows
    for found, wanted in zip(minimum_maximum(handle, bins), naive(array, bins), strict=True):
        assert np.array_equal(found, wanted)


def test_an_empty_array_has_no_bins() -> None:
    low, high, begins = minimum_maximum(ArrayHandle.in_memory(np.zeros((0, 2)), None), 10)
    assert low.shape == high.shape == (0, 2)
    assert begins.shape == (0,)


@pytest.mark.parametrize("bins", [0, -1, 1.5, None])
def test_a_number_of_bins_above_zero_is_needed(bins: Any) -> None:
    with pytest.raises(ValidationFailed, match="above zero"):
        minimum_maximum(ArrayHandle.in_memory(np.zeros(5), None), bins)
