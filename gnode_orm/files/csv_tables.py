"""Times and samples as CSV tables, one row for each time, with the unit in the head of each column."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np

from gnode_orm.core.schema import FieldType
from gnode_orm.errors import FormatError

KINDS = frozenset(
    {
        "analogsignal",
        "analogsignalarray",
        "irregularlysampledsignal",
        "spiketrain",
        "eventarray",
        "epocharray",
    }
)
_ROWS = 1 << 16
# What a table has, by kind; everything else is lost.
_HELD = {
    "spiketrain": {"times"},
    "eventarray": {"times", "labels"},
    "epocharray": {"times", "durations", "labels"},
    "irregularlysampledsignal": {"times", "signal", "t_start"},
    "analogsignal": {"signal", "t_start", "sampling_rate", "gain", "offset"},
    "analogsignalarray": {"signal", "t_start", "sampling_rate", "gain", "offset"},
}


def write_csv(model: Any, place: Path) -> list[str]:
    """Write an object as a table, and give the fields that the table does not hold.

    Raises:
        FormatError: the object has no samples or times.
    """
    with NamedTemporaryFile(
        "w", encoding="utf-8", newline="", dir=place.parent, prefix=f".{place.name}.", delete=False
    ) as aside:
        try:
            writer = csv.writer(aside)
            for rows in _table(model, place):
                writer.writerows(rows)
            aside.close()
            os.replace(aside.name, place)
        except BaseException:
            aside.close()
            os.unlink(aside.name)
            raise
    return _lost(model)


def _table(model: Any, place: Path) -> Iterator[list[list[Any]]]:
    """Give the head, and then the rows in pieces."""
    main = getattr(model, "signal", None) if hasattr(model, "signal") else getattr(model, "times", None)
    if main is None:
        raise FormatError(f"{place}: {model!r} has nothing to make a table of")
    if "signal" in _HELD[model.kind]:
        yield [[_head("time", model.times if model.kind.startswith("irr") else model._begin()), *_channel_heads(model)]]
        yield from _signal_rows(model)
        return
    columns = [("time", model.times)]
    columns += [(name[:-1], getattr(model, name)) for name in ("durations", "labels") if name in _HELD[model.kind]]
    count = len(model.times)
    columns = [(name, column) for name, column in columns if column is not None and len(column) == count]
    yield [[_head(name, column) for name, column in columns]]
    yield [list(row) for row in zip(*(np.asarray(column).tolist() for _, column in columns), strict=True)]


def _signal_rows(model: Any) -> Iterator[list[list[Any]]]:
    samples = model._samples()
    for first in range(0, samples.shape[0], _ROWS):
        last = min(first + _ROWS, samples.shape[0])
        times = np.asarray(model._times_at(np.arange(first, last))).tolist()
        raw = samples[first:last]
        values = np.asarray(model._scaled(raw) if hasattr(model, "_scaled") else raw)
        yield [[time, *row] for time, row in zip(times, values.reshape(len(values), -1).tolist(), strict=True)]


def _channel_heads(model: Any) -> list[str]:
    count = model.shape[1] if len(model.shape) > 1 else 1
    names = model.channel_names if len(model.channel_names) == count else []
    names = names or ([model.name or "signal"] if count == 1 else [f"channel {number}" for number in range(count)])
    return [_head(name, model._samples()) for name in names]


def _head(name: str, values: Any) -> str:
    unit = getattr(values, "unit", None) or getattr(getattr(values, "dimensionality", None), "string", None)
    return f"{name} ({unit})" if unit else name


def _lost(model: Any) -> list[str]:
    name = type(model).__name__
    lost = []
    for spec in type(model).__spec__.fields:
        if spec.name in _HELD[model.kind] or spec.name == "ext" or spec.type is FieldType.REF:
            continue
        value = getattr(model, spec.name)
        # A quantity or an array says nothing by its truth, and is lost whatever it holds.
        if value is not None and not (isinstance(value, str | dict) and not value):
            lost.append(f"{name}.{spec.name} is lost (at {model.kind})")
    return lost
