"""Arrays that are written and hashed, but that no row names yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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


def written(path: Path, source: ArraySource, unit: str | None) -> Draft:
    """Write a large array to a file, which is still to be synced, and hash it."""
    head = {"descr": npy.dtype_to_descr(source.dtype), "fortran_order": False, "shape": tuple(source.shape)}
    with ArrayHasher(source.dtype, source.shape) as hasher, path.open("xb") as file:
        npy.write_array_header_1_0(file, head)
        start = file.tell()
        for piece in _hashed(source, hasher):
            write_along(file, bytes_of(piece))
        size = file.tell() - start
        ref = ArrayRef(hasher.digest(), source.dtype.str, tuple(source.shape), unit)
        _check_size(ref, size)
    begun = hasher.begun()
    return replace(draft_of_file(ref, path, begun.leaves), begun=begun)


def draft_of_file(ref: ArrayRef, path: Path, leaves: bytes) -> Draft:
    """Describe a file that holds a whole array; ``leaves`` has the digests of its whole leaves."""
    file = f"{ref.hash.hex()[:2]}/{ref.hash.hex()}.npy"
    return Draft(ref, None, path, Part(file, ref.shape[0] if ref.shape else 1), leaves=leaves)


def _hashed(source: ArraySource, hasher: ArrayHasher) -> Iterator[Array]:
    if isinstance(source, ArrayHandle) and (held := source.held) is not None:
        # Stays in memory, so its hash may be computed while the caller writes.
        yield _given_to(hasher, held, source.dtype)
        return
    for chunk in source.chunks():
        yield _given_to(hasher, chunk, source.dtype)
        # Hashed while it was written; its owner may use the memory again for the next piece.
        hasher.wait()


def _given_to(hasher: ArrayHasher, chunk: Array, dtype: np.dtype[Any]) -> Array:
    piece = np.ascontiguousarray(chunk, dtype=dtype).reshape(np.shape(chunk))
    hasher.update(piece)
    return piece


def _check_size(ref: ArrayRef, size: int) -> None:
    if size != ref.nbytes:
        raise ValidationFailed(
            f"The pieces of an array of {ref.dtype} {ref.shape} hold {size} bytes, {ref.nbytes} are needed"
        )
