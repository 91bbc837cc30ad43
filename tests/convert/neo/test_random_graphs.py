"""Graphs that nobody thought of: neo's own random blocks, and ours."""

from __future__ import annotations

import os
import random
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from neo.test.generate_datasets import random_block

from tests.convert.neo.isomorphism import assert_isomorphic
from tests.convert.neo.round_trips import in_block, in_memory, stored

SEEDS = range(int(os.environ.get("GNODE_ORM_TEST_SEEDS", "200")))

UNITS = st.sampled_from(["s", "ms", "us", "min"])
NUMBERS = st.one_of(arrays.floating_dtypes(), arrays.integer_dtypes(), arrays.unsigned_integer_dtypes())
SAMPLE_TYPES = st.one_of(NUMBERS, arrays.complex_number_dtypes(), arrays.boolean_dtypes())
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NAMES = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    TEXT,
    st.binary(max_size=8),
    st.complex_numbers(),
    st.dates(),
    st.times(),
    st.datetimes(),
    st.timedeltas(),
    st.decimals(),
    arrays.arrays(SAMPLE_TYPES, arrays.array_shapes(min_dims=0, max_dims=2, max_side=3)),
    st.builds(pq.Quantity, arrays.arrays("f8", arrays.array_shapes(min_dims=0, max_dims=1, max_side=3)), UNITS),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(TEXT, inner, max_size=3)
)
ANNOTATIONS = st.dictionaries(TEXT, VALUES, max_size=3)


@st.composite
def scalars(draw: st.DrawFn, units: st.SearchStrategy[str] = UNITS) -> Any:
    return pq.Quantity(draw(arrays.arrays(draw(NUMBERS), ())), draw(units))


@st.composite
def described(draw: st.DrawFn, native: Any) -> Any:
    native.name, native.description = draw(NAMES), draw(NAMES)
    native.annotations = draw(ANNOTATIONS)
    return native


@st.composite
def signals(draw: st.DrawFn) -> neo.AnalogSignal:
    samples = draw(
        arrays.arrays(draw(SAMPLE_TYPES), arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=4))
    )
    signal = pq.Quantity(samples, draw(st.sampled_from(["mV", "pA", "degC", "uV**2/Hz", ""]))).view(neo.AnalogSignal)
    signal._sampling_rate = draw(scalars(st.sampled_from(["Hz", "kHz", "1/min", "mV"])))
    signal._t_start = draw(scalars() | st.floats())
    return draw(described(signal))


@st.composite
def trains(draw: st.DrawFn) -> neo.SpikeTrain:
    times = draw(arrays.arrays(draw(NUMBERS), st.integers(0, 4)))
    train = pq.Quantity(times, draw(UNITS)).view(neo.SpikeTrain)
    bounds = sorted([draw(st.floats(allow_nan=False)), draw(st.floats(allow_nan=False))])
    unit = draw(UNITS)
    train.t_start, train.t_stop = (pq.Quantity(bound, unit) for bound in bounds)
    train.waveforms = draw(st.none() | arrays.arrays(draw(NUMBERS), (len(times), 2, 3)))
    train.left_sweep = draw(st.none() | scalars() | st.floats())
    train.sampling_rate = draw(st.none() | scalars(st.sampled_from(["Hz", "kHz"])))
    train.unit = None
    return draw(described(train))


@pytest.mark.parametrize("seed", SEEDS)
def test_random_blocks_of_neo_come_back_from_a_store(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    block = random_block()
    assert_isomorphic(block, stored(block))


@given(st.lists(signals() | trains(), max_size=4), ANNOTATIONS)
def test_every_graph_of_signals_and_trains_comes_back(data: list[Any], annotations: dict[str, Any]) -> None:
    block = in_block(*data)
    block.annotations = annotations
    assert_isomorphic(block, in_memory(block))


@given(st.lists(signals() | trains(), max_size=4))
def test_every_graph_of_signals_and_trains_comes_back_from_a_store(data: list[Any]) -> None:
    block = in_block(*data)
    assert_isomorphic(block, stored(block))
