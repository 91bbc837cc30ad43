"""What a lab asks of the place of its large arrays: a folder, or a bucket of an object store.

A file has a name, such as ``ab/abcdef….npy``, and never changes; names and content are the same in either place, so
that the arrays of a lab may be copied from one to the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy.typing as npt

from gnode_orm.core.changes import ArrayRef
from gnode_orm.stores.local.array_series import Part

Array = npt.NDArray[Any]


class FoundFile(NamedTuple):
    """A file that there is, and when it was written (microseconds since 1970)."""

    name: str
    size: int
    written: int


class Packed(NamedTuple):
    """Where a small array stands in a file of many, which has a certain size."""

    file: str
    size: int
    start: int
    nbytes: int


class StoredArray(Protocol):
    """A stored array that was found, whatever it is kept in."""

    def read(self, key: Any) -> Array:
        """Give ``array[key]``, read-only, since stored arrays never change."""
        ...

    def rows_from(self, start: int) -> Iterator[Array]:
        """Give the rows from one on, in pieces."""
        ...


class ArrayFiles(Protocol):
    """The files of the large arrays of one lab.

    Attributes:
        scratch: a folder of this computer, in which files are written before they are placed, and sent pieces gathered.
    """

    scratch: Path

    def check(self) -> None:
        """See that the place answers.

        Raises:
            StoreUnavailable: it does not.
        """
        ...

    def stored(self, ref: ArrayRef, parts: Sequence[Part]) -> StoredArray:
        """Find the array that some files hold.

        Raises:
            FormatError: one of them is missing or damaged, where that is seen before anything is read.
        """
        ...

    def read_all(self, wanted: Sequence[tuple[StoredArray, Any]]) -> list[Array]:
        """Read slices of stored arrays."""
        ...

    def read_packed(self, wanted: Sequence[Packed]) -> list[memoryview]:
        """Give the bytes of small arrays.

        Raises:
            FormatError: a file is missing, or has another size.
        """
        ...

    def place(self, written: Mapping[str, Path]) -> None:
        """Give whole and synced files of the scratch folder their names; they are there for good when this returns."""
        ...

    def missing(self, names: Sequence[str]) -> list[str]:
        """Those of some files that are not there."""
        ...

    def sizes(self, names: Sequence[str]) -> list[int]:
        """How large some files are.

        Raises:
            FormatError: one is missing.
        """
        ...

    def content(self, name: str) -> AbstractContextManager[BinaryIO]:
        """Open a file."""
        ...

    def listed(self, concerns: Callable[[str], bool]) -> Iterator[FoundFile]:
        """The files that there are whose names concern somebody."""
        ...

    def remove(self, names: Sequence[str], limit: int) -> dict[str, int]:
        """Remove files that were written before a moment; gives those that were, with their sizes."""
        ...

    def load(self, name: str) -> Array | None:
        """Give an array that was kept beside, or ``None`` where it is not there or damaged."""
        ...

    def save(self, name: str, array: Array, *, synced: bool) -> None:
        """Keep an array beside that is safe to lose, whole for whoever sees it.

        Unless it is synced, a crash of the machine may spoil it.
        """
        ...

    def close(self) -> None:
        """Let go of what is open."""
        ...
