"""Arrays of a server of API v1: files that are read by place, and arrays that wait to be sent with their objects.

The server gives a data file as a whole, in whatever HDF5 form it was sent. A file that was read is kept while the store
is open, the latest ones up to a size, so that slices of it are read from here.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnode_orm.core.arrayhash import ArrayHasher, bytes_of, hash_of_pieces
from gnode_orm.core.changes import ArrayRef, ArraySource, ChangeSet
from gnode_orm.errors import FormatError, IntegrityError, NotFound, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.stores.rest.transport import Answer
from gnode_orm.stores.rest.v1.connection import Refused, V1Connection
from gnode_orm.stores.rest.v1.places import Place, place_of, version_of
from gnode_orm.wire import hdf5

KEEP = 2 << 30
PARALLEL = 4
_KNOWN = 100_000
Array = npt.NDArray[Any]


class Files:
    """The data files of one server, and what waits to be sent to it."""

    def __init__(self, connection: V1Connection) -> None:
        self._connection = connection
        self._folder = tempfile.TemporaryDirectory(prefix="gnode-orm-")
        self._lock = threading.Lock()
        self._kept: OrderedDict[Place, int] = OrderedDict()
        self._in_use: dict[Place, int] = {}
        self._known: OrderedDict[Place, ArrayRef | None] = OrderedDict()
        self._contents: OrderedDict[bytes, bytes] = OrderedDict()
        self._places: OrderedDict[bytes, Place] = OrderedDict()
        # Revisions that were written from here and left the data as they were, with the revision before them.
        self._origins: OrderedDict[Place, Place] = OrderedDict()
        self._waiting: dict[bytes, ArrayRef] = {}

    # ---- reading

    def open(self, name: bytes, unit: str | None) -> ArrayRef | None:
        """Say what an array is; ``None`` where no data were stored."""
        place = place_of(name)
        if place is None:
            raise NotFound(f"No array {name.hex()} is known here")
        if place not in self._known:
            with self._file(place) as path:
                ref = None
                if path is not None:
                    with _dataset(path, place) as source:
                        ref = ArrayRef(name, source.dtype.str, source.shape, None)
                self._note(place, ref)
        found = self._known[place]
        return None if found is None else ArrayRef(name, found.dtype, found.shape, unit)

    def read(self, ref: ArrayRef, key: Any = ...) -> Array:
        """Read ``array[key]``."""
        place = place_of(ref.hash) or self._places.get(ref.hash)
        if place is None:
            return self._read_waiting(ref, key)
        with self._file(place) as path:
            if path is None:
                raise NotFound(f"{place} has no data any more")
            with _dataset(path, place) as source:
                values = np.asarray(source.read(key))
        values.flags.writeable = False
        return values

    def read_many(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[Array]:
        """Read slices of several arrays, some files at once."""
        if len(items) < 2:
            return [self.read(ref, key) for ref, key in items]
        with ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(lambda item: self.read(*item), items))

    def pieces(self, ref: ArrayRef, changes: ChangeSet) -> ArraySource:
        """Give an array that a change set names, wherever it is, to be sent with it."""
        if ref.hash in changes.arrays:
            data = changes.arrays[ref.hash]
            if len(data) != ref.nbytes:
                raise IntegrityError(f"The bytes of an array do not match its type {ref.type_text!r}")
            array = np.frombuffer(data, ref.dtype).reshape(ref.shape)
            if hash_of_pieces(_Pieces(array)) != ref.hash:
                raise IntegrityError(f"The bytes of an array do not match its hash {ref.hash.hex()}")
            return _Pieces(array)
        if ref.hash in self._waiting:
            return _Pieces(self._mapped(ref))
        if place_of(ref.hash) is not None:
            return _Pieces(self.read(ref))
        raise IntegrityError(f"The array {ref.hash.hex()} is not here; store it with put_arrays first")

    def content_hash(self, ref: ArrayRef) -> bytes:
        """Give the hash of an array's content, which its name does not tell."""
        if place_of(ref.hash) is None:
            return ref.hash
        if ref.hash not in self._contents:
            self._remember(ref.hash, hash_of_pieces(_Pieces(self.read(ref))))
        return self._contents[ref.hash]

    def stored(self, place: Place, ref: ArrayRef, content: bytes) -> ArrayRef:
        """Take note of an array that was just written; gives its name from now on."""
        named = ArrayRef(place.name, ref.dtype, ref.shape, ref.unit)
        self._note(place, named)
        self._remember(place.name, content)
        with self._lock:
            self._places[content] = place
            while len(self._places) > _KNOWN:
                self._places.popitem(last=False)
        return named

    def unchanged(self, before: Place, now: Place) -> None:
        """Take note that a write of the object left its data as they were."""
        with self._lock:
            self._origins[now] = self._origins.get(before, before)
            while len(self._origins) > _KNOWN:
                self._origins.popitem(last=False)

    def _note(self, place: Place, ref: ArrayRef | None) -> None:
        with self._lock:
            self._known[place] = ref
            while len(self._known) > _KNOWN:
                self._known.popitem(last=False)

    def _remember(self, name: bytes, content: bytes) -> None:
        with self._lock:
            self._contents[name] = content
            while len(self._contents) > _KNOWN:
                self._contents.popitem(last=False)

    # ---- files that were read

    @contextmanager
    def _file(self, place: Place) -> Iterator[Path | None]:
        """Give the file of a place, read from the server where it is not here; ``None`` where there are no data."""
        place = self._origins.get(place, place)
        path = Path(self._folder.name) / place.name.hex()
        with self._lock:
            self._in_use[place] = self._in_use.get(place, 0) + 1
        try:
            yield path if path.exists() or self._fetch(place, path) else None
        finally:
            self._let_go(place)

    def _fetch(self, place: Place, path: Path) -> bool:
        def write(answer: Answer) -> int:
            if answer.status == 204:
                return -1
            with part.open("wb") as file:
                shutil.copyfileobj(answer, file, 1 << 20)
            return part.stat().st_size

        with tempfile.NamedTemporaryFile(dir=self._folder.name, delete=False) as reserved:
            part = Path(reserved.name)
        try:
            size = self._connection.exchange("GET", place.address, write, stream=True)
            if size < 0:
                return False
            part.replace(path)
        except Refused as refusal:
            raise refusal.error(str(place)) from None
        finally:
            part.unlink(missing_ok=True)
        self._check_current(place, path)
        with self._lock:
            self._kept[place] = size
        return True

    def _check_current(self, place: Place, path: Path) -> None:
        """Make sure that the file which came is that of the revision asked for: the server gives the latest."""
        item = self._connection.get_or_none(str(Location.of_number(place.kind, place.id)))
        now = None if item is None else place._replace(version=version_of(item["guid"]))
        if now is None or self._origins.get(now, now) != place:
            path.unlink()
            raise NotFound(f"{place} was changed since it was read, and the server has no past; refresh the object")

    def _let_go(self, place: Place) -> None:
        with self._lock:
            self._in_use[place] -= 1
            if not self._in_use[place]:
                del self._in_use[place]
            total = sum(self._kept.values())
            for old in [item for item in self._kept if item not in self._in_use]:
                if total <= KEEP:
                    return
                total -= self._kept.pop(old)
                (Path(self._folder.name) / old.name.hex()).unlink(missing_ok=True)

    # ---- what waits to be sent

    def put(self, source: ArraySource, unit: str | None) -> ArrayRef:
        """Keep an array until the change set that names it is sent: the server takes it with its object alone."""
        dtype, shape = np.dtype(source.dtype), tuple(source.shape)
        if dtype.hasobject or dtype.names:
            raise ValidationFailed(
                f"An array of dtype {dtype} cannot be stored; use numbers, text or bytes", value=dtype
            )
        with tempfile.NamedTemporaryFile(dir=self._folder.name, delete=False) as file:
            part = Path(file.name)
            try:
                with ArrayHasher(dtype, shape) as hasher:
                    for piece in source.chunks():
                        array = np.ascontiguousarray(piece, dtype=dtype)
                        hasher.update(array)
                        file.write(bytes_of(array))
                        hasher.wait()
                    ref = ArrayRef(hasher.digest(), dtype.str, shape, unit)
                if file.tell() != ref.nbytes:
                    raise ValidationFailed(
                        f"The pieces of an array of {ref.dtype} {ref.shape} hold {file.tell()} bytes, {ref.nbytes} are "
                        "needed"
                    )
            except BaseException:
                part.unlink()
                raise
        part.replace(self._waiting_path(ref.hash))
        self._waiting[ref.hash] = ref
        return ref

    def sent(self, hashes: set[bytes]) -> None:
        """Let go of arrays that were written."""
        for hash_ in hashes:
            if self._waiting.pop(hash_, None) is not None:
                self._waiting_path(hash_).unlink(missing_ok=True)

    def _waiting_path(self, hash_: bytes) -> Path:
        return Path(self._folder.name) / f"{hash_.hex()}.waiting"

    def _mapped(self, ref: ArrayRef) -> Array:
        if ref.nbytes == 0:
            return np.empty(ref.shape, ref.dtype)
        flat = np.memmap(self._waiting_path(ref.hash), dtype="u1", mode="r")
        return np.asarray(flat).view(ref.dtype).reshape(ref.shape)

    def _read_waiting(self, ref: ArrayRef, key: Any) -> Array:
        if ref.hash not in self._waiting:
            raise NotFound(f"No array {ref.hash.hex()} is known here")
        values = np.array(self._mapped(ref)[key])
        values.flags.writeable = False
        return values

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
