"""Overviews of signals behind a server: made there, so that they alone travel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gnode_orm.core import overview
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.overview import minimum_maximum
from gnode_orm.errors import NotFound
from gnode_orm.stores.rest import receiving
from tests.stores.test_arrays import Pieces


def samples(rows: int) -> Any:
    return np.random.default_rng(rows).integers(-1000, 1000, (rows, 4), dtype=np.int16)


@pytest.mark.parametrize(("rows", "bins"), [(100_000, 500), (1_200_000, 50), (1_200_000, 1), (30, 1000), (1, 1)])
def test_an_overview_is_that_of_the_samples_and_moves_little(server, rows, bins):
    whole = samples(rows)
    ann = server.by("ann")
    ref = ann.put_arrays([(Pieces(whole, 90_000), "mV")])[0]
    sent = server.sent
    low, high, starts = minimum_maximum(ArrayHandle.stored(ann, ref), bins)
    wanted = minimum_maximum(ArrayHandle.in_memory(whole, None), bins)
    for made, right in zip((low, high, starts), wanted, strict=True):
        assert np.array_equal(made, right)
        assert made.dtype == right.dtype
    assert server.sent - sent < 2 * low.nbytes + 2_000


def test_more_bins_than_a_server_makes_are_made_here(server, monkeypatch):
    whole = samples(20_000)
    ann = server.by("ann")
    ref = ann.put_arrays([(Pieces(whole, 9_000), "mV")])[0]
    monkeypatch.setattr(receiving, "MAX_BINS", 99)
    assert overview.MAX_BINS > 99
    low, _, _ = minimum_maximum(ArrayHandle.stored(ann, ref), 100)
    assert np.array_equal(low, minimum_maximum(ArrayHandle.in_memory(whole, None), 100)[0])
    assert not [path for path in server.requests if path.endswith("overview")]


def test_who_may_not_read_a_signal_sees_no_overview_of_it(server):
    ref = server.by("ann").put_arrays([(Pieces(samples(20_000), 9_000), "mV")])[0]
    server.token("ben")
    with pytest.raises(NotFound):
        minimum_maximum(ArrayHandle.stored(server.open("ben"), ref), 10)
