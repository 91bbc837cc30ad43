"""Write and read a long recording, and slices of it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row, fresh
from benchmarks.sizes import size

RATE, CHANNELS, SECONDS = 30_000, 32, size(60, quick=15)
MEGABYTES = RATE * CHANNELS * SECONDS * 2 // 1_000_000
_SLICES = size(20, quick=5)

Slice = Callable[[int, Any], npt.NDArray[Any]]
Opened = tuple[Slice, Callable[[], Any]]


@cache
def recording() -> npt.NDArray[np.int16]:
    """Noise of 32 channels at 30 kHz, as int16."""
    random_numbers = np.random.default_rng(1)
    return random_numbers.integers(-300, 300, (RATE * SECONDS, CHANNELS), dtype=np.int16)


@contextmanager
def _write_ours(folder: Path) -> Iterator[Round]:
    from gnode_orm import AnalogSignalArray, Session

    samples = recording()
    with Session(folder / "lab") as session:

        def once(meter: Meter) -> None:
            # Another first sample each time: equal content would not be written again.
            samples[0, 0] += 1
            signal = AnalogSignalArray((samples, "uV"), sampling_rate=(RATE, "Hz"))
            with meter:
                session.add(signal)
                session.commit()
            for file in (folder / "lab" / "arrays").rglob("*.npy"):
                file.unlink()

        yield once


def _write_numpy(folder: Path, meter: Meter) -> None:
    samples = recording()
    with meter, (folder / "samples.npy").open("wb") as file:
        np.save(file, samples)
        file.flush()
        os.fsync(file.fileno())


def _write_h5py(folder: Path, meter: Meter) -> None:
    import h5py

    samples = recording()
    with meter:
        with h5py.File(folder / "samples.h5", "w") as file:
            file["samples"] = samples
        _sync(folder / "samples.h5")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


WRITE = Row(
    "write-array",
    f"write {MEGABYTES} MB of int16 ({CHANNELS} channels, {SECONDS} s at 30 kHz), durable",
    (
        Contestant("ours", _write_ours),
        Contestant("numpy.save + fsync", fresh(_write_numpy)),
        Contestant("h5py + fsync", fresh(_write_h5py), needs=("h5py",)),
    ),
    (Reach("numpy.save + fsync", at_least=0.6),),
)


@contextmanager
def _open_ours(folder: Path) -> Iterator[Opened]:
    from gnode_orm import AnalogSignalArray, Session

    with Session(folder / "lab") as session:
        session.add(AnalogSignalArray((recording(), "uV"), sampling_rate=(RATE, "Hz")))
        session.commit()
    with Session(folder / "lab") as session:
        signal = session.query(AnalogSignalArray).one()
        handle: Any = signal.signal
        yield (lambda start, channel: handle[start : start + RATE, channel]), handle.load


@contextmanager
def _open_numpy(folder: Path) -> Iterator[Opened]:
    path = folder / "samples.npy"
    np.save(path, recording())
    yield (lambda start, channel: np.load(path, mmap_mode="r")[start : start + RATE, channel]), lambda: np.load(path)


@contextmanager
def _open_h5py(folder: Path) -> Iterator[Opened]:
    import h5py

    with h5py.File(folder / "samples.h5", "w") as file:
        file["samples"] = recording()
    with h5py.File(folder / "samples.h5") as file:
        samples: Any = file["samples"]
        yield (lambda start, channel: samples[start : start + RATE, channel]), lambda: samples[:]


@contextmanager
def _nixio(path: str) -> Iterator[Any]:
    import nixio

    with nixio.File.open(path, nixio.FileMode.ReadOnly) as file:
        yield file.blocks["b"].data_arrays["samples"]


@contextmanager
def _open_nixio(folder: Path, each: bool) -> Iterator[Opened]:
    import nixio

    path = str(folder / "samples.nix")
    with nixio.File.open(path, nixio.FileMode.Overwrite) as file:
        file.create_block("b", "x").create_data_array("samples", "x", data=recording())
    with _opened(partial(_nixio, path), each) as opened:
        yield opened


@contextmanager
def _pynwb(path: str) -> Iterator[Any]:
    import pynwb

    with pynwb.NWBHDF5IO(path, "r") as reader:
        yield reader.read().acquisition["samples"].data


@contextmanager
def _open_pynwb(folder: Path, each: bool) -> Iterator[Opened]:
    from datetime import UTC, datetime

    import pynwb

    path = str(folder / "samples.nwb")
    made = pynwb.NWBFile("a recording", "id", datetime(2020, 1, 1, tzinfo=UTC))
    made.add_acquisition(pynwb.TimeSeries("samples", data=recording(), unit="V", rate=float(RATE)))
    with pynwb.NWBHDF5IO(path, "w") as writer:
        writer.write(made)
    with _opened(partial(_pynwb, path), each) as opened:
        yield opened


@contextmanager
def _opened(samples_of: Callable[[], Any], each: bool) -> Iterator[Opened]:
    """Read from a file that is opened for each reading, as ``numpy.load`` does, or once before."""
    if not each:
        with samples_of() as samples:
            yield (lambda start, channel: samples[start : start + RATE, channel]), lambda: samples[:]
        return

    def read(start: int, channel: Any) -> npt.NDArray[Any]:
        with samples_of() as samples:
            return np.asarray(samples[start : start + RATE, channel])

    def load() -> Any:
        with samples_of() as samples:
            return samples[:]

    yield read, load


Opening = Callable[[Path], Any]


@contextmanager
def _whole(folder: Path, opening: Opening) -> Iterator[Round]:
    with opening(folder) as (_, load):

        def once(meter: Meter) -> None:
            with meter:
                # A mapped file has been read when every page of it was touched.
                total = int(np.asarray(load())[:: 4096 // (2 * CHANNELS), 0].sum())
            assert total != 0

        yield once


@contextmanager
def _slices(folder: Path, opening: Opening, channel: Any) -> Iterator[Round]:
    starts = random.Random(1).sample(range(RATE * (SECONDS - 1)), _SLICES)
    with opening(folder) as (read, _):

        def once(meter: Meter) -> None:
            for start in starts:
                with meter:
                    # Copied, since a view of a mapped file has read nothing yet.
                    found = np.array(read(start, channel))
                assert len(found) == RATE
            meter.divide(_SLICES)

        yield once


def _readers(work: Callable[..., Any]) -> tuple[Contestant, ...]:
    return (
        Contestant("ours", partial(work, opening=_open_ours)),
        Contestant("numpy", partial(work, opening=_open_numpy)),
        Contestant("h5py", partial(work, opening=_open_h5py), needs=("h5py",)),
        Contestant("nixio", partial(work, opening=partial(_open_nixio, each=True)), needs=("nixio",)),
        Contestant("pynwb", partial(work, opening=partial(_open_pynwb, each=True)), needs=("pynwb",)),
        Contestant("nixio, opened before", partial(work, opening=partial(_open_nixio, each=False)), needs=("nixio",)),
        Contestant("pynwb, opened before", partial(work, opening=partial(_open_pynwb, each=False)), needs=("pynwb",)),
    )


READ = Row("read-array", f"read the {MEGABYTES} MB whole", _readers(_whole), (Reach("numpy", at_least=0.9),))

_SLICE_REACHES = (
    Reach("numpy", at_most=3),
    Reach("nixio", at_least=20),
    Reach("pynwb", at_least=20),
    Reach("nixio, opened before"),
    Reach("pynwb, opened before"),
)
ONE_CHANNEL = Row(
    "slice-1", "1 s of one channel of it, opened before", _readers(partial(_slices, channel=7)), _SLICE_REACHES
)
ALL_CHANNELS = Row(
    "slice-all",
    "1 s of all channels of it, opened before",
    _readers(partial(_slices, channel=slice(None))),
    _SLICE_REACHES,
)
