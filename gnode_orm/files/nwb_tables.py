"""Tables of NWB files as neo spike trains and epochs.

``left`` collects what has no counterpart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gnode_orm.files.nwb_values import NoCounterpartError, cell_of, column_of

_TIMES = ("start_time", "stop_time")


def trains_of(units: Any, left: list[str]) -> Iterator[Any]:
    """Make a spike train of each row of a table of units."""
    import neo
    import quantities as pq

    if "spike_times" not in units.colnames:
        return
    for row in range(len(units)):
        times = np.asarray(units["spike_times"][row], float)
        said = dict(_cells(units, row, ("spike_times",), left))
        bounds = np.asarray(said.get("obs_intervals", ()), float)
        first = min((float(item.min()) for item in (bounds, times) if item.size), default=0.0)
        last = max((float(item.max()) for item in (bounds, times) if item.size), default=0.0)
        train = neo.SpikeTrain(times * pq.s, t_start=min(0.0, first) * pq.s, t_stop=last * pq.s)
        train.name = f"unit {units.id[row]}"
        train.annotate(**said)
        yield train


def _cells(table: Any, row: int, but: tuple[str, ...], left: list[str]) -> Iterator[tuple[str, Any]]:
    for column in table.colnames:
        if column in but:
            continue
        try:
            yield column, cell_of(table, column, row)
        except NoCounterpartError:
            left.append(f"column {column!r} of {type(table).__name__} {table.name!r}")


def columns_of(table: Any, left: list[str]) -> Iterator[tuple[str, Any]]:
    """Give the columns of a table but for its times, by name."""
    for column in table.colnames:
        if column not in _TIMES and len(table):
            try:
                yield column, column_of(table, column)
            except NoCounterpartError:
                left.append(f"column {column!r} of {type(table).__name__} {table.name!r}")


def epoch_of(table: Any, left: list[str]) -> Any:
    """Make epochs of a table of intervals."""
    import neo
    import quantities as pq

    begin, end = (np.asarray(table[name].data[:], float) for name in _TIMES)
    columns = dict(columns_of(table, left))
    labels = next((columns[name] for name in ("label", "condition", "type") if name in columns), None)
    return neo.Epoch(
        begin * pq.s,
        durations=(end - begin) * pq.s,
        labels=None if labels is None else labels.astype("U"),
        name=table.name,
        description=table.description,
        array_annotations=columns,
    )
