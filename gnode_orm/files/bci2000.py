"""Changes of the states in a recording of BCI2000, which neo's reader gives as events.

It fails on files in which any state changes, since it divides durations that are not there, and masks states that end
with a byte, as the code of the stimulus does, to nothing. So their values are taken from the state vector here.
It also asks for a type by a name that NumPy 2.5 dropped.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from gnode_orm.files.replaced_numpy import numpy_replaced

# They count on with every block of samples; neo leaves them out too.
_CLOCKS = {"SourceTime", "StimulusTime"}


def names_of_types_kept() -> AbstractContextManager[None]:
    """Let neo's reader name types as it does."""
    from neo.rawio import bci2000rawio

    return numpy_replaced(bci2000rawio, array=_array)


def _array(values: Any, dtype: Any = None) -> Any:
    """Make an array; ``a64`` is text of 64 bytes still."""
    if isinstance(dtype, list):
        dtype = [(name, "S64" if kind == "a64" else kind, *more) for name, kind, *more in dtype]
    return np.array(values, dtype=dtype)


def find_state_changes(reader: Any) -> None:
    """Give the reader its events: for each state the samples at which it changes, and the new values as labels."""
    states = reader.raw_annotations["blocks"][0]["segments"][0]["events"]
    vectors = reader._memmap["state_vector"].reshape(len(reader._memmap), -1)
    reader._my_events = [_changes(vectors, state) for state in states]


def _changes(vectors: Any, state: Any) -> list[Any]:
    if _name(state["name"]) in _CLOCKS:
        return [np.empty(0, "i8"), np.empty(0), np.empty(0, "U1")]
    values = _values(vectors, int(state["bytePos"]), int(state["bitPos"]), int(state["length"]))
    at = np.flatnonzero(np.diff(values)) + 1
    return [at, np.zeros(len(at)), values[at].astype("U")]


def _values(vectors: Any, byte: int, bit: int, length: int) -> Any:
    """The number that stands in some bits of each vector, the lowest bit first."""
    count = (bit + length + 7) // 8
    bits = np.unpackbits(vectors[:, byte : byte + count], axis=1, bitorder="little")[:, bit : bit + length]
    return bits @ (np.int64(1) << np.arange(bits.shape[1], dtype="i8"))


def _name(given: Any) -> str:
    return given.decode("ascii", "replace") if isinstance(given, bytes) else str(given)
