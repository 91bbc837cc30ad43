"""Spike trains and spikes of neo through models."""

from __future__ import annotations

from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import Block, Spike, SpikeTrain
from gnode_orm.errors import ValidationFailed
from tests.convert.neo.isomorphism import assert_isomorphic
from tests.convert.neo.round_trips import in_block, in_memory, stored


def train(times: Any = (1.0, 2.0, 3.0), **facts: Any) -> neo.SpikeTrain:
    return neo.SpikeTrain(np.asarray(times), units="ms", **{"t_stop": 100, **facts})


def with_bounds(native: neo.SpikeTrain, t_start: Any, t_stop: Any) -> neo.SpikeTrain:
    native.t_start, native.t_stop = t_start, t_stop
    return native


def with_waveforms(native: neo.SpikeTrain, waveforms: Any) -> neo.SpikeTrain:
    native.waveforms = waveforms
    return native


TRAINS = {
    "empty": train(()),
    "unsorted": train((3.0, 1.0, 2.0)),
    "a NaN": train((1.0, np.nan)),
    "integer times and a broken t_stop": with_bounds(train(np.arange(3)), 0 * pq.s, 2.7 * pq.ms),
    "unsigned times": with_bounds(train(np.arange(3, dtype="u2")), -1.0 * pq.s, 2.7 * pq.s),
    "another unit of t_stop": with_bounds(train(), -1 * pq.us, 0.3 * pq.s),
    "single precision": with_bounds(train(np.array([0.1], "f4")), 0.1 * pq.s, 16777217 * pq.ms),
    "endless": train(t_stop=np.inf),
    "big-endian": train(np.array([1, 2], ">i4")),
    "a t_start without a unit": with_bounds(train(), 0.0, 100 * pq.ms),
    "bounds of another dimension": with_bounds(train(), 0 * pq.mV, None),
    "no rate": train(sampling_rate=None),
    "neo's own rate": train(),
    "zero rate": train(sampling_rate=0 * pq.Hz),
    "one left sweep": train(left_sweep=0.5 * pq.ms),
    "a left sweep for each spike": train(left_sweep=[0.5, 0.6, 0.7] * pq.ms),
    "a left sweep without a unit": train(left_sweep=0.5),
    "waveforms": train(waveforms=np.arange(12.0).reshape(3, 2, 2) * pq.uV),
    "raw waveforms without a unit": train(
        waveforms=np.ones((3, 1, 4), "i2"), left_sweep=[1.0] * pq.ms, sampling_rate=None
    ),
    "waveforms of a train without spikes": train((), waveforms=np.zeros((0, 2, 5)) * pq.mV),
    "empty waveforms beside spikes": with_waveforms(train(), np.zeros(0) * pq.mV),
}


@pytest.mark.case(37, 38, 39, 40, 41, 42, 43)
@pytest.mark.parametrize("native", TRAINS.values(), ids=list(TRAINS))
def test_every_spike_train_that_neo_takes_comes_back_from_a_store(native: neo.SpikeTrain) -> None:
    block = in_block(native)
    assert_isomorphic(block, stored(block))


def test_waveforms_that_do_not_match_the_spikes_are_refused_with_their_path() -> None:
    native = with_waveforms(train(), np.ones((2, 1, 5)) * pq.mV)
    with pytest.raises(ValidationFailed, match=r"^block\.segments\[0\]\.spiketrains\[0\].*waveforms.*2 waveforms"):
        Block.from_neo(in_block(native))


def test_times_of_another_dimension_are_refused_with_their_path() -> None:
    native = pq.Quantity([1.0], "mV").view(neo.SpikeTrain)
    with_bounds(native, 0 * pq.s, 1 * pq.s)
    native.unit = None
    with pytest.raises(ValidationFailed, match=r"^block\.segments\[0\]\.spiketrains\[1\]\.times: .*not a time"):
        Block.from_neo(in_block(train(), native))


def test_the_old_attribute_unit_is_refused_instead_of_lost() -> None:
    native = train()
    native.unit = neo.Group()
    with pytest.raises(ValidationFailed, match=r"spiketrain\.unit: .*Group"):
        SpikeTrain.from_neo(native)


def test_fields_of_the_model_are_those_of_the_train() -> None:
    model = SpikeTrain.from_neo(TRAINS["waveforms"])
    assert model.times.load().tolist() == [1.0, 2.0, 3.0]
    assert (model.t_stop, model.sampling_rate, model.waveforms.unit) == (100 * pq.ms, 1 * pq.Hz, "uV")
    assert not model.ext


def test_a_train_made_here_without_t_stop_is_refused_by_neo_with_the_remedy() -> None:
    with pytest.raises(ValidationFailed, match=r"spiketrain\.t_stop: .*set it"):
        SpikeTrain(([1.0], "ms")).to_neo()


def test_a_single_spike_is_a_train_of_length_one() -> None:
    spike = Spike(5 * pq.ms, waveform=(np.ones((2, 4), "i2"), "uV"), left_sweep=1 * pq.ms)
    native = spike.to_neo()
    assert (native.shape, native.t_start, native.t_stop, native.waveforms.shape) == (
        (1,),
        5 * pq.ms,
        5 * pq.ms,
        (1, 2, 4),
    )
    again = Spike.from_neo(native)
    assert (again.time, again.waveform.shape, again.left_sweep) == (5 * pq.ms, (2, 4), 1 * pq.ms)


def test_bounds_of_a_single_spike_are_kept_where_they_are_not_its_time() -> None:
    native = train((5.0,), waveforms=np.ones((1, 1, 3)))
    assert_isomorphic(native, Spike.from_neo(native).to_neo())


def test_a_train_of_several_spikes_is_no_single_spike() -> None:
    with pytest.raises(ValidationFailed, match=r"spiketrain\.time: 3 times"):
        Spike.from_neo(train())


def test_trains_made_from_one_array_of_spikes_are_expanded() -> None:
    segment = neo.Segment()
    segment.spiketrains = neo.spiketrainlist.SpikeTrainList.from_spike_time_array(
        np.array([1.0, 2.0, 3.0]), np.array([0, 1, 0]), [0, 1], t_stop=10 * pq.ms, units="ms"
    )
    again = in_memory(segment)
    assert [item.tolist() for item in again.spiketrains] == [[1.0, 3.0], [2.0]]
    assert [item.annotations["channel_id"] for item in again.spiketrains] == [0, 1]
