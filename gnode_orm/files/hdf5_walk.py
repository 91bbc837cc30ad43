"""The process that may die: it walks HDF5 and MATLAB files, and says what they claim beyond what they hold.

Run as a script: it reads a path from each line of JSON, answers with another line, and imports nothing of the package.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

_MEMORY = 1 << 30
_SMALL = 1 << 20
# Arrays that are larger than this together have to stand in the file, but for what compression does.
_LARGE = 1 << 28
_COMPRESSION = 100
_MATLAB = b"MATLAB 5.0 MAT-file"


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

    with h5py.File(path, "r") as file:
        walk = _Walk(h5py.Dataset, claims)
        walk.look("/", file)
        file.visititems(walk.look)


class _Walk:
    """Looks at one object after the other, and adds up what the arrays claim and what the file holds of them."""

    def __init__(self, dataset: type, claims: list[str]) -> None:
        self._dataset = dataset
        self._claims = claims
        self._claimed = self._held = 0

    def look(self, name: str, item: Any) -> bool | None:
        """Look at one object; ``True`` ends the walk."""
        for key in list(item.attrs):
            _tried(partial(item.attrs.get, key))
        if not isinstance(item, self._dataset):
            return None
        array: Any = item
        if not (array.is_virtual or array.external):
            self._claimed += array.nbytes
            self._held += array.id.get_storage_size()
        if self._claimed > max(_LARGE, _COMPRESSION * self._held):
            self._claims.append(f"the arrays up to {name} claim {self._claimed} bytes, and the file holds {self._held}")
            return True
        for part in [()] if array.nbytes <= _SMALL else [slice(1), slice(-1, None)]:
            _tried(partial(array.__getitem__, part))
        return None


def _tried(read: Callable[[], Any]) -> None:
    """Read something; an exception is for the reader to report."""
    try:
        read()
    except Exception:
        return


if __name__ == "__main__":
    _serve()
