"""Does an HDF5 file crash the HDF5 library? Asked in a process of its own.

The library takes addresses and counts from the file, and a damaged one can end the whole process where no exception
could be caught. So its structure is walked by a process that may die, before readers open the file in this one. Run as
a script, this module is that process; it imports nothing of the package.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

_SECONDS = 60
_SECONDS_PER_BYTE = 1 / 10_000_000
_MEMORY = 4 << 30
_SMALL = 1 << 20


def crash_of_hdf5(path: Path) -> str | None:
    """Say how reading the structure of a file ends a process, or ``None`` where it does not."""
    state = path.stat()
    return _crash(str(path.resolve()), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=256)
def _crash(path: str, size: int, changed: int) -> str | None:
    command = [sys.executable, "-I", __file__, path]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS + size * _SECONDS_PER_BYTE
        )
    except subprocess.TimeoutExpired:
        return "reading its structure does not come to an end"
    except OSError:  # no interpreter to start, as in a frozen application
        return None
    return None if done.returncode >= 0 else f"reading its structure crashes the HDF5 library ({-done.returncode})"


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    allowed = _MEMORY if most == resource.RLIM_INFINITY else min(_MEMORY, most)
    resource.setrlimit(resource.RLIMIT_AS, (allowed, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _walk(path: str) -> None:
    import h5py

    def look(name: str, item: Any) -> None:
        for key in list(item.attrs):
            _tried(partial(item.attrs.get, key))
        if isinstance(item, h5py.Dataset):
            for part in [()] if item.nbytes <= _SMALL else [slice(1), slice(-1, None)]:
                _tried(partial(item.__getitem__, part))

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
    _limit_memory()
    _tried(partial(_walk, sys.argv[1]))
