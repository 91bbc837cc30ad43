"""What readers say while they read, by log lines, warnings and prints, as plain sentences for the user."""

from __future__ import annotations

import logging
import re
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO, cast

from gnode_orm.core.shortened import shortened
from gnode_orm.errors import GnodeError
from gnode_orm.files.unit_lookups import units_looked_up_once

_LOGGERS = ("Neo", "neo")
_UNKNOWN_UNIT = re.compile(
    r"""Units? ["'](?P<a>.*?)["'] can not be converted to a quantity|Can't handle unit ["'](?P<b>.*?)["']"""
)
# What readers of images print as they go on.
_PROGRESS = {"reading the header", "read block", "reading block", "creating segment", "returning block"}
# How the HDF5 library says that it lacks one.
_PLUGIN = ("required filter", "lib/plugin")
_SILENT = (ResourceWarning, DeprecationWarning, PendingDeprecationWarning, FutureWarning)
# Catching warnings replaces state of the whole process, so readers take turns.
_turn = threading.RLock()


class _Collector(logging.Handler):
    def __init__(self, sink: Counter[str]) -> None:
        super().__init__(logging.WARNING)
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        self._sink[record.getMessage()] += 1


class _PrintsOfThisThread:
    """Stands in for standard output: keeps what this thread prints, and passes on what others do."""

    def __init__(self, passed_on: Any) -> None:
        self.kept: list[str] = []
        self._passed_on = passed_on
        self._thread = threading.get_ident()

    def write(self, text: str) -> int:
        if threading.get_ident() != self._thread:
            return int(self._passed_on.write(text))
        self.kept.append(text)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._passed_on, name)


class ReaderMessages:
    """Collects messages over several reads; equal ones are counted."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Collect what is logged, warned and printed inside; nothing of it reaches the terminal."""
        handler = _Collector(self._counts)
        loggers = [logging.getLogger(name) for name in _LOGGERS]
        prints = _PrintsOfThisThread(sys.stdout)
        with (
            _turn,
            units_looked_up_once(),
            redirect_stdout(cast("TextIO", prints)),
            warnings.catch_warnings(record=True) as caught,
        ):
            warnings.simplefilter("always")
            kept = [logger.propagate for logger in loggers]
            for logger in loggers:
                logger.addHandler(handler)
                logger.propagate = False
            try:
                yield
            finally:
                for logger, propagate in zip(loggers, kept, strict=True):
                    logger.removeHandler(handler)
                    logger.propagate = propagate
                self._take(caught, prints.kept)

    def sentences(self) -> list[str]:
        """Give each message once, in the order of its first appearance."""
        told: Counter[str] = Counter()
        for message, count in self._counts.items():
            told[_plain(message)] += count
        return [text if count == 1 else f"{text} ({count} times)" for text, count in told.items()]

    def _take(self, caught: list[warnings.WarningMessage], prints: list[str]) -> None:
        lines = (line.strip() for line in "".join(prints).splitlines())
        self._counts.update(line for line in lines if line and line not in _PROGRESS)
        for warning in caught:
            if not issubclass(warning.category, _SILENT):
                self._counts[str(warning.message)] += 1


def one_line(text: object) -> str:
    """Fold a text into one line of at most 300 characters."""
    return shortened(" ".join(str(text).split()), 300)


def reason_of(error: BaseException) -> str:
    """Name an error's class and say its message in one line."""
    text = one_line(error)
    if isinstance(error, GnodeError):
        return text
    if isinstance(error, OSError) and any(mark in text for mark in _PLUGIN):
        return f"{text}; its maker compresses samples with a plugin of HDF5: set HDF5_PLUGIN_PATH to the folder with it"
    if isinstance(error, MemoryError):
        return "reading it takes more memory than there is; a count in it may be damaged, or import it with raw=True"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _plain(message: str) -> str:
    unit = _UNKNOWN_UNIT.search(message)
    if unit is not None:
        return f"unit {unit['a'] or unit['b'] or ''!r} is unknown: kept as dimensionless, values not scaled"
    if "Cannot rescale to voltage" in message:
        return "the header holds no scaling: raw counts are kept as dimensionless"
    return one_line(message)
