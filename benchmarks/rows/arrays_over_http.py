"""An array of 64 MiB over HTTP, both ways, beside a server that only moves bytes; and the memory that it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import Contestant, Meter, Preparation, Reach, Round, Row, given
from benchmarks.peers.serving import high_water, no_proc, reset_high_water, serving_bytes
from benchmarks.rows.arrays import RATE
from benchmarks.rows.served_lab import SERVER, served_lab

_SHAPE = (2**20, 32)  # of int16: 64 MiB
_NBYTES = 64 * 2**20


def _samples() -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.random.default_rng(2).integers(-300, 300, _SHAPE, dtype=np.int16)


@contextmanager
def _put_ours(folder: Path) -> Iterator[Round]:
    from gnode_orm import AnalogSignalArray

    samples = _samples()
    with served_lab(folder) as (lab, _):

        def once(meter: Meter) -> None:
            # Another first sample each time: equal content would not be sent again.
            samples[0, 0] += 1
            with lab.session() as session:
                session.add(AnalogSignalArray((samples, "uV"), sampling_rate=(RATE, "Hz")))
                with meter:
                    session.commit()

        yield once


@contextmanager
def _put_bytes(folder: Path, durable: bool) -> Iterator[Round]:
    import requests

    samples = _samples()
    with serving_bytes(folder) as server, requests.Session() as client:
        names = count()

        def once(meter: Meter) -> None:
            # One file over and over, or another one each time, as what is stored stays.
            path = f"samples{next(names)}?durable" if durable else "samples"
            with meter:
                client.put(f"{server.url}/{path}", data=samples.reshape(-1).view(np.uint8).data, timeout=60)

        yield once


@contextmanager
def _get_ours(folder: Path) -> Iterator[Round]:
    with _stored(folder) as (handle, _):

        def once(meter: Meter) -> None:
            with meter:
                read = handle.load()
            assert read.shape == _SHAPE

        yield once


@contextmanager
def _stored(folder: Path) -> Iterator[tuple[Any, Any]]:
    from gnode_orm import AnalogSignalArray

    with served_lab(folder) as (lab, server):
        with lab.session() as session:
            session.add(AnalogSignalArray((_samples(), "uV"), sampling_rate=(RATE, "Hz")))
            session.commit()
        with lab.session() as session:
            yield session.query(AnalogSignalArray).one().signal, server


@contextmanager
def _get_bytes(folder: Path) -> Iterator[Round]:
    import requests

    (folder / "samples").write_bytes(_samples().tobytes())
    with serving_bytes(folder) as server, requests.Session() as client:

        def once(meter: Meter) -> None:
            with meter, client.get(f"{server.url}/samples", stream=True, timeout=60) as answer:
                read = np.empty(_SHAPE, np.int16)
                view, filled = memoryview(read.reshape(-1).view(np.uint8)), 0
                while count := answer.raw.readinto(view[filled:]):
                    filled += count
            assert filled == _NBYTES

        yield once


def _moved(name: str, work: str, ours: Preparation, limit: Preparation, *others: Contestant) -> Row:
    return Row(
        name,
        work,
        (
            Contestant("ours", ours, needs=SERVER),
            Contestant("moving the bytes", limit, needs=("granian",)),
            *others,
        ),
        (Reach("moving the bytes", at_least=0.6), *(Reach(other.name) for other in others)),
    )


PUT = _moved(
    "http-put", "commit an array of 64 MiB over HTTP", _put_ours, partial(_put_bytes, durable=False),
    Contestant("storing the bytes durably", partial(_put_bytes, durable=True), needs=("granian",)),
)  # fmt: skip
GET = _moved("http-get", "read an array of 64 MiB over HTTP", _get_ours, _get_bytes)


@contextmanager
def _put_memory(folder: Path, of_server: bool) -> Iterator[Round]:
    from gnode_orm import AnalogSignalArray

    samples = _samples()
    with served_lab(folder) as (lab, server):

        def once(meter: Meter) -> None:
            samples[0, 0] += 1
            with lab.session() as session:
                session.add(AnalogSignalArray((samples, "uV"), sampling_rate=(RATE, "Hz")))
                # The array itself is there before.
                grown = _growth(server, of_server, session.commit)
            meter.note(grown if of_server else grown + _NBYTES)

        yield once


@contextmanager
def _get_memory(folder: Path, of_server: bool) -> Iterator[Round]:
    with _stored(folder) as (handle, server):
        yield lambda meter: meter.note(_growth(server, of_server, handle.load))


def _growth(server: Any, of_server: bool, work: Callable[[], Any]) -> int:
    """Give the bytes by which the highest memory of the server or of this process grows while work is done."""
    reset: Callable[[], None] = server.reset_memory if of_server else partial(reset_high_water, "self")
    highest: Callable[[], int] = server.memory if of_server else partial(high_water, "self")
    reset()
    before = highest()
    kept = work()
    grown = highest() - before
    del kept
    return grown


def _memory(name: str, work: str, prepare: Callable[..., Any]) -> Row:
    return Row(
        name,
        f"memory to {work} an array of 64 MiB over HTTP",
        (
            Contestant("ours", partial(prepare, of_server=False), needs=SERVER, absent=no_proc),
            Contestant("the array itself", given(_NBYTES)),
            Contestant("our server", partial(prepare, of_server=True), needs=SERVER, absent=no_proc),
            Contestant("32 MB", given(32_000_000)),
        ),
        (Reach("the array itself", at_most=1.2), Reach("32 MB", at_most=1, contestant="our server")),
        unit="B",
    )


MEMORY = (
    _memory("http-put-memory", "commit", _put_memory),
    _memory("http-get-memory", "read", _get_memory),
)
ARRAYS = (PUT, GET, *MEMORY)
