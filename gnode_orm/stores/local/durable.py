"""Files that are whole or not there: written beside, synced, renamed, and the folder synced."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

# So many files are on disk before threads have begun. Of more, each waits: more threads than there are cores let the
# disk take many files in one go.
_FEW = 4
_AT_ONCE = 4
# So many bytes are given to the disk at once; fewer than these are not worth asking.
_STEP = 2 << 20
_WORTH_ASKING = 64 << 10
# What disks, file systems and memory count in.
_BLOCK = 4096
# RWF_DONTCACHE of Linux 6.14; other systems and file systems refuse it.
_UNCACHED = 0x80
_NOT_KNOWN = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)


def replace_file(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array as a ``.npy`` file."""
    with _saved(path, array) as temporary:
        sync(temporary)
        move_into_place([(temporary, path)])


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


def write_through(file: int, data: bytes | memoryview, start: int) -> None:
    """Write bytes into a file at a place, past the cache of the system where it can: on disk after the next sync.

    What a server takes in is seldom read at once, and filling fresh pages of the cache takes longer than moving and
    hashing the bytes. Whole blocks that stand in memory as in the file go straight to the disk, which takes next to
    nothing.
    """
    view = memoryview(data)
    first = min(len(view), -start % _BLOCK)
    last = first + (len(view) - first) // _BLOCK * _BLOCK
    _write_uncached(file, view[:first], start)
    done = first + _write_straight(file, view[first:last], start + first)
    _write_uncached(file, view[done:], start + done)


def _write_straight(file: int, view: memoryview, start: int) -> int:
    """Write what can be written past the system; gives how many bytes."""
    done = 0
    try:
        with _past_the_system(file):
            while done < len(view):
                done += os.pwrite(file, view[done:], start + done)
    except (OSError, AttributeError) as error:
        if getattr(error, "errno", errno.ENOSYS) not in _NOT_KNOWN:
            raise
    return done


def _write_uncached(file: int, view: memoryview, start: int) -> None:
    while view:
        try:
            written = os.pwritev(file, [view], start, _UNCACHED)
        except (OSError, NotImplementedError) as error:
            if getattr(error, "errno", errno.ENOSYS) not in _NOT_KNOWN:
                raise
            written = os.pwrite(file, view, start)
        view, start = view[written:], start + written


@contextmanager
def _past_the_system(file: int) -> Iterator[None]:
    # Not by opening it once more: by its name another file may stand there by now.
    flags = fcntl.fcntl(file, fcntl.F_GETFL)
    fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_DIRECT)
    try:
        yield
    finally:
        fcntl.fcntl(file, fcntl.F_SETFL, flags)


def move_into_place(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Give written and synced files their names; each folder is synced once, and on disk when this returns."""
    folders = dict.fromkeys(final.parent for _, final in pairs)
    new = [folder for folder in folders if not folder.is_dir()]
    for folder in new:
        folder.mkdir(exist_ok=True)
    for temporary, final in pairs:
        os.replace(temporary, final)
    sync_all({*folders, *(folder.parent for folder in new)})


def write_along(file: BinaryIO, data: memoryview) -> None:
    """Write bytes at the end of a file, and let the disk take them meanwhile: a sync finds little to wait for then."""
    for at in range(0, len(data), _STEP):
        start = file.tell()
        piece = data[at : at + _STEP]
        file.write(piece)
        if len(piece) >= _WORTH_ASKING:
            begin_to_disk(file, start)


def begin_to_disk(file: BinaryIO, start: int = 0) -> None:
    """Let the disk begin with what was written from a place on, without waiting, where the system can do that."""
    if hasattr(os, "posix_fadvise"):  # Linux begins to write what it is told that nobody needs in memory
        file.flush()
        os.posix_fadvise(file.fileno(), start, 0, os.POSIX_FADV_DONTNEED)


def sync_all(paths: Collection[Path]) -> None:
    """Bring files, or the names in folders, to disk."""
    if len(paths) <= _FEW:
        for path in paths:
            sync(path)
    else:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(sync, paths))


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
