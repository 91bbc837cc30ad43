"""Arrays that are written and hashed, but that no row names yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from gnode_orm.core.arrayhash import ArrayHasher, Begun, bytes_of
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.errors import ValidationFailed
from gnode_orm.stores.local.array_series import Part
from gnode_orm.stores.local.durable import write_along

Array = npt.NDArray[Any]


@dataclass
class Draft:
    """An array that is written, but that no row names yet.

    Attributes:
        data: its bytes, where they go into the database.
        temporary: else a file with what is new of it.
        part: the name that this file will have, and how many rows it holds.
        base: the hash of the array to which they are appended, if any.
        leaves: digests of the whole leaves of the whole array.
        begun: how far its hashing has come, where that is known.
    """

    ref: ArrayRef
    data: bytes | None = None
    temporary: Path | None = None
    part: Part | None = None
    base: bytes | None = None
    leaves: bytes = b""
    begun: Begun | None = None


def inline(source: ArraySource, unit: str | None) -> Draft:
    """Hash a small array, which goes into the database."""
    with ArrayHasher(source.dtype, source.shape) as hasher:
        data = b"".join(bytes(bytes_of(piece)) for piece in _hashed(source, hasher))
        ref = ArrayRef(hasher.digest(), source.dtype.str, tuple(source.shape), unit)
    _check_size(ref, len(data))
    return Draft(ref, data)


class Writing:
    """A large array in memory that is written when this is made, and hashed meanwhile on a thread.

    It has to stay as it is until it is a draft; ``stack`` waits for the thread in the end.
    """

    def __init__(self, path: Path, array: Array, stack: ExitStack) -> None:
        self._path = path
        self._array = array
        self._hasher = stack.enter_context(ArrayHasher(array.dtype, array.shape))
        self._hasher.update(array)
        with path.open("xb") as file:
            _write_header(file, array)
            write_along(file, bytes_of(array))

    def draft(self, unit: str | None) -> Draft:
        """Describe the file, which is still to be synced, when the array is hashed."""
        return _hashed_draft(self._path, self._array, unit, self._hasher)


def written(path: Path, source: ArraySource, unit: str | None) -> Draft:
    """Write a large array to a file, which is still to be synced, and hash it."""
    if isinstance(source, ArrayHandle) and (held := source.held) is not None:
        with ExitStack() as stack:
            return Writing(path, held, stack).draft(unit)
    with ArrayHasher(source.dtype, source.shape) as hasher, path.open("xb") as file:
        _write_header(file, source)
        start = file.tell()
        for piece in _hashed(source, hasher):
            write_along(file, bytes_of(piece))
        size = file.tell() - start
        draft = _hashed_draft(path, source, unit, hasher)
        _check_size(draft.ref, size)
    return draft


def _write_header(file: BinaryIO, array: ArraySource | Array) -> None:
    head = {"descr": npy.dtype_to_descr(array.dtype), "fortran_order": False, "shape": tuple(array.shape)}
    npy.write_array_header_1_0(file, head)


def _hashed_draft(path: Path, array: ArraySource | Array, unit: str | None, hasher: ArrayHasher) -> Draft:
    ref = ArrayRef(hasher.digest(), array.dtype.str, tuple(array.shape), unit)
    begun = hasher.begun()
    return replace(draft_of_file(ref, path, begun.leaves), begun=begun)


def draft_of_file(ref: ArrayRef, path: Path, leaves: bytes) -> Draft:
    """Describe a file that holds a whole array; ``leaves`` has the digests of its whole leaves."""
    file = f"{ref.hash.hex()[:2]}/{ref.hash.hex()}.npy"
    return Draft(ref, None, path, Part(file, ref.shape[0] if ref.shape else 1), leaves=leaves)


def _hashed(source: ArraySource, hasher: ArrayHasher) -> Iterator[Array]:
    for chunk in source.chunks():
        piece = np.ascontiguousarray(chunk, dtype=source.dtype).reshape(np.shape(chunk))
        hasher.update(piece)
        yield piece
        # Hashed while it was written; its owner may use the memory again for the next piece.
        hasher.wait()


def _check_size(ref: ArrayRef, size: int) -> None:
    if size != ref.nbytes:
        raise ValidationFailed(
            f"The pieces of an array of {ref.dtype} {ref.shape} hold {size} bytes, {ref.nbytes} are needed"
        )
