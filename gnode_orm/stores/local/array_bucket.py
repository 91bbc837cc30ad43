"""Large arrays in a bucket of an object store that speaks S3, as ``.npy`` objects that are read by byte ranges.

Address and credentials of the store come from the usual environment variables of AWS, and are kept nowhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import numpy as np
import numpy.typing as npt

from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import FormatError, UnsupportedByStore, ValidationFailed
from gnode_orm.stores.local.array_files import FoundFile, Packed, StoredArray
from gnode_orm.stores.local.array_series import Part
from gnode_orm.stores.local.bucket_array import BucketArray
from gnode_orm.stores.local.packed_runs import PackedRun, runs_of

try:
    import obstore
    from obstore.store import S3Store
except ModuleNotFoundError:
    raise UnsupportedByStore("Arrays in a bucket need obstore: pip install 'gnode-orm[s3]'") from None

from gnode_orm.stores.local.bucket_answers import Answers

# Requests under way at once, of each kind; a part or a range is of some megabytes, so this bounds the memory too.
_AT_ONCE = 8
_PART = 8 << 20
_PAGE = 1000
# What is lost for a moment is asked for again; what stays lost is said while somebody still waits for it.
_RETRIES: Any = {"max_retries": 4, "retry_timeout": timedelta(seconds=30)}
_PATIENCE = {"connect_timeout": "5s", "timeout": "120s"}
_ADDRESS = re.compile(r"s3://([a-z0-9][a-z0-9.-]+[a-z0-9])(?:/(.*))?")
_TRUE = {"1", "true", "yes", "on", "t", "y"}
Array = npt.NDArray[Any]
In = TypeVar("In")
Out = TypeVar("Out")


class ArrayBucket:
    """The array files of a lab in a bucket, under a prefix.

    Args:
        address: ``s3://bucket/prefix``.

    Raises:
        ValidationFailed: the address is not one, or what the environment says of the store cannot be meant.
    """

    def __init__(self, address: str) -> None:
        match = _ADDRESS.fullmatch(address)
        if match is None:
            raise ValidationFailed(f"arrays={address!r} is no bucket; write s3://bucket/prefix", value=address)
        bucket, prefix = match[1], (match[2] or "").strip("/")
        self.shown = f"s3://{bucket}/{prefix}".rstrip("/")
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        plain = os.environ.get("AWS_ALLOW_HTTP", "").lower() in _TRUE
        if endpoint.startswith("http://") and not plain:
            raise ValidationFailed(
                f"AWS_ENDPOINT_URL={endpoint} is without TLS; use https://, or set AWS_ALLOW_HTTP=true",
                value=endpoint,
            )
        self._store = S3Store(
            bucket, prefix=prefix or None, retry_config=_RETRIES,
            client_options=cast(Any, {**_PATIENCE, "allow_http": plain}),
        )  # fmt: skip
        self._said = Answers(self.shown, endpoint).said
        self.scratch = _scratch(bucket, f"{endpoint} {self.shown}")
        # Slices wait for ranges, so each has threads of its own.
        self._slices = ThreadPoolExecutor(_AT_ONCE)
        self._ranges = ThreadPoolExecutor(_AT_ONCE)

    def stored(self, ref: ArrayRef, parts: Sequence[Part]) -> BucketArray:
        return BucketArray(self, ref, parts)

    def read_all(self, wanted: Sequence[tuple[StoredArray, Any]]) -> list[Array]:
        return self._each(self._slices, lambda item: item[0].read(item[1]), wanted)

    def spread(self, function: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
        """Call a function that reads a range with each of some values, several at once."""
        return self._each(self._ranges, function, list(items))

    def _each(self, pool: ThreadPoolExecutor, function: Callable[[In], Out], items: Sequence[In]) -> list[Out]:
        if len(items) < 2:
            return [function(item) for item in items]
        return list(pool.map(function, items))

    def read_range(self, name: str, start: int, stop: int, size: int) -> memoryview:
        """Read bytes of an object that has a certain size.

        Raises:
            FormatError: it is not there, or has another size.
        """
        try:
            with self._said():
                found = obstore.get(self._store, name, options={"range": (start, stop)})
                if found.meta["size"] == size:
                    return memoryview(found.bytes())
                there = f"it has {found.meta['size']} bytes, not {size}"
        except FileNotFoundError:
            there = "it is not there"
        raise FormatError(f"The array {self._path(name)} cannot be read ({there}); restore it from a backup")

    def read_packed(self, wanted: Sequence[Packed]) -> list[memoryview]:
        found = [memoryview(b"")] * len(wanted)

        def fetch(run: PackedRun) -> None:
            data = self.read_range(run.file, run.start, run.stop, run.size)
            for number in run.members:
                start = wanted[number].start - run.start
                # A copy, since one array that somebody keeps would keep all that came with it.
                found[number] = memoryview(bytes(data[start : start + wanted[number].nbytes]))

        # Arrays without a value need no asking, and an empty range is none.
        self.spread(fetch, [run for run in runs_of(wanted) if run.stop > run.start])
        return found

    def load(self, name: str) -> Array | None:
        with contextlib.suppress(FileNotFoundError, ValueError, EOFError), self._said():
            found: Array = np.load(io.BytesIO(bytes(obstore.get(self._store, name).bytes())))
            return found
        return None

    @contextmanager
    def content(self, name: str) -> Iterator[BinaryIO]:
        with self._said():
            reader = obstore.open_reader(self._store, name, buffer_size=_PART)
            try:
                yield cast(BinaryIO, _Whole(reader, self._said))
            finally:
                reader.close()

    def place(self, written: Mapping[str, Path]) -> None:
        for name, path in written.items():
            with self._said():
                obstore.put(self._store, name, path, chunk_size=_part_size(path), max_concurrency=_AT_ONCE)

    def save(self, name: str, array: Array, *, synced: bool) -> None:
        file = io.BytesIO()
        np.save(file, array)
        with self._said():
            obstore.put(self._store, name, file.getbuffer(), chunk_size=_PART, max_concurrency=_AT_ONCE)

    def check(self) -> None:
        with self._said():
            next(iter(obstore.list(self._store, chunk_size=1)), None)

    def missing(self, names: Sequence[str]) -> list[str]:
        return [name for name, found in zip(names, self.spread(self._head, names), strict=True) if found is None]

    def sizes(self, names: Sequence[str]) -> list[int]:
        found = self.spread(self._head, names)
        if None in found:
            raise FormatError(f"The array {self._path(names[found.index(None)])} is missing; the lab is damaged")
        return [file.size for file in found if file is not None]

    def _head(self, name: str) -> FoundFile | None:
        try:
            with self._said():
                return _found(obstore.head(self._store, name))
        except FileNotFoundError:
            return None

    def listed(self, concerns: Callable[[str], bool]) -> Iterator[FoundFile]:
        with self._said():
            for page in obstore.list(self._store):
                yield from (_found(meta) for meta in page if concerns(meta["path"]))

    def remove(self, names: Sequence[str], limit: int) -> dict[str, int]:
        found = self.spread(self._head, names)
        gone = {file.name: file.size for file in found if file is not None and file.written < limit}
        every = list(gone)
        for at in range(0, len(every), _PAGE):
            with self._said():
                obstore.delete(self._store, every[at : at + _PAGE])
        return gone

    def close(self) -> None:
        self._slices.shutdown(wait=False)
        self._ranges.shutdown(wait=False)

    def _path(self, name: str) -> str:
        return f"{self.shown}/{name}"


class _Whole(io.RawIOBase):
    """An object that is read from its begin to its end."""

    def __init__(self, reader: Any, said: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
        self._reader = reader
        self._said = said

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with self._said():
            data = memoryview(self._reader.read(len(buffer)))
        buffer[: len(data)] = data
        return len(data)


def _found(meta: Any) -> FoundFile:
    return FoundFile(meta["path"], meta["size"], int(meta["last_modified"].timestamp() * 1_000_000))


def _part_size(path: Path) -> int:
    """The size of the parts of an upload, of which S3 takes ten thousand."""
    return max(_PART, -(-path.stat().st_size // 10_000))


def _scratch(bucket: str, whole: str) -> Path:
    """The folder of this computer's user for one place, the same in every process that uses it."""
    import platformdirs

    mark = hashlib.sha256(whole.encode()).hexdigest()[:16]
    return Path(platformdirs.user_state_dir("gnode-orm")) / "buckets" / f"{bucket}-{mark}"
