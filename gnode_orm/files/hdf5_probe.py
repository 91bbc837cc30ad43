"""Does an HDF5 file, or one of MATLAB, crash its library, or claim more than it holds? Asked in a process of its own.

The library takes addresses and counts from the file, and a damaged one can end the whole process where no exception
could be caught. So its structure is walked by a process that may die, before readers open the file in this one. That
process stays for the next file, since starting one takes longer than most files do.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

_SCRIPT = str(Path(__file__).with_name("hdf5_walk.py"))
_SECONDS = 30
_SECONDS_PER_BYTE = 1 / 10_000_000


def problem_of_hdf5(path: Path) -> str | None:
    """Say what reading the structure of an HDF5 or MATLAB file ends in, or ``None`` where all is well."""
    state = path.stat()
    return _problem(str(path.resolve()), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=256)
def _problem(path: str, size: int, changed: int) -> str | None:
    try:
        with _turn:
            return _probe.ask(path, _SECONDS + size * _SECONDS_PER_BYTE)
    except TimeoutError:
        return "reading its structure does not come to an end"
    except OSError:  # no interpreter to start, as in a frozen application
        return None


class _Probe:
    """The process, started when it is needed first and again when it was lost."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._owner = 0
        self._answers: queue.Queue[str] = queue.Queue()

    def ask(self, path: str, seconds: float) -> str | None:
        """Let the process read a file; give its answer, or how it ended.

        Raises:
            OSError: it cannot be started.
            TimeoutError: there was no answer in time.
        """
        process = self._running()
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # its end is seen below
            process.stdin.write(json.dumps(path) + "\n")
            process.stdin.flush()
        try:
            line = self._answers.get(timeout=seconds)
        except queue.Empty:
            self.close()
            raise TimeoutError from None
        if not line:
            return self._end()
        answer: str | None = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None and self._owner == os.getpid():
            with suppress(BrokenPipeError), process:
                process.kill()

    def _end(self) -> str | None:
        process = self._process
        assert process is not None
        code = process.wait()
        self.close()
        return f"reading its structure crashes the library for it ({-code})" if code < 0 else None

    def _running(self) -> subprocess.Popen[str]:
        # After a fork, the pipes belong to the other process.
        if self._process is None or self._owner != os.getpid():
            self._owner = os.getpid()
            self._answers = queue.Queue()
            self._process = subprocess.Popen(
                [sys.executable, "-I", _SCRIPT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
            threading.Thread(target=_forward, args=(self._process.stdout, self._answers), daemon=True).start()
        return self._process


def _forward(stream: Any, answers: queue.Queue[str]) -> None:
    with suppress(ValueError):  # closed meanwhile
        for line in stream:
            answers.put(line)
    answers.put("")


_turn = threading.Lock()
_probe = _Probe()
atexit.register(_probe.close)
