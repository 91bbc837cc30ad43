"""Rows and channels that are picked by their numbers come without the whole array."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.stores.test_arrays import Pieces

ROWS = 400_000


@pytest.fixture
def stored(server):
    whole = np.random.default_rng(0).integers(-1000, 1000, (ROWS, 4), dtype=np.int16)
    ann = server.by("ann")
    return server, ann, ann.put_arrays([(Pieces(whole, 90_000), "mV")])[0], whole


@pytest.mark.parametrize(
    ("key", "rows"),
    [
        (np.s_[1000:2000, [0, 3]], 1000),
        (np.s_[5, [0, 3]], 1),
        ([7, 5, 2000], 2000),
        (np.arange(ROWS) == 399_999, 1),
        (np.s_[[10, 20], [1, 2]], ROWS),
        (np.s_[-10:, [True, False, False, True]], 10),
        (np.s_[::-100_000, [1]], ROWS),
        ([], 0),
    ],
)
def test_only_the_rows_that_are_concerned_are_sent(stored, key, rows):
    server, ann, ref, whole = stored
    sent = server.sent
    found = ann.read_array(ref, key)
    assert np.array_equal(found, whole[key])
    assert not found.flags.writeable
    assert server.sent - sent < rows * 8 + 3_000


def test_many_keys_are_answered_in_their_order(stored):
    _, ann, ref, whole = stored
    keys: list[Any] = [np.s_[3:9], [4, 2], np.s_[0:2, [1]], 7, np.s_[..., 1]]
    for found, key in zip(ann.read_arrays([(ref, key) for key in keys]), keys, strict=True):
        assert np.array_equal(found, whole[key])


def test_a_row_that_is_not_there_is_said(stored):
    _, ann, ref, _ = stored
    with pytest.raises(IndexError, match="out of bounds"):
        ann.read_array(ref, [0, ROWS])


def test_a_single_value_can_be_picked(server):
    ann = server.by("ann")
    ref = ann.put_arrays([(Pieces(np.array("x" * 40_000), 1), None)])[0]
    assert ann.read_array(ref, np.array(True)).tolist() == ["x" * 40_000]
