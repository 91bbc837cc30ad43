"""Many small objects and a slice over HTTP on the loopback interface, beside the same lab embedded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row
from benchmarks.peers.serving import serving_bytes
from benchmarks.rows.arrays import MEGABYTES, RATE, recording
from benchmarks.rows.served_lab import SERVER, served_lab
from benchmarks.rows.tree import COUNT, build

# What the original client and server reached together, measured when both still ran.
_ORIGINAL_RATE = 13.0


@contextmanager
def _tree_served(folder: Path) -> Iterator[Round]:
    with served_lab(folder) as (lab, _):
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
        Contestant("ours", _tree_served, needs=SERVER),
        Contestant("ours, embedded", _tree_embedded),
        Contestant("the original pair, 13 objects/s", _tree_original),
    ),
    (Reach("ours, embedded", at_most=3), Reach("the original pair, 13 objects/s", at_least=500)),
)


@contextmanager
def _slice_ours(folder: Path) -> Iterator[Round]:
    from gnode_orm import AnalogSignalArray

    with served_lab(folder) as (lab, _), lab.session() as session:
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
        Contestant("ours", _slice_ours, needs=SERVER),
        Contestant("moving the bytes", _slice_bytes, needs=("granian",)),
    ),
    (Reach("moving the bytes"),),
    rounds=15,
    quick_rounds=9,
)
OVER_HTTP = (TREE, SLICE)
