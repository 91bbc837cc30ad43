from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib
import numpy as np
import pytest
import quantities as pq

from gnode_orm.models import AnalogSignal, AnalogSignalArray, IrregularlySampledSignal, SpikeTrain

matplotlib.use("Agg")


@pytest.fixture
def axes() -> Iterator[Any]:
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    yield axes
    figure.canvas.draw()
    pyplot.close("all")


def drawn_points(axes: Any) -> int:
    lines = sum(len(line.get_xdata()) for line in axes.get_lines())
    return lines + sum(len(path.vertices) for item in axes.collections for path in item.get_paths())


def test_a_short_signal_is_drawn_sample_by_sample(axes: Any) -> None:
    signal = AnalogSignal((np.arange(50.0), "mV"), sampling_rate=1 * pq.kHz, t_start=3 * pq.ms, name="Vm")
    assert signal.plot(axes) is axes
    (line,) = axes.get_lines()
    assert np.array_equal(line.get_ydata(), np.arange(50.0))
    assert np.array_equal(line.get_xdata(), signal.times.magnitude)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time (ms)", "Vm (mV)")


@pytest.mark.parametrize("model", [AnalogSignal, IrregularlySampledSignal])
def test_a_long_signal_takes_no_more_ink_than_a_short_one(model: Any, axes: Any) -> None:
    samples = np.random.default_rng(1).normal(size=300_000)
    times = {"times": (np.arange(300_000), "ms")} if model is IrregularlySampledSignal else {"sampling_rate": "1 kHz"}
    model((samples, "mV"), **times).plot(axes, points=500)
    assert 500 < drawn_points(axes) < 4000
    low, high = axes.dataLim.y0, axes.dataLim.y1
    assert low == pytest.approx(samples.min())
    assert high == pytest.approx(samples.max())


def test_channels_are_told_apart(axes: Any) -> None:
    signal = AnalogSignalArray(
        (np.zeros((5, 3)), "mV"), sampling_rate=1 * pq.kHz, array_annotations={"channel_names": ["a", "b"]}
    )
    signal.plot(axes)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a", "b", "channel 2"]


def test_a_long_signal_is_read_once_for_all_channels(axes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    real = AnalogSignalArray.downsample
    monkeypatch.setattr(AnalogSignalArray, "downsample", lambda self, n: calls.append(n) or real(self, n))
    AnalogSignalArray((np.zeros((9000, 4)), "mV"), sampling_rate=1 * pq.kHz).plot(axes, points=100)
    assert calls == [100]


def test_spikes_are_drawn_as_ticks(axes: Any) -> None:
    SpikeTrain([1, 2, 3] * pq.s, t_start=0 * pq.ms, t_stop=4000 * pq.ms, name="u").plot(axes)
    assert len(axes.collections[0].get_segments()) == 3
    assert axes.get_xlim() == (0, 4)
    assert axes.get_xlabel() == "time (s)"


def test_a_long_train_takes_no_more_ink_than_a_short_one(axes: Any) -> None:
    SpikeTrain((np.sort(np.random.default_rng(1).uniform(0, 100, 100_000)), "s")).plot(axes)
    assert 1000 < len(axes.collections[0].get_segments()) <= 4000


def test_without_axes_a_figure_is_made() -> None:
    from matplotlib import pyplot

    made = AnalogSignal((np.zeros(5), "mV"), sampling_rate=1 * pq.kHz).plot()
    assert made.figure is not None
    pyplot.close("all")
