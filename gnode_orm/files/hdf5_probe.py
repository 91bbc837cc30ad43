"""Does an HDF5 file, or one of MATLAB, crash its library, or claim more than it holds? Asked in a process of its own.

The library takes addresses and counts from the file, and a damaged one can end the whole process where no exception
could be caught. So its structure is walked by a process that may die, before readers open the file in this one. That
process stays for the next file, since starting one takes longer than most files do. Run as a script, this module is
that process: it reads a path from each line of JSON, answers with another line, and imports nothing of the package.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

_SECONDS = 30
_SECONDS_PER_BYTE = 1 / 10_000_000
_MEMORY = 1 << 30
_SMALL = 1 << 20
# Arrays that are larger than this together have to stand in the file, but for what compression does.
_LARGE = 1 << 28
_COMPRESSION = 100
_MATLAB = b"MATLAB 5.0 MAT-file"


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
                [sys.executable, "-I", __file__],
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


# ---- in the process that may die


def _serve() -> None:
    _limit_memory()
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    for line in sys.stdin:
        claims: list[str] = []
        _tried(partial(_look, json.loads(line), claims))
        answers.write(json.dumps(claims[0] if claims else None) + "\n")
        answers.flush()


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    allowed = _MEMORY if most == resource.RLIM_INFINITY else min(_MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _look(path: str, claims: list[str]) -> None:
    with open(path, "rb") as file:
        is_matlab = file.read(len(_MATLAB)) == _MATLAB
    (_read_matlab if is_matlab else _walk)(path, claims)


def _read_matlab(path: str, claims: list[str]) -> None:
    from scipy.io import loadmat

    try:
        loadmat(path)
    except MemoryError:
        if os.path.getsize(path) * _COMPRESSION < _MEMORY:
            claims.append(f"it asks for more than {_MEMORY} bytes, and has {os.path.getsize(path)}")


def _walk(path: str, claims: list[str]) -> None:
    import h5py

    claimed = held = 0

    def look(name: str, item: Any) -> bool | None:
        nonlocal claimed, held
        for key in list(item.attrs):
            _tried(partial(item.attrs.get, key))
        if isinstance(item, h5py.Dataset):
            if not (item.is_virtual or item.external):
                claimed, held = claimed + item.nbytes, held + item.id.get_storage_size()
            if claimed > max(_LARGE, _COMPRESSION * held):
                claims.append(f"the arrays up to {name} claim {claimed} bytes, and the file holds {held}")
                return True  # which ends the walk
            for part in [()] if item.nbytes <= _SMALL else [slice(1), slice(-1, None)]:
                _tried(partial(item.__getitem__, part))
        return None

    with h5py.File(path, "r") as file:
        look("/", file)
        file.visititems(look)


def _tried(read: Callable[[], Any]) -> None:
    """Read something; an exception is for the reader to report."""
    try:
        read()
    except Exception:
        return


if __name__ == "__main__":
    _serve()
