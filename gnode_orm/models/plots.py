"""Plots with matplotlib, loaded at first use. A long signal is drawn from its overview, so it takes no more ink."""

from __future__ import annotations

from typing import Any

import numpy as np

from gnode_orm.errors import UnsupportedByStore, ValidationFailed

MAX_TICKS = 4000


def plot_signal(signal: Any, ax: Any, points: int) -> Any:
    """Draw each channel of a signal over time; channels are told apart in the legend."""
    if isinstance(points, bool) or not isinstance(points, int) or points < 1:
        raise ValidationFailed(
            f"plot(points={points!r}): a whole number from 1 is needed", field="points", value=points
        )
    ax = _axes(ax)
    names = signal.channel_names
    channels = signal.shape[1] if len(signal.shape) > 1 else 1
    labels = [names[number] if number < len(names) else f"channel {number}" for number in range(channels)]
    if signal.shape[0] > 2 * points:
        _draw_overview(signal.downsample(points), ax, labels)
    else:
        _draw_samples(signal, ax, labels)
    _describe(ax, signal, str(signal._samples().unit or ""))
    if 1 < channels <= 10:
        ax.legend(loc="upper right", fontsize="small")
    return ax


def plot_spikes(train: Any, ax: Any) -> Any:
    """Draw a tick for each spike."""
    ax = _axes(ax)
    times = train.times
    ax.vlines(_distinct(np.asarray(times)), 0, 1, linewidth=0.8)
    ax.set_yticks([])
    if train.t_start is not None and train.t_stop is not None:
        ax.set_xlim(*(float(bound.rescale(times.units)) for bound in (train.t_start, train.t_stop)))
    _describe(ax, train, "")
    ax.set_xlabel(f"time ({train.times.unit})")
    return ax


def _distinct(times: Any) -> Any:
    """Leave out spikes that would be drawn over each other, so that a long train takes no more ink."""
    if len(times) <= MAX_TICKS:
        return times
    counts, edges = np.histogram(times, MAX_TICKS)
    return edges[:-1][counts > 0]


def _draw_overview(overview: Any, ax: Any, labels: list[str]) -> None:
    times = np.asarray(overview.times)
    for number, label in enumerate(labels):
        low, high = (_channel(values, number) for values in (overview.minimum, overview.maximum))
        # The edge shows what has no area: a stretch in which the signal is constant.
        ax.fill_between(times, low, high, edgecolor="face", linewidth=0.7, label=label, step="post")


def _draw_samples(signal: Any, ax: Any, labels: list[str]) -> None:
    times = np.asarray(signal.times)
    values = signal.physical() if hasattr(signal, "physical") else signal._samples().load()
    for number, label in enumerate(labels):
        ax.plot(times, _channel(values, number), linewidth=0.8, label=label)


def _channel(values: Any, channel: int) -> Any:
    array = np.asarray(values)
    return array if array.ndim == 1 else array[:, channel]


def _describe(ax: Any, entity: Any, unit: str) -> None:
    begin = getattr(entity, "t_start", None)
    time_unit = begin.dimensionality.string if begin is not None else "s"
    ax.set_xlabel(f"time ({time_unit})")
    ax.set_ylabel(f"{entity.name or type(entity).__name__} ({unit})" if unit else entity.name or "")


def _axes(ax: Any) -> Any:
    if ax is not None:
        if not hasattr(ax, "plot"):
            raise ValidationFailed(f"plot(ax={ax!r}): axes of matplotlib are needed, or none", field="ax", value=ax)
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise UnsupportedByStore("Plots need matplotlib: pip install 'gnode-orm[plot]'") from error
    return pyplot.subplots(figsize=(8, 3), layout="constrained")[1]
