from __future__ import annotations

from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm.errors import ValidationFailed
from gnode_orm.models import SpikeTrain

TIMES = st.lists(st.floats(0, 10, width=32), max_size=20)


@given(TIMES, st.floats(0, 10), st.floats(0, 10))
def test_a_slice_is_that_of_neo(times: list[float], a: float, b: float) -> None:
    low, high = sorted((a, b))
    waveforms = np.arange(len(times) * 4).reshape(len(times), 2, 2)
    ours = SpikeTrain((np.array(times, float), "s"), t_start="0 s", t_stop="10 s", waveforms=(waveforms, "mV"))
    theirs = neo.SpikeTrain(times, units="s", t_stop=10, waveforms=waveforms * pq.mV)
    cut, wanted = ours.time_slice(low * pq.s, high * pq.s), theirs.time_slice(low * pq.s, high * pq.s)
    assert np.array_equal(cut.times.magnitude, wanted.magnitude)
    assert np.array_equal(cut.waveforms.magnitude, wanted.waveforms.magnitude)
    assert (cut.t_start, cut.t_stop) == (wanted.t_start, wanted.t_stop)


def train(**values: Any) -> SpikeTrain:
    return SpikeTrain([1, 2, 3] * pq.s, t_start=0 * pq.s, t_stop=4 * pq.s, **values)


def test_what_belongs_to_each_spike_is_cut_along() -> None:
    cut = train(
        name="x",
        left_sweep="1 ms",
        sampling_rate="20 kHz",
        annotations={"a": 1},
        array_annotations={"amplitude": np.array([7, 8, 9]), "word": ["a", "b", "c"], "one": 5},
    ).time_slice(2 * pq.s)
    assert cut.array_annotations["amplitude"].tolist() == [8, 9]
    assert cut.array_annotations["word"] == ["b", "c"]
    assert cut.array_annotations["one"] == 5
    assert (cut.name, cut.left_sweep, cut.sampling_rate) == ("x", 1 * pq.ms, 20 * pq.kHz)
    assert cut.annotations == {"a": 1}
    assert (cut.t_start, cut.t_stop) == (2 * pq.s, 4 * pq.s)


def test_an_open_slice_is_the_whole() -> None:
    assert train().time_slice().times.magnitude.tolist() == [1, 2, 3]
    assert SpikeTrain([1, 2] * pq.s).time_slice(1.5 * pq.s).times.magnitude.tolist() == [2]


@pytest.mark.parametrize(
    ("t0", "t1", "message"),
    [
        (-1 * pq.s, None, r"out of range \(train runs from 0.0 s to 4.0 s\)"),
        (None, 5 * pq.s, "out of range"),
        (3 * pq.s, 2 * pq.s, "out of range"),
        (1, None, "1 has no unit"),
        (float("nan") * pq.s, None, "finite"),
    ],
)
def test_a_wrong_bound_is_refused(t0: Any, t1: Any, message: str) -> None:
    with pytest.raises(ValidationFailed, match=message):
        train().time_slice(t0, t1)


def test_a_train_without_times_cannot_be_cut_or_drawn() -> None:
    with pytest.raises(ValidationFailed, match="has no times"):
        SpikeTrain(name="x").time_slice()
    with pytest.raises(ValidationFailed, match="has no times"):
        SpikeTrain(name="x").plot()


def test_waveforms_match_the_spikes() -> None:
    with pytest.raises(ValidationFailed, match="2 waveforms for 3 spikes"):
        train(waveforms=np.zeros((2, 1, 5)))
    assert train(waveforms=np.zeros((3, 1, 5))).waveforms.unit is None


def test_a_train_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValidationFailed, match=r"t_stop: 0.0 s is before t_start"):
        SpikeTrain([] * pq.s, t_start=1 * pq.s, t_stop=0 * pq.s)


def test_duration_needs_both_ends() -> None:
    assert train().duration == 4 * pq.s
    assert SpikeTrain([1] * pq.s).duration is None
