"""Commit 10,000 objects and 1 GiB of signals at once over HTTP, beside the same bytes sent by requests alone.

python -m benchmarks.large_commit
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import requests

from benchmarks.peers.serving import Server, high_water, reset_high_water, serving_bytes, serving_lab
from gnode_orm import AnalogSignalArray, Block, Event, Segment, StreamedArray, connect

_SIGNALS, _PIECES, _ROWS, _CHANNELS = 16, 8, 2**17, 32  # pieces of 8 MiB of int16
_EVENTS = 10_000 - _SIGNALS - 2
_NBYTES = _SIGNALS * _PIECES * _ROWS * _CHANNELS * 2


def _pieces(noise: npt.NDArray[np.int16], number: int) -> Iterator[npt.NDArray[np.int16]]:
    """Give a signal that no other equals, without holding more than a piece of it."""
    for piece in range(_PIECES):
        yield noise + np.int16(number * _PIECES + piece)


def _commit(lab: Any, noise: npt.NDArray[np.int16]) -> int:
    with lab.session() as session:
        segment = Segment("large", block=Block("large"))
        for number in range(_EVENTS):
            Event(label=f"event {number}", time=(number * 0.5, "s"), segment=segment)
        for number in range(_SIGNALS):
            samples = StreamedArray(
                partial(_pieces, noise, number), shape=(_PIECES * _ROWS, _CHANNELS), dtype="i2", unit="uV"
            )
            AnalogSignalArray(samples, sampling_rate=(30_000, "Hz"), segment=segment)
        session.add(segment)
        return sum(session.commit().counts.values())


def _send(client: requests.Session, url: str, noise: npt.NDArray[np.int16], query: str = "") -> int:
    for number in range(_SIGNALS):
        body = (piece.reshape(-1).view(np.uint8).data for piece in _pieces(noise, number))
        client.put(f"{url}/signal{number}{query}", data=body, timeout=600).raise_for_status()
    return 0


def _measure(name: str, server: Server, work: Callable[[], int]) -> None:
    reset_high_water("self")
    server.reset_memory()
    client_before, server_before = high_water("self"), server.memory()
    begun = time.perf_counter()
    count = work()
    seconds = time.perf_counter() - begun
    print(
        f"{name:18} {seconds:6.2f} s  {_NBYTES / seconds / 1e6:6.0f} MB/s  {count / seconds:8.0f} objects/s   "
        f"memory grown by {(high_water('self') - client_before) / 1e6:6.1f} MB (client), "
        f"{(server.memory() - server_before) / 1e6:6.1f} MB (server)"
    )


def main() -> int:
    """Run the command."""
    noise = np.random.default_rng(3).integers(-300, 300, (_ROWS, _CHANNELS), dtype=np.int16)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        with serving_lab(Path(folder) / "lab") as (server, token):
            lab = connect(server.url, token=token)
            with lab.session() as session:
                session.add(Block("first"))
                session.commit()
            _measure("ours", server, partial(_commit, lab, noise))
            lab.close()
        with serving_bytes(Path(folder)) as mover, requests.Session() as client:
            _measure("moving the bytes", mover, partial(_send, client, mover.url, noise))
        with serving_bytes(Path(folder)) as mover, requests.Session() as client:
            _measure("storing them", mover, partial(_send, client, mover.url, noise, "?durable"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
