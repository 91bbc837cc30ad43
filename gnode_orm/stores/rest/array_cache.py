"""Large arrays that were read from servers, kept on disk by hash so that they need not come again.

Every user of every server has a folder of his own, and the server is asked each time whether he may still read what is
in it; the bytes alone come from here. What is read is checked against its hash once in each process, so a file that
was cut or changed is as good as none.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from gnode_orm.core.arrayhash import array_hash
from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import ValidationFailed

LEAST = 64 << 10
"""Smaller arrays come as fast as the answer whether they may be read."""

_DEFAULT_MB = 2048
_LARGEST_SHARE = 4
_STEPS = 16

Array = npt.NDArray[Any]
log = logging.getLogger("gnode_orm")


@dataclass(frozen=True, slots=True)
class Usage:
    """What the cache holds now: arrays, and bytes in all."""

    arrays: int
    nbytes: int


class ArrayCache:
    """The arrays of one user of one server; safe to use from many threads and processes.

    Args:
        folder: of the whole cache, which is bounded; ``owner`` names the part of this user and server in it.
        limit: bytes that the whole cache may take.
    """

    def __init__(self, folder: Path, owner: str, limit: int) -> None:
        self._whole = folder
        self._folder = folder / part_of(owner)
        self._limit = limit
        self._lock = threading.Lock()
        self._checked: set[bytes] = set()
        # Bytes that may be written until the whole is looked through again; other processes write as well.
        self._room = 0
        self._usable = True

    def get(self, ref: ArrayRef) -> Array | None:
        """Give a kept array, mapped and read-only."""
        if ref.nbytes <= LEAST or not self._usable:
            return None
        path = self._path(ref)
        try:
            found = np.load(path, mmap_mode="r", allow_pickle=False)
            os.utime(path)  # the least lately used go first
        except (OSError, ValueError, EOFError):
            return None
        if found.dtype.str != ref.dtype or found.shape != ref.shape or not self._is_sound(found, ref):
            path.unlink(missing_ok=True)
            return None
        array: Array = found.view(np.ndarray)
        return array

    def _is_sound(self, found: Array, ref: ArrayRef) -> bool:
        if ref.hash not in self._checked:
            if array_hash(found) != ref.hash:
                return False
            self._checked.add(ref.hash)
        return True

    def put(self, ref: ArrayRef, array: Array) -> None:
        """Keep an array, unless it is small or takes too large a share; with a disk that takes none nothing is kept."""
        if not LEAST < ref.nbytes <= self._limit // _LARGEST_SHARE or not self._usable:
            return
        try:
            with self._lock:
                self._make_room(ref.nbytes)
            self._write(self._path(ref), array)
        except OSError as error:
            self._usable = False
            log.info("Arrays are not kept in %s: %s", self._whole, error.strerror or error)

    def _make_room(self, size: int) -> None:
        if self._room < size:
            evict(self._whole, self._limit - max(size, self._limit // _STEPS))
            self._room = max(size, self._limit // _STEPS)
        self._room -= size

    def _write(self, path: Path, array: Array) -> None:
        for folder in (self._whole, self._folder, path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._folder / f"tmp-{secrets.token_hex(8)}"
        try:
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                npy.write_array(file, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)

    def _path(self, ref: ArrayRef) -> Path:
        name = ref.hash.hex()
        return self._folder / name[:2] / f"{name}.npy"


def array_cache(*owner: str) -> ArrayCache | None:
    """Give the cache of a user of a server, where there shall be one."""
    limit = cache_limit()
    return ArrayCache(cache_folder(), "\n".join(owner), limit) if limit else None


def part_of(owner: str) -> str:
    """Name the folder of a user of a server in the whole cache."""
    return hashlib.sha256(owner.encode()).hexdigest()[:32]


def cache_folder() -> Path:
    """Where arrays and records are kept: in the folder for caches of the operating system."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("gnode-orm"))


def cache_limit() -> int:
    """Give the bytes that the cache may take: ``GNODE_ORM_CACHE_MB``, 2048 unless set; with 0 nothing is kept.

    Raises:
        ValidationFailed: the variable holds no whole number.
    """
    text = os.environ.get("GNODE_ORM_CACHE_MB", "")
    if text and not text.isdecimal():
        raise ValidationFailed(f"GNODE_ORM_CACHE_MB is {text!r}; a whole number of megabytes is needed, 0 for no cache")
    return int(text or _DEFAULT_MB) * 1_000_000


def usage(folder: Path) -> Usage:
    """Count what is kept."""
    entries = list(_entries(folder))
    return Usage(sum(path.suffix == ".npy" for *_, path in entries), sum(size for _, size, _ in entries))


def clear(folder: Path) -> None:
    """Remove everything that is kept."""
    if folder.exists():
        shutil.rmtree(folder)


def evict(folder: Path, limit: int) -> None:
    """Remove the files that were not used for the longest time until the rest fits into so many bytes."""
    entries = sorted(_entries(folder))
    total = sum(size for _, size, _ in entries)
    for _, size, path in entries:
        if total <= limit:
            return
        path.unlink(missing_ok=True)
        total -= size


def _entries(folder: Path) -> Iterator[tuple[int, int, Path]]:
    """Last use, size and path of every file."""
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            if path.is_file():
                yield status.st_mtime_ns, status.st_size, path
