"""Arrays of a server of API v1: files that are read by place, and arrays that wait to be sent with their objects.

The server gives a data file as a whole, in whatever HDF5 form it was sent. A file that was read is kept for a
while, so that slices of it are read from here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnode_orm.core.arrayhash import hash_of_pieces
from gnode_orm.core.changes import ArrayRef, ArraySource, ChangeSet
from gnode_orm.errors import FormatError, IntegrityError, NotFound, ValidationFailed
from gnode_orm.stores.rest.v1.connection import V1Connection
from gnode_orm.stores.rest.v1.file_cache import FileCache
from gnode_orm.stores.rest.v1.latest import Latest
from gnode_orm.stores.rest.v1.places import Place, place_of, version_of
from gnode_orm.stores.rest.v1.records import Json, id_of
from gnode_orm.stores.rest.v1.waiting_arrays import WaitingArrays
from gnode_orm.wire import hdf5

PARALLEL = 4
_KNOWN = 100_000
Array = npt.NDArray[Any]


class Files:
    """The data files of one server, and what waits to be sent to it."""

    def __init__(self, connection: V1Connection) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gnode-orm-")
        self._cache = FileCache(connection, Path(self._folder.name))
        self._waiting = WaitingArrays(Path(self._folder.name))
        self._known: Latest[Place, ArrayRef | None] = Latest(_KNOWN)
        self._contents: Latest[bytes, bytes] = Latest(_KNOWN)
        self._places: Latest[bytes, Place] = Latest(_KNOWN)

    def open(self, name: bytes, unit: str | None) -> ArrayRef | None:
        """Say what an array is; ``None`` where no data were stored.

        Raises:
            NotFound: the name is none of a place, or the object was changed since.
        """
        place = place_of(name)
        if place is None:
            raise NotFound(f"No array {name.hex()} is known here")
        if place not in self._known:
            with self._cache.file(place) as path:
                ref = None
                if path is not None:
                    with _dataset(path, place) as source:
                        ref = ArrayRef(name, source.dtype.str, source.shape, None)
                self._known[place] = ref
        found = self._known[place]
        return None if found is None else ArrayRef(name, found.dtype, found.shape, unit)

    def read(self, ref: ArrayRef, key: Any = ...) -> Array:
        """Read ``array[key]``.

        Raises:
            NotFound: the array is not known here, or the object was changed since.
        """
        place = place_of(ref.hash) or self._places.get(ref.hash)
        if place is None:
            return self._waiting.read(ref, key)
        with self._cache.file(place) as path:
            if path is None:
                raise NotFound(f"{place} has no data any more")
            with _dataset(path, place) as source:
                values = np.asarray(source.read(key), ref.dtype)
        values.flags.writeable = False
        return values

    def read_many(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[Array]:
        """Read slices of several arrays, some files at once."""
        if len(items) < 2:
            return [self.read(ref, key) for ref, key in items]
        with ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(lambda item: self.read(*item), items))

    def pieces(self, ref: ArrayRef, changes: ChangeSet) -> ArraySource:
        """Give an array that a change set names, wherever it is, to be sent with it.

        Raises:
            IntegrityError: it is nowhere, or is not what its hash says.
        """
        if ref.hash in changes.arrays:
            data = changes.arrays[ref.hash]
            if len(data) != ref.nbytes:
                raise IntegrityError(f"The bytes of an array do not match its type {ref.type_text!r}")
            array = np.frombuffer(data, ref.dtype).reshape(ref.shape)
            if hash_of_pieces(_Pieces(array)) != ref.hash:
                raise IntegrityError(f"The bytes of an array do not match its hash {ref.hash.hex()}")
            return _Pieces(array)
        if ref.hash in self._waiting:
            return _Pieces(self._waiting.mapped(ref))
        if place_of(ref.hash) is not None:
            return _Pieces(self.read(ref))
        raise IntegrityError(f"The array {ref.hash.hex()} is not here; store it with put_arrays first")

    def content_hash(self, ref: ArrayRef) -> bytes:
        """Give the hash of an array's content, which its name does not tell."""
        if place_of(ref.hash) is None:
            return ref.hash
        if ref.hash not in self._contents:
            self._contents[ref.hash] = hash_of_pieces(_Pieces(self.read(ref)))
        return self._contents[ref.hash]

    def content_shown(self, kind: str, item: Json, field: str) -> bytes:
        """Give the hash of the data that a field of an object of the server holds; empty where it holds none."""
        ref = self.open(Place(kind, id_of(item), field, version_of(item["guid"])).name, None)
        return b"" if ref is None else self.content_hash(ref)

    def stored(self, place: Place, ref: ArrayRef) -> ArrayRef:
        """Take note of an array that was just written; gives its name from now on."""
        content = self.content_hash(ref)
        named = ArrayRef(place.name, ref.dtype, ref.shape, ref.unit)
        self._known[place] = named
        self._contents[place.name] = content
        self._places[content] = place
        return named

    def unchanged(self, before: Place, now: Place) -> None:
        """Take note that a write of the object left its data as they were."""
        self._cache.unchanged(before, now)

    def put(self, source: ArraySource, unit: str | None) -> ArrayRef:
        """Keep an array until the change set that names it is sent."""
        return self._waiting.put(source, unit)

    def sent(self, hashes: set[bytes]) -> None:
        """Let go of arrays that were written."""
        self._waiting.sent(hashes)

    def close(self) -> None:
        """Remove every file."""
        self._folder.cleanup()


class _Pieces:
    """An array that gives itself as one piece."""

    def __init__(self, array: Array) -> None:
        self.dtype = array.dtype
        self.shape = array.shape
        self._array = array

    def chunks(self) -> Iterator[Array]:
        yield self._array


@contextmanager
def _dataset(path: Path, place: Place) -> Iterator[hdf5.DatasetSource]:
    """Open the first dataset of a data file, with the caution that files from outside need."""
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        try:
            root = stack.enter_context(hdf5.opened(file))
            source = hdf5.first_dataset(root, path.stat().st_size)
        except ValidationFailed as error:
            # The server takes any bytes for data.
            raise FormatError(f"The data of {place} cannot be read: {error}") from None
        yield source
