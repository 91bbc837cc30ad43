"""What a row is, and how it is measured: all contestants in turns, so that a busy moment meets each of them alike."""

from __future__ import annotations

import gc
import importlib.util
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.sizes import is_quick


class Meter:
    """Takes the figure of one round: the seconds spent inside ``with meter``, or a number given to ``note``."""

    def __init__(self) -> None:
        self.figure = 0.0
        self._start = 0.0

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        self.figure += time.perf_counter() - self._start

    def note(self, figure: float) -> None:
        """Take a figure that is no time, or a time taken elsewhere."""
        self.figure = figure

    def divide(self, count: int) -> None:
        """Give the figure for one of ``count`` equal steps."""
        self.figure /= count


Round = Callable[[Meter], None]
Preparation = Callable[[Path], AbstractContextManager[Round]]


@dataclass(frozen=True)
class Contestant:
    """One way to do the work of a row.

    Attributes:
        prepare: takes an empty folder, makes what is not measured, and yields what does one round.
        needs: modules that have to be installed.
        absent: says in one line why the contestant cannot take part, or nothing.
    """

    name: str
    prepare: Preparation
    needs: tuple[str, ...] = ()
    absent: Callable[[], str | None] = lambda: None

    def missing(self) -> str | None:
        """Say why the contestant cannot take part."""
        away = [module for module in self.needs if importlib.util.find_spec(module) is None]
        return f"not installed: {', '.join(away)}" if away else self.absent()


@dataclass(frozen=True)
class Reach:
    """A bound on ``contestant / peer`` (``at_most``), on ``peer / contestant`` (``at_least``), or on the difference.

    Attributes:
        over: seconds by which the contestant may be slower.
    """

    peer: str
    at_most: float | None = None
    at_least: float | None = None
    over: float | None = None
    contestant: str = "ours"

    def value(self, figures: dict[str, list[float]]) -> float | None:
        """Give the median over the rounds, or nothing where one of the two did not take part."""
        mine, theirs = figures.get(self.contestant), figures.get(self.peer)
        if not mine or not theirs:
            return None
        return statistics.median([self._compared(a, b) for a, b in zip(mine, theirs, strict=True)])

    def _compared(self, mine: float, theirs: float) -> float:
        if self.over is not None:
            return mine - theirs
        return mine / theirs if self.at_most is not None else theirs / mine

    def reached(self, value: float) -> bool:
        """Whether a value is within the bound; one without a bound is shown for comparison alone."""
        if self.over is not None:
            return value <= self.over
        return value <= self.at_most if self.at_most is not None else value >= (self.at_least or 0)

    @property
    def is_free(self) -> bool:
        """Whether there is no bound."""
        return self.at_most is None and self.at_least is None and self.over is None

    def __str__(self) -> str:
        if self.over is not None:
            return f"{self.contestant} - {self.peer} <= {self.over * 1e3:g} ms"
        if self.at_most is not None:
            return f"{self.contestant} / {self.peer} <= {self.at_most:g}"
        return f"{self.peer} / {self.contestant}" + ("" if self.at_least is None else f" >= {self.at_least:g}")

    def shown(self, value: float) -> str:
        """Show a value as the text of the bound names it."""
        return f"{value * 1e3:.3f} ms" if self.over is not None else f"{value:.2f}"


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        unit: ``"s"`` or ``"B"``, of every figure.
        rounds: how often each contestant runs, after one round that does not count; ``quick_rounds`` in a quick run.
    """

    name: str
    work: str
    contestants: tuple[Contestant, ...]
    reaches: tuple[Reach, ...]
    unit: str = "s"
    rounds: int = 7
    quick_rounds: int = 5


@dataclass
class Result:
    """What a row gave: each contestant's figures by round, and why others did not take part."""

    row: Row
    figures: dict[str, list[float]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def play(row: Row, folder: Path) -> Result:
    """Run every contestant of a row in turns; the order is reversed each round."""
    result = Result(row)
    with ExitStack() as stack:
        ready: list[tuple[str, Round]] = []
        for number, contestant in enumerate(row.contestants):
            reason = contestant.missing()
            if reason is not None:
                result.skipped[contestant.name] = reason
                continue
            place = folder / f"{row.name}-{number}"
            place.mkdir()
            stack.callback(shutil.rmtree, place, ignore_errors=True)
            ready.append((contestant.name, stack.enter_context(contestant.prepare(place))))
            result.figures[contestant.name] = []
        for turn in range(1 + (row.quick_rounds if is_quick() else row.rounds)):
            for name, once in ready if turn % 2 else reversed(ready):
                figure = _measured(once)
                if turn:
                    result.figures[name].append(figure)
            print(".", end="", file=sys.stderr, flush=True)
    print("\r", end="", file=sys.stderr)
    return result


def _measured(once: Round) -> float:
    gc.collect()
    meter = Meter()
    once(meter)
    return meter.figure


def fresh(work: Callable[[Path, Meter], None]) -> Preparation:
    """Make a preparation of work that needs nothing but an empty folder for each round."""

    @contextmanager
    def prepare(folder: Path) -> Iterator[Round]:
        def once(meter: Meter) -> None:
            place = folder / "round"
            place.mkdir()
            work(place, meter)
            shutil.rmtree(place)

        yield once

    return prepare


def given(figure: float) -> Preparation:
    """Make a preparation of a figure that is not measured, to compare with."""

    @contextmanager
    def prepare(_: Path) -> Iterator[Round]:
        yield lambda meter: meter.note(figure)

    return prepare
