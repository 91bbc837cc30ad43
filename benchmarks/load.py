"""Load a served lab with many clients that read and write, and look for lost or doubled writes afterwards.

    python -m benchmarks.load --clients 16 --seconds 60          # --kill ends a worker with SIGKILL every few seconds

Every client works with sessions of its own: it stores trials with a signal, renames them, reads them back, asks for
slices, and counts up a number in one block that all of them share, settling conflicts by reading again. In the end the
lab is opened directly and compared with what was acknowledged.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.serving import Server, children_of, serving_lab
from gnode_orm import AnalogSignal, Block, Segment, connect
from gnode_orm.errors import ConflictError, GnodeError

_RATE = 1000
# The server takes a worker that ends sooner after its start for one that cannot run, and stops.
_KILL_SECONDS = 8.0


@dataclass
class Client:
    """One client, and what it was told.

    Attributes:
        names: the last acknowledged name of each segment that it made, by location.
        increments: how often it counted up the shared number.
    """

    lab: Any
    number: int
    shared: Any
    names: dict[Any, str] = field(default_factory=dict)
    increments: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def run(self, until: float) -> None:
        """Work until the time is over."""
        chance = random.Random(self.number)
        works = [self.store, self.rename, self.count_up, self.read, self.list, self.slice, self.slice, self.read]
        while time.monotonic() < until:
            work = chance.choice(works)
            begun = time.perf_counter()
            try:
                work(chance)
            except (GnodeError, AssertionError) as error:
                self.errors[f"{work.__name__}: {type(error).__name__}: {error}"] += 1
            else:
                self.seconds.setdefault(work.__name__, []).append(time.perf_counter() - begun)

    def store(self, chance: random.Random) -> None:
        """Store a trial with a signal."""
        with self.lab.session() as session:
            block = session.get(self.shared)
            segment = Segment(f"{self.number}-{len(self.names)}", block=block)
            samples = np.full(chance.choice([100, 40_000]), len(self.names), np.int32)
            AnalogSignal((samples, "mV"), sampling_rate=(_RATE, "Hz"), segment=segment)
            session.add(segment)
            session.commit()
            self.names[segment.location] = segment.name

    def rename(self, chance: random.Random) -> None:
        """Rename a trial of one's own."""
        if self.names:
            place = chance.choice(list(self.names))
            with self.lab.session() as session:
                segment = session.get(place)
                segment.name = f"{self.number}-{chance.random()}"
                session.commit()
                self.names[place] = segment.name

    def count_up(self, _: random.Random) -> None:
        """Count up the number that all share, as often as it takes."""
        with self.lab.session() as session:
            block = session.get(self.shared)
            while True:
                block.index += 1
                try:
                    session.commit()
                except ConflictError:
                    session.rollback()
                    session.refresh(block)
                else:
                    self.increments += 1
                    return

    def read(self, chance: random.Random) -> None:
        """Read a trial of one's own, which has its last name."""
        if self.names:
            place = chance.choice(list(self.names))
            with self.lab.session() as session:
                name = session.get(place).name
                assert name == self.names[place], f"{place}: {name}, not {self.names[place]}"

    def list(self, _: random.Random) -> None:
        """Ask for some trials by name."""
        with self.lab.session() as session:
            session.query(Segment).where(Segment.name.startswith(f"{self.number}-")).limit(20).all()

    def slice(self, chance: random.Random) -> None:
        """Read a piece of a signal."""
        if self.names:
            place = chance.choice(list(self.names))
            with self.lab.session() as session:
                (found,) = session.get(place).analogsignals
                part = found.signal[10:60]
                assert len({*part.magnitude.tolist()}) == 1, f"{place}: samples of another signal"


def main() -> int:
    """Run the command; exit status 1 when a write was lost, doubled or refused."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="load-") as folder:
        place = Path(folder) / "lab"
        with serving_lab(place, workers=options.workers) as (server, token):
            clients = _clients(server.url, token, options.clients)
            until = time.monotonic() + options.seconds
            threads = [threading.Thread(target=client.run, args=(until,)) for client in clients]
            for thread in threads:
                thread.start()
            kills = _kill_workers(server, until) if options.kill else 0
            for thread in threads:
                thread.join()
        faults = _faults(place, clients)
    _report(clients, options.seconds, kills)
    for fault in faults:
        print(fault)
    errors = sum((client.errors for client in clients), Counter[str]())
    for text, count in errors.most_common(10):
        print(f"error, {count} times: {text}")
    print("no error, no lost write" if not errors and not faults else "FAILED")
    return int(bool(errors or faults))


def _clients(url: str, token: str, count: int) -> list[Client]:
    labs = [connect(url, token=token) for _ in range(count)]
    with labs[0].session() as session:
        shared = session.add(Block("shared", index=0))
        session.commit()
        return [Client(lab, number, shared.location) for number, lab in enumerate(labs)]


def _kill_workers(server: Server, until: float) -> int:
    kills = 0
    while time.monotonic() + _KILL_SECONDS < until:
        time.sleep(_KILL_SECONDS)
        for child in random.sample(children_of(server.process.pid), 1):
            os.kill(child, signal.SIGKILL)
            kills += 1
    return kills


def _faults(place: Path, clients: list[Client]) -> list[str]:
    """Compare the lab with what was acknowledged."""
    faults = []
    wanted = {location: name for client in clients for location, name in client.names.items()}
    with connect(place, username="bench").session() as session:
        block = session.query(Block).one()
        found = {segment.location: segment.name for segment in session.query(Segment)}
    counted = sum(client.increments for client in clients)
    if block.index != counted:
        faults.append(f"counted up {counted} times, and the number is {block.index}")
    faults += [f"lost: {location}" for location in wanted.keys() - found.keys()]
    faults += [f"not acknowledged, or doubled: {location}" for location in found.keys() - wanted.keys()]
    faults += [f"{at}: {found[at]}, not {name}" for at, name in wanted.items() if found.get(at, name) != name]
    return faults


def _report(clients: list[Client], seconds: float, kills: int) -> None:
    print(f"{len(clients)} clients, {seconds:g} s, {kills} workers killed")
    works = sorted({work for client in clients for work in client.seconds})
    for work in works:
        taken = sorted(one for client in clients for one in client.seconds.get(work, ()))
        last = taken[min(len(taken) - 1, int(len(taken) * 0.99))]
        print(
            f"  {work:10} {len(taken):6}  {len(taken) / seconds:7.1f} / s   "
            f"median {statistics.median(taken) * 1e3:6.1f} ms   99 % {last * 1e3:7.1f} ms"
        )


def _options() -> Any:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill", action="store_true", help="end a worker with SIGKILL every few seconds")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
