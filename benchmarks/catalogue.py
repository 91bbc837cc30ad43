"""Every row, in the order of the table."""

from __future__ import annotations

from benchmarks.measuring import Row
from benchmarks.rows import (
    arrays,
    arrays_over_http,
    growth,
    loading,
    objects,
    one_change,
    over_http,
    overview,
    postgres,
    recordings,
    spike_trains,
    starting,
    tree,
)

ROWS: list[Row] = [
    tree.TREE,
    one_change.ONE_CHANGE,
    loading.LOAD,
    loading.MEMORY,
    objects.CHILDREN,
    objects.GET,
    spike_trains.SPIKE_TRAINS,
    arrays.WRITE,
    arrays.READ,
    arrays.ONE_CHANNEL,
    arrays.ALL_CHANNELS,
    overview.OVERVIEW,
    *over_http.OVER_HTTP,
    *arrays_over_http.ARRAYS,
    *postgres.POSTGRES,
    *recordings.IMPORTS,
    starting.IMPORT,
    *growth.GROWTH,
]
