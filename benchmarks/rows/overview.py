"""Draw an hour at 30 kHz with 2,000 points, and append a second to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row
from benchmarks.sizes import size

RATE = 30_000
_MINUTES = size(60, quick=10)
_SECONDS = 60 * _MINUTES
_POINTS = 2000


def _second() -> np.ndarray[tuple[int, ...], np.dtype[np.int16]]:
    return np.random.default_rng(1).integers(-300, 300, RATE, dtype=np.int16)


@contextmanager
def _ours(folder: Path) -> Iterator[Round]:
    from gnode_orm import AnalogSignal, Session, StreamedArray

    second = _second()
    hour = StreamedArray(lambda: (second for _ in range(_SECONDS)), shape=(_SECONDS * RATE,), dtype="i2", unit="uV")
    with Session(folder / "lab") as session:
        signal = session.add(AnalogSignal(hour, sampling_rate=(RATE, "Hz")))
        session.commit()
        signal.downsample(_POINTS)

        def once(meter: Meter) -> None:
            with meter:
                overview = signal.downsample(_POINTS)
            assert len(overview.minimum) == _POINTS

        yield once


@contextmanager
def _numpy(folder: Path) -> Iterator[Round]:
    samples = np.lib.format.open_memmap(folder / "hour.npy", mode="w+", dtype="i2", shape=(_SECONDS * RATE,))
    samples.reshape(_SECONDS, RATE)[:] = _second()
    samples.flush()
    edges = np.linspace(0, len(samples), _POINTS + 1).astype(int)[:-1]

    def once(meter: Meter) -> None:
        with meter:
            mapped = np.load(folder / "hour.npy", mmap_mode="r")
            np.minimum.reduceat(mapped, edges)
            np.maximum.reduceat(mapped, edges)

    yield once


OVERVIEW = Row(
    "overview",
    f"minimum and maximum of {_MINUTES} minutes at 30 kHz in 2,000 bins, not the first time",
    (Contestant("ours", _ours), Contestant("numpy over the mapped file", _numpy)),
    (Reach("numpy over the mapped file"),),
)
