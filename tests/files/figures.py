"""Comparing a neo block with the figures that were taken from the same file by neo alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Set
from typing import Any

import numpy as np
import pytest
import quantities as pq

from gnode_orm.files.privacy import PERSONAL

# What our readers annotate beside what neo does.
_OURS = frozenset({"experiment"})


def assert_block(block: Any, expected: dict[str, Any], *, filled: bool = False) -> None:
    """Hold a block against its figures; ``filled`` for one whose empty names an import has filled."""
    if not filled:
        assert _text(block.name) == expected["name"]
    assert str(block.rec_datetime) == expected["rec_datetime"]
    assert len(block.groups) == expected["n_groups"]
    assert_annotations(block, expected, _OURS | PERSONAL)
    assert len(block.segments) == len(expected["segments"])
    for segment, figures in zip(block.segments, expected["segments"], strict=True):
        assert_segment(segment, figures)


def assert_segment(segment: Any, expected: dict[str, Any]) -> None:
    assert_annotations(segment, expected)
    assert _quantity(segment.t_start) == expected["t_start"]
    for container, key, check in (
        (segment.analogsignals, "analogsignals", assert_signal),
        (segment.irregularlysampledsignals, "irregular", assert_signal),
        (segment.spiketrains, "spiketrains", assert_train),
        (segment.events, "events", assert_event),
        (segment.epochs, "epochs", assert_epoch),
    ):
        assert len(container) == len(expected[key])
        for item, figures in zip(container, expected[key], strict=True):
            assert _text(item.name) == figures["name"]
            assert_annotations(item, figures)
            assert _described_all(item.array_annotations) == figures.get("array_annotations", {})
            check(item, figures)


def assert_annotations(item: Any, expected: dict[str, Any], beside: Set[str] = frozenset()) -> None:
    """Hold annotations against their descriptions; those ``beside`` may be missing, or be there in addition."""
    found, told = _described_all(item.annotations), dict(expected["annotations"])
    for key in beside:
        found.pop(key, None), told.pop(key, None)
    assert found == told


def assert_signal(signal: Any, expected: dict[str, Any]) -> None:
    values = np.asarray(signal.magnitude)
    assert list(signal.shape) == expected["shape"]
    assert str(signal.dtype) == expected["dtype"]
    assert signal.dimensionality.string == expected["units"]
    assert _quantity(signal.t_start) == expected["t_start"]
    assert _quantity(signal.sampling_rate) == expected["sampling_rate"]
    assert values[0, :4].tolist() == expected["first"]
    assert values[-1, :4].tolist() == expected["last"]
    assert float(values.sum(dtype="f8")) == pytest.approx(expected["sum"], rel=1e-9, abs=1e-9)
    assert (float(values.min()), float(values.max())) == (expected["min"], expected["max"])


def assert_train(train: Any, expected: dict[str, Any]) -> None:
    assert_times(train, expected)
    assert _quantity(train.t_start) == expected["t_start"]
    assert _quantity(train.t_stop) == expected["t_stop"]
    waveforms = expected.get("waveforms")
    if waveforms is not None:
        assert list(train.waveforms.shape) == waveforms["shape"]
        assert str(train.waveforms.dtype) == waveforms["dtype"]
        assert train.waveforms.dimensionality.string == waveforms["units"]
        assert float(np.asarray(train.waveforms).sum(dtype="f8")) == pytest.approx(waveforms["sum"], rel=1e-9)
        assert _quantity(train.sampling_rate) == expected["sampling_rate"]


def assert_event(event: Any, expected: dict[str, Any]) -> None:
    assert_times(event, expected)
    assert event.labels.dtype.str.lstrip("<|") == expected["labels_dtype"].lstrip("<|")
    assert [str(label) for label in event.labels[: len(expected["labels"])]] == expected["labels"]


def assert_epoch(epoch: Any, expected: dict[str, Any]) -> None:
    assert_event(epoch, expected)
    if expected["n"]:
        assert float(np.sum(epoch.durations.magnitude)) == pytest.approx(expected["durations_sum"])
        assert epoch.durations.dimensionality.string == expected["durations_units"]


def assert_times(item: Any, expected: dict[str, Any]) -> None:
    times = np.asarray(item.magnitude)
    assert len(times) == expected["n"]
    assert str(times.dtype) == expected["dtype"]
    assert item.dimensionality.string == expected["units"]
    if expected["n"]:
        assert (times[0], times[-1]) == (expected["first"], expected["last"])
        assert float(times.sum()) == pytest.approx(expected["sum"])


def _quantity(value: Any) -> str | None:
    return None if value is None else f"{float(value):.10g} {pq.Quantity(value).dimensionality.string}"


def _described_all(annotations: dict[str, Any]) -> dict[str, Any]:
    return {key: _described(value) for key, value in annotations.items()}


def _described(value: Any) -> Any:
    """Describe a value as the figures do: its type where JSON has none, and not all of what is long."""
    if isinstance(value, np.ndarray):
        return f"ndarray{value.shape} {value.dtype} {value.ravel()[:3].tolist()}"
    if isinstance(value, str):
        return str(value)[:200]
    if isinstance(value, dict):
        return _described_all(dict(list(value.items())[:6]))
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}[{len(value)}] {value[:3]}"
    if isinstance(value, float):
        return float(value)
    if isinstance(value, np.generic | dt.datetime):
        return f"<{type(value).__module__}.{type(value).__name__}> {value!s}"
    return value


def _text(name: Any) -> str | None:
    return None if name is None else str(name)
