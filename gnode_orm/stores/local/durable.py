"""Files that are whole or not there: written beside, synced, renamed, and the folder synced."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


def replace_file(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array as a ``.npy`` file."""
    with _saved(path, array) as temporary:
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        move_into_place(temporary, path)


def write_beside(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array as a ``.npy`` file that readers see whole, but that a crash of the machine may spoil."""
    with _saved(path, array) as temporary:
        path.parent.mkdir(exist_ok=True)
        os.replace(temporary, path)


@contextmanager
def _saved(path: Path, array: npt.NDArray[Any]) -> Iterator[Path]:
    temporary = path.parent.parent / f"tmp-{secrets.token_hex(8)}"
    try:
        with temporary.open("xb") as file:
            np.save(file, array)
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def move_into_place(temporary: Path, final: Path) -> None:
    """Give a written and synced file its name."""
    if not final.parent.is_dir():
        final.parent.mkdir(exist_ok=True)
        sync_folder(final.parent.parent)
    os.replace(temporary, final)
    sync_folder(final.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
