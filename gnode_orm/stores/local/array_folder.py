"""Large arrays in a folder, as ``.npy`` files that are memory-mapped when they are read."""

from __future__ import annotations

import contextlib
import mmap
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import FormatError, StoreUnavailable
from gnode_orm.stores.local.array_files import FoundFile, Packed, StoredArray
from gnode_orm.stores.local.array_series import Part, ends_of, rows_by_part
from gnode_orm.stores.local.durable import move_into_place, replace_file, write_beside
from gnode_orm.stores.row_runs import Run, read_by_runs

# So many parts of arrays that grew stay mapped, and so many files of small arrays.
_PARTS = 4096
_PACKS = 256
# Bytes of several parts that are put together at once.
_RUN = 4 << 20

Array = npt.NDArray[Any]
T = TypeVar("T")


class ArrayInPieces:
    """An array in memory or mapped: one piece, or one for each part.

    Args:
        ends: where the pieces end that are many: how many rows stand up to there.
    """

    def __init__(self, ref: ArrayRef, pieces: Sequence[Array], ends: Sequence[int] = ()) -> None:
        self._pieces = pieces
        self._ends = ends
        self._ref = ref

    def read(self, key: Any) -> Array:
        part = self._picked(key) if self._ends else self._pieces[0][key]
        # One element comes without an array around it.
        part = np.asarray(part).view(np.ndarray)
        part.flags.writeable = False
        return part

    def rows_from(self, start: int) -> Iterator[Array]:
        if self._ends:
            yield from self._cut(start, self._ends[-1])
        elif start < len(self._pieces[0]):
            yield self._pieces[0][start:]

    def _picked(self, key: Any) -> Array:
        most = max(1, _RUN // max(1, self._ref.nbytes // self._ends[-1]))
        return read_by_runs(self._between, self._ref.shape, np.dtype(self._ref.dtype), key, most, _in_turn)

    def _between(self, start: int, stop: int) -> Array:
        found = list(self._cut(start, stop))
        return found[0] if len(found) == 1 else np.concatenate(found)

    def _cut(self, start: int, stop: int) -> Iterator[Array]:
        for number, low, high in rows_by_part(self._ends, start, stop):
            yield self._pieces[number][low:high]


class MappedParts(Sequence[Array]):
    """The mapped files of an array that grew, mapped when they are asked for: there may be thousands."""

    def __init__(self, map_part: Callable[[Part], Array], parts: Sequence[Part]) -> None:
        self._map = map_part
        self._parts = parts

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, number: Any) -> Any:
        return self._map(self._parts[number])


class ArrayFolder:
    """A folder with the array files of a lab, which are written in it as well."""

    def __init__(self, folder: Path) -> None:
        self.scratch = folder
        # Parts by file, since versions of an array share them.
        self._parts = _Mapped[Array](_PARTS)
        self._packs = _Mapped[memoryview](_PACKS)

    def check(self) -> None:
        if self.scratch.exists() and not self.scratch.is_dir():
            raise StoreUnavailable(f"{self.scratch} is a file; arrays need a folder")

    def stored(self, ref: ArrayRef, parts: Sequence[Part]) -> ArrayInPieces:
        if len(parts) == 1:
            return ArrayInPieces(ref, [self._mapped(ref, parts[0].file)])
        return ArrayInPieces(ref, MappedParts(partial(self._part, ref), parts), ends_of(parts))

    def _part(self, ref: ArrayRef, part: Part) -> Array:
        rows = ArrayRef(ref.hash, ref.dtype, (part.rows, *ref.shape[1:]), None)
        return self._parts.get(part.file, lambda: self._mapped(rows, part.file))

    def _mapped(self, ref: ArrayRef, name: str) -> Array:
        path = self.scratch / name
        with _said(path), path.open("rb") as file:
            offset = _read_header(file, ref)
            mapped: Array = np.memmap(path, dtype=ref.dtype, mode="r", offset=offset, shape=ref.shape)
        # Base class, so that no caller meets a memmap.
        return mapped.view(np.ndarray)

    def read_packed(self, wanted: Sequence[Packed]) -> list[memoryview]:
        packs = {name: self._pack(name, size) for name, size in {item[:2] for item in wanted}}
        return [packs[name][start : start + nbytes] for name, _, start, nbytes in wanted]

    def _pack(self, name: str, size: int) -> memoryview:
        return self._packs.get(name, lambda: _mapped_bytes(self.scratch / name, size))

    def read_all(self, wanted: Sequence[tuple[StoredArray, Any]]) -> list[Array]:
        return [array.read(key) for array, key in wanted]

    def place(self, written: Mapping[str, Path]) -> None:
        move_into_place([(path, self.scratch / name) for name, path in written.items()])

    def missing(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if not (self.scratch / name).exists()]

    def sizes(self, names: Sequence[str]) -> list[int]:
        return [self._size(self.scratch / name) for name in names]

    def _size(self, path: Path) -> int:
        with _there(path):
            return path.stat().st_size

    def content(self, name: str) -> BinaryIO:
        path = self.scratch / name
        with _there(path):
            return path.open("rb")

    def listed(self, concerns: Callable[[str], bool]) -> Iterator[FoundFile]:
        for folder in listed_paths(self.scratch):
            if len(folder.name) == 2:
                names = (f"{folder.name}/{path.name}" for path in listed_paths(folder))
                yield from self._found(filter(concerns, names))

    def _found(self, names: Iterable[str]) -> Iterator[FoundFile]:
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                status = (self.scratch / name).stat()
                yield FoundFile(name, status.st_size, status.st_mtime_ns // 1000)

    def remove(self, names: Sequence[str], limit: int) -> dict[str, int]:
        gone = {}
        for file in self._found(names):
            if file.written < limit:
                (self.scratch / file.name).unlink(missing_ok=True)
                gone[file.name] = file.size
        return gone

    def load(self, name: str) -> Array | None:
        with contextlib.suppress(OSError, ValueError, EOFError):
            found: Array = np.load(self.scratch / name, mmap_mode="r")
            return found
        return None

    def save(self, name: str, array: Array, *, synced: bool) -> None:
        write = replace_file if synced else write_beside
        write(self.scratch / name, array)

    def close(self) -> None:
        """Let go of mapped files; whoever holds a slice of one keeps it."""
        self._parts.clear()
        self._packs.clear()


class _Mapped(Generic[T]):
    """The mapped files that were used last, by name; of so many, since a process may map some ten thousand at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, T] = OrderedDict()

    def get(self, name: str, mapped: Callable[[], T]) -> T:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name]
        found = mapped()
        with self._lock:
            self._kept[name] = found
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return found

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


@contextlib.contextmanager
def _there(path: Path) -> Iterator[None]:
    """Say which file it is that is missing."""
    try:
        yield
    except FileNotFoundError:
        raise FormatError(f"The array file {path} is missing; the lab is damaged") from None


@contextlib.contextmanager
def _said(path: Path) -> Iterator[None]:
    """Say which file it is that cannot be read."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise FormatError(f"The array file {path} cannot be read ({error}); restore it from a backup") from error


def _mapped_bytes(path: Path, size: int) -> memoryview:
    with _said(path), path.open("rb") as file:
        there = os.fstat(file.fileno()).st_size
        if there != size:
            raise ValueError(f"it has {there} bytes, not {size}")
        return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ))


def _in_turn(function: Callable[[Run], None], runs: Iterable[Run]) -> None:
    for run in runs:
        function(run)


def _read_header(file: BinaryIO, ref: ArrayRef) -> int:
    npy.read_magic(file)
    shape, _, dtype = npy.read_array_header_1_0(file)
    if shape != ref.shape or dtype != np.dtype(ref.dtype):
        raise ValueError(f"it holds {dtype} {shape}, not {ref.dtype} {ref.shape}")
    return file.tell()


def listed_paths(folder: Path) -> list[Path]:
    """What a folder holds; nothing where there is none."""
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
