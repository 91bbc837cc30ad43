"""Many small objects and a slice over HTTP on the loopback interface, beside the same lab embedded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measuring import Contestant, Meter, Reach, Round, Row, given
from benchmarks.peers.serving import carried, no_proc, serving_bytes
from benchmarks.rows.arrays import MEGABYTES, RATE, recording
from benchmarks.rows.served_lab import SERVER, served_lab
from benchmarks.rows.tree import COUNT, build

# What the original client and server reached together, measured when both still ran.
_ORIGINAL_RATE = 13.0
_CHANNEL = 3


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


TREE = Row(
    "http-tree",
    f"construct, add and commit a new tree of {COUNT:,} objects over HTTP",
    (
        Contestant("ours", _tree_served, needs=SERVER),
        Contestant("ours, embedded", _tree_embedded),
        Contestant("the original pair, 13 objects/s", given(COUNT / _ORIGINAL_RATE)),
    ),
    (Reach("ours, embedded", at_most=3), Reach("the original pair, 13 objects/s", at_least=500)),
)


@contextmanager
def _slice_ours(folder: Path, channels: Any) -> Iterator[Round]:
    with _recorded(folder) as handle:
        # What was sent went past the cache of the system, in which the file that is only moved stays.
        for start in _seconds():
            handle[start : start + RATE, channels]
        starts = cycle(_seconds())

        def once(meter: Meter) -> None:
            start = next(starts)
            with meter:
                part = handle[start : start + RATE, channels]
            assert len(part) == RATE

        yield once


@contextmanager
def _recorded(folder: Path) -> Iterator[Any]:
    from gnode_orm import AnalogSignalArray

    with served_lab(folder) as (lab, _), lab.session() as session:
        signal = session.add(AnalogSignalArray((recording(), "uV"), sampling_rate=(RATE, "Hz")))
        session.commit()
        yield signal.signal


def _seconds() -> range:
    """Where seconds begin: another one is read each time."""
    return range(RATE, len(recording()) - RATE, RATE)


@contextmanager
def _slice_bytes(folder: Path, channels: Any) -> Iterator[Round]:
    import requests

    (folder / "second").write_bytes(recording()[:RATE, channels].tobytes())
    with serving_bytes(folder) as server, requests.Session() as client:

        def once(meter: Meter) -> None:
            with meter:
                part = np.frombuffer(client.get(f"{server.url}/second", timeout=30).content, np.int16)
            assert len(part) >= RATE

        yield once


def _slice(name: str, what: str, channels: Any) -> Row:
    return Row(
        name,
        f"1 s of {what} out of {MEGABYTES} MB over HTTP",
        (
            Contestant("ours", partial(_slice_ours, channels=channels), needs=SERVER),
            Contestant("moving the bytes", partial(_slice_bytes, channels=channels), needs=("granian",)),
            Contestant("3 ms", given(3e-3)),
        ),
        (Reach("3 ms", at_most=1), Reach("moving the bytes")),
        rounds=15,
        quick_rounds=9,
    )


@contextmanager
def _slice_on_the_wire(folder: Path) -> Iterator[Round]:
    """Count what the loopback interface carries: the request, the heads of packets and answers, and the samples."""
    with _recorded(folder) as handle:
        starts = cycle(_seconds())

        def once(meter: Meter) -> None:
            start = next(starts)
            before = carried()
            part = handle[start : start + RATE, _CHANNEL]
            meter.note(carried() - before)
            assert len(part) == RATE

        yield once


_WIRE = Row(
    "http-slice-wire",
    f"bytes on the wire for 1 s of one channel out of {MEGABYTES} MB over HTTP",
    (
        Contestant("ours", _slice_on_the_wire, needs=SERVER, absent=no_proc),
        Contestant("the slice itself", given(2 * RATE)),
    ),
    (Reach("the slice itself", at_most=1.1),),
    unit="B",
)
SLICES = (_slice("http-slice", "one channel", _CHANNEL), _slice("http-slice-all", "all channels", slice(None)), _WIRE)
OVER_HTTP = (TREE, *SLICES)
