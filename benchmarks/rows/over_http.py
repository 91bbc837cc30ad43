"""A lab over HTTP on the loopback interface, beside the same lab embedded and a server that only moves bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import Contestant, Meter, Preparation, Reach, Round, Row
from benchmarks.peers.serving import high_water, no_proc, reset_high_water, serving_bytes, serving_lab
from benchmarks.rows.arrays import MEGABYTES, RATE, recording
from benchmarks.rows.tree import COUNT, build

_SHAPE = (2**20, 32)  # of int16: 64 MiB
_NBYTES = 64 * 2**20
_SERVER = ("granian", "starlette")
# What the original client and server reached together, measured when both still ran.
_ORIGINAL_RATE = 13.0


@contextmanager
def _lab(folder: Path) -> Iterator[tuple[Any, Any]]:
    from gnode_orm import connect

    # What was read once would come from the disk cache the next time.
    os.environ["GNODE_ORM_CACHE_MB"] = "0"
    with serving_lab(folder / "lab") as (server, token):
        lab = connect(server.url, token=token)
        try:
            yield lab, server
        finally:
            lab.close()


# ---- many small objects


@contextmanager
def _tree_served(folder: Path) -> Iterator[Round]:
    with _lab(folder) as (lab, _):
        yield partial(_tree, lab)


@contextmanager
def _tree_embedded(folder: Path) -> Iterator[Round]:
    from gnode_orm import connect

    lab = connect(folder / "lab")
    yield partial(_tree, lab)
    lab.close()


def _tree(lab: Any, meter: Meter) -> None:
    with lab.session() as session, meter:
        build(session)
        session.commit()


@contextmanager
def _tree_original(_: Path) -> Iterator[Round]:
    yield lambda meter: meter.note(COUNT / _ORIGINAL_RATE)


TREE = Row(
    "http-tree",
    f"construct, add and commit a new tree of {COUNT:,} objects over HTTP",
    (
        Contestant("ours", _tree_served, needs=_SERVER),
        Contestant("ours, embedded", _tree_embedded),
        Contestant("the original pair, 13 objects/s", _tree_original),
    ),
    (Reach("ours, embedded", at_most=3), Reach("the original pair, 13 objects/s", at_least=500)),
)


# ---- a slice


@contextmanager
def _slice_ours(folder: Path) -> Iterator[Round]:
    from gnode_orm import AnalogSignalArray

    with _lab(folder) as (lab, _), lab.session() as session:
        signal = session.add(AnalogSignalArray((recording(), "uV"), sampling_rate=(RATE, "Hz")))
        session.commit()
        handle = signal.signal
        start = 0

        def once(meter: Meter) -> None:
            nonlocal start
            # Another second each time.
            start = (start + RATE) % (len(recording()) - RATE)
            with meter:
                part = handle[start : start + RATE, 3]
            assert len(part) == RATE

        yield once


@contextmanager
def _slice_bytes(folder: Path) -> Iterator[Round]:
    import requests

    (folder / "second").write_bytes(recording()[:RATE, 3].tobytes())
    with serving_bytes(folder) as server, requests.Session() as client:

        def once(meter: Meter) -> None:
            with meter:
                part = np.frombuffer(client.get(f"{server.url}/second", timeout=30).content, np.int16)
            assert len(part) == RATE

        yield once


SLICE = Row(
    "http-slice",
    f"1 s of one channel out of {MEGABYTES} MB over HTTP",
    (
        Contestant("ours", _slice_ours, needs=_SERVER),
        Contestant("moving the bytes", _slice_bytes, needs=("granian",)),
    ),
    (Reach("moving the bytes"),),
    rounds=15,
    quick_rounds=9,
)


# ---- a large array, both ways


def _samples() -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.random.default_rng(2).integers(-300, 300, _SHAPE, dtype=np.int16)


@contextmanager
def _put_ours(folder: Path) -> Iterator[Round]:
    from gnode_orm import AnalogSignalArray

    samples = _samples()
    with _lab(folder) as (lab, _):

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

    with _lab(folder) as (lab, server):
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
            Contestant("ours", ours, needs=_SERVER),
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


# ---- the memory that it takes


@contextmanager
def _put_memory(folder: Path, of_server: bool) -> Iterator[Round]:
    from gnode_orm import AnalogSignalArray

    samples = _samples()
    with _lab(folder) as (lab, server):

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


@contextmanager
def _given(_: Path, size: int) -> Iterator[Round]:
    yield lambda meter: meter.note(size)


def _memory(name: str, work: str, prepare: Callable[..., Any]) -> Row:
    return Row(
        name,
        f"memory to {work} an array of 64 MiB over HTTP",
        (
            Contestant("ours", partial(prepare, of_server=False), needs=_SERVER, absent=no_proc),
            Contestant("the array itself", partial(_given, size=_NBYTES)),
            Contestant("our server", partial(prepare, of_server=True), needs=_SERVER, absent=no_proc),
            Contestant("32 MB", partial(_given, size=32_000_000)),
        ),
        (Reach("the array itself", at_most=1.2), Reach("32 MB", at_most=1, contestant="our server")),
        unit="B",
    )


MEMORY = (
    _memory("http-put-memory", "commit", _put_memory),
    _memory("http-get-memory", "read", _get_memory),
)
OVER_HTTP = (TREE, SLICE, PUT, GET, *MEMORY)
