"""Large arrays in a folder, as ``.npy`` files that are memory-mapped when they are read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from gnode_orm.core.array_pieces import read_pieces
from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import FormatError, StoreUnavailable
from gnode_orm.stores.local.array_files import FoundFile, StoredArray
from gnode_orm.stores.local.array_rows import Part
from gnode_orm.stores.local.durable import move_into_place, replace_file, write_beside

Array = npt.NDArray[Any]


class ArrayInPieces:
    """An array in memory or mapped: one piece, or a mapped file for each part."""

    def __init__(self, ref: ArrayRef, pieces: list[Array]) -> None:
        self._pieces = pieces
        self._ref = ref

    def read(self, key: Any) -> Array:
        if len(self._pieces) == 1:
            part = self._pieces[0][key]
        else:
            part = read_pieces(self._pieces, self._ref.shape, np.dtype(self._ref.dtype), key)
        # One element comes without an array around it.
        part = np.asarray(part).view(np.ndarray)
        part.flags.writeable = False
        return part

    def rows_from(self, start: int) -> Iterator[Array]:
        for piece in self._pieces:
            if len(piece) > start:
                yield piece[start:]
            start = max(0, start - len(piece))


class ArrayFolder:
    """A folder with the array files of a lab, which are written in it as well."""

    def __init__(self, folder: Path) -> None:
        self.scratch = folder

    def check(self) -> None:
        if self.scratch.exists() and not self.scratch.is_dir():
            raise StoreUnavailable(f"{self.scratch} is a file; arrays need a folder")

    def stored(self, ref: ArrayRef, parts: Sequence[Part]) -> ArrayInPieces:
        if len(parts) == 1:
            return ArrayInPieces(ref, [self._mapped(ref, parts[0].file)])
        shapes = [(part.rows, *ref.shape[1:]) for part in parts]
        refs = [ArrayRef(ref.hash, ref.dtype, shape, None) for shape in shapes]
        return ArrayInPieces(ref, [self._mapped(piece, part.file) for piece, part in zip(refs, parts, strict=True)])

    def _mapped(self, ref: ArrayRef, name: str) -> Array:
        path = self.scratch / name
        try:
            with path.open("rb") as file:
                offset = _read_header(file, ref)
            mapped: Array = np.memmap(path, dtype=ref.dtype, mode="r", offset=offset, shape=ref.shape)
        except (OSError, ValueError) as error:
            raise FormatError(f"The array file {path} cannot be read ({error}); restore it from a backup") from error
        # Base class, so that no caller meets a memmap.
        return mapped.view(np.ndarray)

    def read_all(self, wanted: Sequence[tuple[StoredArray, Any]]) -> list[Array]:
        return [array.read(key) for array, key in wanted]

    def place(self, written: Mapping[str, Path]) -> None:
        move_into_place([(path, self.scratch / name) for name, path in written.items()])

    def missing(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if not (self.scratch / name).exists()]

    def sizes(self, names: Sequence[str]) -> list[int]:
        return [self._size(self.scratch / name) for name in names]

    def _size(self, path: Path) -> int:
        try:
            return path.stat().st_size
        except FileNotFoundError:
            raise FormatError(f"The array file {path} is missing; the lab is damaged") from None

    def content(self, name: str) -> BinaryIO:
        return (self.scratch / name).open("rb")

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
        """Mapped files are let go of by whoever holds them."""


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
