"""Arrays that wait to be sent: the server takes an array with its object alone."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from gnode_orm.core.arrayhash import ArrayHasher, bytes_of
from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.errors import NotFound, ValidationFailed

Array = npt.NDArray[Any]


class WaitingArrays:
    """Arrays in files of a folder, by their hash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waiting: dict[bytes, ArrayRef] = {}

    def __contains__(self, hash_: bytes) -> bool:
        return hash_ in self._waiting

    def put(self, source: ArraySource, unit: str | None) -> ArrayRef:
        """Keep an array until the change set that names it is sent.

        Raises:
            ValidationFailed: it is of no type that can be stored, or its pieces do not make its shape.
        """
        dtype, shape = np.dtype(source.dtype), tuple(source.shape)
        if dtype.hasobject or dtype.names:
            raise ValidationFailed(
                f"An array of dtype {dtype} cannot be stored; use numbers, text or bytes", value=dtype
            )
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
            part = Path(file.name)
            try:
                ref = ArrayRef(_written(source, dtype, shape, file), dtype.str, shape, unit)
                if file.tell() != ref.nbytes:
                    raise ValidationFailed(
                        f"The pieces of an array of {ref.dtype} {ref.shape} hold {file.tell()} bytes, {ref.nbytes} are "
                        "needed"
                    )
            except BaseException:
                part.unlink()
                raise
        part.replace(self._path(ref.hash))
        self._waiting[ref.hash] = ref
        return ref

    def sent(self, hashes: set[bytes]) -> None:
        """Let go of arrays that were written."""
        for hash_ in hashes:
            if self._waiting.pop(hash_, None) is not None:
                self._path(hash_).unlink(missing_ok=True)

    def _path(self, hash_: bytes) -> Path:
        return self._folder / f"{hash_.hex()}.waiting"

    def mapped(self, ref: ArrayRef) -> Array:
        """Give an array as it stands in its file."""
        if ref.nbytes == 0:
            return np.empty(ref.shape, ref.dtype)
        flat = np.memmap(self._path(ref.hash), dtype="u1", mode="r")
        return np.asarray(flat).view(ref.dtype).reshape(ref.shape)

    def read(self, ref: ArrayRef, key: Any) -> Array:
        """Read ``array[key]``.

        Raises:
            NotFound: it does not wait here.
        """
        if ref.hash not in self._waiting:
            raise NotFound(f"No array {ref.hash.hex()} is known here")
        values = np.array(self.mapped(ref)[key], ref.dtype)
        values.flags.writeable = False
        return values


def _written(source: ArraySource, dtype: np.dtype[Any], shape: tuple[int, ...], file: IO[bytes]) -> bytes:
    """Write the pieces of an array to a file, and give its hash."""
    with ArrayHasher(dtype, shape) as hasher:
        for piece in source.chunks():
            array = np.ascontiguousarray(piece, dtype=dtype)
            hasher.update(array)
            file.write(bytes_of(array))
            hasher.wait()
        return hasher.digest()
