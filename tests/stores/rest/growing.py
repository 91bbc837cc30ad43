"""Arrays that grow behind a server, in the tests of appending."""

from __future__ import annotations

from typing import Any

import numpy as np
import quantities as pq

from gnode_orm import AnalogSignalArray, Block, Segment
from gnode_orm.core.arrayhash import LEAF
from gnode_orm.core.arrays import ArrayHandle
from tests.stores.rest.serving import Served

ROWS = 1_500_000
WHOLE = np.random.default_rng(7).integers(-1000, 1000, (ROWS, 4), dtype=np.int16)
FEW, SOME, MANY = WHOLE[:1_000], WHOLE[:60_000], WHOLE[: LEAF // 8 + 1]
"""Rows that go with a message, and more of them than do."""
SPARE = 8_000
"""Bytes that messages may take beside the rows."""


def held(array: Any) -> ArrayHandle:
    return ArrayHandle.in_memory(array, None).with_unit("uV")


def stored(store: Any, array: Any = WHOLE) -> ArrayHandle:
    """A handle on an array that was sent to a store."""
    return ArrayHandle.stored(store, store.put_arrays([(held(array), "uV")])[0])


def asked(server: Served, since: int = 0) -> list[str]:
    """The last parts of the addresses that were asked since."""
    return [path.removeprefix("/api/v1/additions/arrays/").rpartition("/")[2] for path in server.requests[since:]]


def new_signal(array: Any = WHOLE) -> AnalogSignalArray:
    segment = Segment("s", block=Block("b"))
    return AnalogSignalArray((array, "uV"), sampling_rate=1 * pq.kHz, t_start=0 * pq.s, segment=segment)
