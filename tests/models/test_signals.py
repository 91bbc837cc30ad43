from __future__ import annotations

from itertools import pairwise
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm.errors import UnitError, ValidationFailed
from gnode_orm.models import AnalogSignal, AnalogSignalArray, IrregularlySampledSignal

RATES = st.sampled_from([1 * pq.kHz, 20 * pq.kHz, 30 * pq.kHz, 44100 * pq.Hz, 0.1 * pq.Hz, 1 / (3 * pq.us)])
STARTS = st.sampled_from([0 * pq.s, -3.7 * pq.ms, 0.1 * pq.s, 123456.789 * pq.s, 1e6 * pq.us])


def pair(length: int, rate: Any, start: Any, channels: int = 2) -> tuple[AnalogSignalArray, neo.AnalogSignal]:
    samples = np.arange(length * channels, dtype="f4").reshape(length, channels)
    ours = AnalogSignalArray((samples, "mV"), sampling_rate=rate, t_start=start)
    return ours, neo.AnalogSignal(samples, units="mV", sampling_rate=rate, t_start=start)


@given(st.integers(1, 50), RATES, STARTS)
def test_times_are_those_of_neo(length: int, rate: Any, start: Any) -> None:
    ours, theirs = pair(length, rate, start)
    assert np.array_equal(ours.times.rescale("s").magnitude, theirs.times.rescale("s").magnitude)
    assert ours.times.dimensionality == start.dimensionality
    assert ours.t_stop == theirs.t_stop
    assert ours.duration == theirs.duration
    assert ours.shape == theirs.shape
    assert ours.units == theirs.units


@given(st.integers(1, 50), RATES, STARTS, st.floats(0, 1), st.floats(0, 1))
def test_a_slice_is_that_of_neo(length: int, rate: Any, start: Any, a: float, b: float) -> None:
    ours, theirs = pair(length, rate, start)
    low, high = (start + bound * theirs.duration for bound in sorted((a, b)))
    try:
        wanted = theirs.time_slice(low, high)
    except ValueError:
        with pytest.raises(ValidationFailed, match="out of range"):
            ours.time_slice(low, high)
        return
    cut = ours.time_slice(low, high)
    assert np.array_equal(cut.signal.magnitude, wanted.magnitude)
    assert cut.signal.dtype == wanted.dtype
    assert cut.sampling_rate == rate
    assert float(cut.t_start.rescale("s")) == pytest.approx(float(wanted.t_start.rescale("s")), rel=1e-14, abs=1e-12)
    assert cut._state is None


def test_an_open_bound_is_the_end_of_the_signal() -> None:
    ours, _ = pair(10, 1 * pq.kHz, 1 * pq.s)
    assert ours.time_slice().shape == (10, 2)
    assert ours.time_slice(t0="1.002 s").shape == (8, 2)
    assert ours.time_slice(t1=(1002, "ms")).shape == (2, 2)
    assert ours.time_slice(t1=1002 * pq.ms).t_start == 1 * pq.s


@pytest.mark.parametrize(
    ("t0", "t1", "message"),
    [
        (3600, None, r"time_slice needs times: 3600 has no unit \(signal runs 0 s to 10800 s\)"),
        (None, 1.5, r"time_slice needs times: 1.5 has no unit"),
        (-1 * pq.s, None, r"out of range \(signal runs 0 s to 10800 s\)"),
        (None, 10801 * pq.s, "out of range"),
        (10801 * pq.s, None, "out of range"),
        (5 * pq.s, 1 * pq.s, "before it begins"),
        (float("nan") * pq.s, None, "needs finite times"),
        (None, float("inf") * pq.s, "needs finite times"),
        ([1, 2] * pq.s, None, "needs finite times"),
    ],
)
def test_a_bound_without_unit_or_out_of_range_is_refused(t0: Any, t1: Any, message: str) -> None:
    signal = AnalogSignal((np.zeros(10800), "mV"), sampling_rate=1 * pq.Hz, t_start=0 * pq.s)
    with pytest.raises(ValidationFailed, match=message):
        signal.time_slice(t0, t1)


def test_a_bound_that_is_no_time_is_refused() -> None:
    signal, _ = pair(10, 1 * pq.kHz, 0 * pq.s)
    with pytest.raises(UnitError, match="is not a time"):
        signal.time_slice(1 * pq.mV)


def channelled() -> AnalogSignalArray:
    return AnalogSignalArray(
        (np.arange(12).reshape(4, 3), "mV"),
        sampling_rate=1 * pq.kHz,
        name="x",
        gain=[1, 2, 3],
        offset=0.5,
        annotations={"a": 1},
        array_annotations={"channel_names": ["a", "b", "c"], "depth": np.array([1, 2, 3]) * pq.um, "other": [1]},
    )


@pytest.mark.parametrize(
    ("channels", "numbers"),
    [
        (None, [0, 1, 2]),
        (1, [1]),
        (-1, [2]),
        (np.int64(1), [1]),
        ("c", [2]),
        (["c", 0], [2, 0]),
        ((0, 2), [0, 2]),
        (np.array([2, 1]), [2, 1]),
        (slice(1, None), [1, 2]),
        (slice(None, None, -1), [2, 1, 0]),
        ([], []),
    ],
    ids=str,
)
def test_channels_are_picked_by_number_and_name(channels: Any, numbers: list[int]) -> None:
    signal = channelled()
    cut = signal.time_slice(1 * pq.ms, 3 * pq.ms, channels=channels)
    assert np.array_equal(cut.signal.magnitude, signal.signal.magnitude[1:3][:, numbers])
    assert cut.channel_names == ["abc"[number] for number in numbers]
    assert cut.array_annotations["depth"].magnitude.tolist() == [number + 1 for number in numbers]
    assert cut.array_annotations["other"] == [1]
    assert cut.gain == tuple(number + 1.0 for number in numbers)
    assert (cut.offset, cut.name, cut.annotations) == (0.5, "x", {"a": 1})


@pytest.mark.parametrize("channels", ["d", 3, -4, [0, "d"], 1.5])
def test_an_unknown_channel_is_refused_with_those_there_are(channels: Any) -> None:
    with pytest.raises(ValidationFailed, match="has no channel"):
        channelled().time_slice(channels=channels)


def test_a_slice_shares_no_annotations_with_its_whole() -> None:
    signal = channelled()
    cut = signal.time_slice()
    cut.annotations["b"] = 2
    cut.array_annotations["channel_names"][0] = "z"
    assert signal.annotations == {"a": 1}
    assert signal.channel_names == ["a", "b", "c"]


class Reader:
    """A stored array that notes which slices are read."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.keys: list[Any] = []

    def read_array(self, ref: Any, key: Any = ...) -> Any:
        self.keys.append(key)
        return self.array[key]


def test_a_slice_reads_only_what_it_returns_in_one_range() -> None:
    from gnode_orm.core.arrays import ArrayHandle
    from gnode_orm.core.changes import ArrayRef

    reader = Reader(np.arange(40.0).reshape(10, 4))
    handle = ArrayHandle.stored(reader, ArrayRef(b"h" * 32, "<f8", (10, 4), "mV"))
    signal = AnalogSignalArray(handle, sampling_rate=1 * pq.kHz)
    signal.time_slice(2 * pq.ms, 4 * pq.ms, channels=[3, 1])
    assert reader.keys == [(slice(2, 4), slice(1, 4))]


@pytest.mark.parametrize("bins", [1, 7, 100, 1000])
def test_an_overview_has_the_extremes_of_each_stretch(bins: int) -> None:
    samples = np.random.default_rng(1).normal(size=(100, 2)).astype("f4")
    signal = AnalogSignalArray((samples, "uV"), sampling_rate=1 * pq.kHz, t_start=5 * pq.ms)
    overview = signal.downsample(bins)
    edges = np.linspace(0, 100, min(bins, 100) + 1).astype(int)
    for number, (first, last) in enumerate(pairwise(edges)):
        assert np.array_equal(overview.minimum.magnitude[number], samples[first:last].min(0))
        assert np.array_equal(overview.maximum.magnitude[number], samples[first:last].max(0))
    assert overview.minimum.dimensionality.string == "uV"
    assert np.array_equal(overview.times.magnitude, signal.times[edges[:-1]].magnitude)


def test_an_overview_knows_one_method() -> None:
    with pytest.raises(ValidationFailed, match="knows the method 'minmax', not 'mean'"):
        channelled().downsample(5, method="mean")


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: AnalogSignal(name="x").shape, "has no samples"),
        (lambda: AnalogSignal([1, 2] * pq.mV).times, r"has no sampling_rate, .* set one such as 20\*pq.kHz"),
        (lambda: AnalogSignal([1, 2] * pq.mV).time_slice(), "has no sampling_rate"),
        (lambda: IrregularlySampledSignal([1, 2] * pq.mV).t_stop, "has no times"),
        (lambda: IrregularlySampledSignal([1, 2] * pq.mV).time_slice(), "has no times"),
    ],
)
def test_what_a_signal_lacks_is_named(act: Any, message: str) -> None:
    with pytest.raises(ValidationFailed, match=message):
        act()


def test_without_a_start_a_signal_begins_at_zero() -> None:
    assert AnalogSignal([1, 2] * pq.mV, sampling_rate=1 * pq.Hz).times.tolist() == [0, 1]


def irregular() -> IrregularlySampledSignal:
    return IrregularlySampledSignal(
        ([[1, 2], [3, 4], [5, 6]], "mV"), times=[1, 2, 4] * pq.ms, array_annotations={"channel_names": ["a", "b"]}
    )


def test_an_irregular_signal_is_cut_by_its_times() -> None:
    signal = irregular()
    assert (signal.t_stop, signal.duration) == (4 * pq.ms, 3 * pq.ms)
    cut = signal.time_slice("0.002 s", 4 * pq.ms, channels="b")
    assert cut.signal.magnitude.tolist() == [[4]]
    assert cut.times.magnitude.tolist() == [2]
    assert cut.channel_names == ["b"]
    assert signal.time_slice(2 * pq.ms).times.magnitude.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("t0", "t1", "message"),
    [
        (0 * pq.ms, None, r"out of range \(signal runs 1 ms to 4 ms\)"),
        (None, 5 * pq.ms, "out of range"),
        (3 * pq.ms, 2 * pq.ms, "before it begins"),
        (1, None, "1 has no unit"),
    ],
)
def test_a_wrong_bound_of_an_irregular_signal_is_refused(t0: Any, t1: Any, message: str) -> None:
    with pytest.raises(ValidationFailed, match=message):
        irregular().time_slice(t0, t1)


def test_an_irregular_signal_whose_times_fall_cannot_be_cut() -> None:
    with pytest.raises(ValidationFailed, match="times that rise"):
        IrregularlySampledSignal([1, 2] * pq.mV, times=[2, 1] * pq.s).time_slice()


def test_an_irregular_signal_has_a_time_for_each_sample() -> None:
    with pytest.raises(ValidationFailed, match="2 times for 3 samples; one time for each sample is needed"):
        IrregularlySampledSignal([1, 2, 3] * pq.mV, times=[1, 2] * pq.s)


def test_an_irregular_signal_has_an_overview() -> None:
    overview = irregular().downsample(2)
    assert overview.times.tolist() == [1, 2]
    assert overview.maximum.magnitude.tolist() == [[1, 2], [5, 6]]


def test_raw_samples_are_read_as_physical_values_too() -> None:
    raw = np.array([[0, 10], [1, 20], [2, 30]], "i2")
    signal = AnalogSignalArray((raw, "uV"), gain=[0.5, -2], offset=1, sampling_rate=1 * pq.kHz)
    assert signal.signal.dtype == np.int16
    values = signal.physical()
    assert (values.dtype, values.dimensionality.string) == (np.float32, "uV")
    assert values.magnitude.tolist() == [[1, -19], [1.5, -39], [2, -59]]
    assert signal.physical(1 * pq.ms, 2 * pq.ms, channels=1).magnitude.tolist() == [[-39]]
    overview = signal.downsample(1)
    assert (overview.minimum.magnitude.tolist(), overview.maximum.magnitude.tolist()) == ([[1, -59]], [[2, -19]])


def test_samples_without_gain_are_physical_as_they_are() -> None:
    signal = AnalogSignal((np.arange(3, dtype="f8"), "mV"), sampling_rate=1 * pq.kHz)
    assert signal.physical().dtype == np.float64
    assert signal.physical(channels=0).tolist() == [0, 1, 2]
