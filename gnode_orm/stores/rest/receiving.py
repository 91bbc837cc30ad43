"""Arrays on their way from a server: read straight into their place, several requests at once where they are large."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from urllib3.exceptions import ProtocolError

from gnode_orm.core.arrayhash import bytes_of
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.overview import MAX_BINS
from gnode_orm.errors import StoreUnavailable
from gnode_orm.stores.rest.array_cache import ArrayCache
from gnode_orm.stores.rest.connection import Connection
from gnode_orm.stores.rest.sightings import Sightings
from gnode_orm.stores.rest.transport import Answer
from gnode_orm.stores.row_runs import read_by_runs
from gnode_orm.wire import frames
from gnode_orm.wire.malformed import Malformed
from gnode_orm.wire.slices import key_message

PARALLEL = 4
LARGE = 32 << 20
_PART = 16 << 20
# Rows that are picked come with those between them, in requests of at most so many bytes.
_RUN = 4 << 20
_BATCH_ITEMS = 5000
_STEP = 1 << 20

Array = npt.NDArray[Any]


@dataclass
class _Request:
    """What one request asks for: slices, and the arrays that take them."""

    items: list[tuple[ArrayRef, list[Any]]]
    targets: list[Array]
    nbytes: int = 0


class Receiver:
    """Reads arrays of one server.

    Args:
        cache: keeps large arrays that were read as a whole.
    """

    def __init__(
        self, connection: Connection, prefix: str, sightings: Sightings, cache: ArrayCache | None = None
    ) -> None:
        self._connection = connection
        self._prefix = prefix
        self._sightings = sightings
        self._cache = cache

    def read(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[Array]:
        """Read slices: out of the arrays that are kept here, where the server lets the user read them still."""
        cache = self._cache
        kept = {} if cache is None else {ref.hash: cache.get(ref) for ref, _ in items}
        here = {ref.hash: ref for ref, _ in items if kept.get(ref.hash) is not None}
        if here:
            # Nothing of an array is sent for an empty slice, and its reader is checked as for any other.
            self._fetch([(ref, slice(0, 0)) for ref in here.values()])
        missing = [item for item in items if item[0].hash not in here]
        fetched = iter(self._fetch(missing) if missing else [])
        return [
            self._kept(ref, key, next(fetched)) if ref.hash not in here else _read_only(_taken(kept[ref.hash], key))
            for ref, key in items
        ]

    def _kept(self, ref: ArrayRef, key: Any, array: Array) -> Array:
        if self._cache is not None and key is ...:
            self._cache.put(ref, array)
        return array

    def _fetch(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[Array]:
        """Read slices, small ones many in one request, large ones in several at once."""
        results = [
            None if key_message(key) is None else np.empty(_result_shape(ref, key), ref.dtype) for ref, key in items
        ]
        planned = _requests([(*item, out) for item, out in zip(items, results, strict=True) if out is not None])
        self._spread(self._fill, planned)
        return [
            _read_only(self._picked(*item) if out is None else out) for item, out in zip(items, results, strict=True)
        ]

    def _picked(self, ref: ArrayRef, key: Any) -> Array:
        """Read what is no slice, such as rows or channels by their numbers, out of the rows that it concerns."""
        if not ref.shape:
            return np.asarray(self._fetch([(ref, ...)])[0][key])
        row = max(1, ref.nbytes // max(1, ref.shape[0]))
        return read_by_runs(
            lambda start, stop: self._fetch([(ref, slice(start, stop))])[0],
            ref.shape, np.dtype(ref.dtype), key, max(1, _RUN // row), self._spread,
        )  # fmt: skip

    def _spread(self, function: Callable[[Any], None], items: Iterable[Any]) -> None:
        each = list(items)
        if len(each) == 1:
            function(each[0])
        elif each:
            with ThreadPoolExecutor(PARALLEL) as pool:
                list(pool.map(function, each))

    def _fill(self, request: _Request) -> None:
        message = {
            "items": [[ref.hash.hex(), key] for ref, key in request.items],
            "seen": self._sightings.message(ref.hash for ref, _ in request.items),
        }
        self._exchange("arrays/read", message, request.targets)

    def overview(self, ref: ArrayRef, bins: int) -> tuple[Array, Array] | None:
        """Give minimum and maximum of some bins, which the server makes."""
        if bins > MAX_BINS:
            return None
        message = {"hash": ref.hash.hex(), "bins": bins, "seen": self._sightings.message([ref.hash])}
        shape = (min(bins, ref.shape[0]), *ref.shape[1:])
        low, high = np.empty(shape, ref.dtype), np.empty(shape, ref.dtype)
        self._exchange("arrays/overview", message, [low, high])
        return low, high

    def _exchange(self, path: str, message: Any, targets: Sequence[Array]) -> None:
        """Ask for arrays, which go from the connection to their places."""

        def read_frame(answer: Answer) -> None:
            try:
                text = _exactly(answer, frames.message_length(_exactly(answer, frames.HEAD)))
                _fill(answer, frames.loads(text)["items"], targets)
            except Malformed as error:
                raise StoreUnavailable(f"{answer.url} did not answer with arrays ({error})") from None

        body = frames.dumps(message)
        self._connection.exchange("POST", f"{self._prefix}/{path}", read_frame, body, "application/json", stream=True)


def _requests(wanted: Sequence[tuple[ArrayRef, Any, Array]]) -> list[_Request]:
    planned: list[_Request] = []
    batch = _Request([], [])
    for ref, key, out in wanted:
        parts = _parts(ref, key, out)
        if len(parts) > 1:
            planned.extend(_Request([(ref, written)], [target]) for written, target in parts)
            continue
        if batch.items and (batch.nbytes + out.nbytes > LARGE or len(batch.items) >= _BATCH_ITEMS):
            planned.append(batch)
            batch = _Request([], [])
        batch.items.append((ref, parts[0][0]))
        batch.targets.append(out)
        batch.nbytes += out.nbytes
    return [*planned, batch] if batch.items else planned


def _parts(ref: ArrayRef, key: Any, out: Array) -> list[tuple[list[Any], Array]]:
    """Cut a large slice along its first axis; each part has its own place in the result."""
    first, *rest = (key if isinstance(key, tuple) else (key,)) or (...,)
    if out.nbytes <= LARGE or not ref.shape or (first is Ellipsis and rest) or isinstance(first, int | np.integer):
        return [(key_message(key) or [], out)]
    whole = first if isinstance(first, slice) else slice(None)
    begin, _, step = whole.indices(ref.shape[0])
    if step != 1:
        return [(key_message(key) or [], out)]
    rows = max(1, _PART // max(1, out.nbytes // len(out)))
    return [
        (key_message((slice(begin + at, begin + min(at + rows, len(out))), *rest)) or [], out[at : at + rows])
        for at in range(0, len(out), rows)
    ]


def _result_shape(ref: ArrayRef, key: Any) -> tuple[int, ...]:
    # An array of one value seen as the whole: says what a slice gives, errors included, without its memory.
    whole: Array = np.ndarray(ref.shape, "V1", b"\0", strides=(0,) * len(ref.shape))
    shape: tuple[int, ...] = whole[key].shape
    return shape


def _fill(raw: Any, described: list[Any], targets: Sequence[Array]) -> None:
    if [[target.dtype.str, list(target.shape)] for target in targets] != described:
        raise Malformed("the answer has other arrays than were asked for")
    for target in targets:
        _read_into(raw, target)


def _read_into(raw: Any, target: Array) -> None:
    view = bytes_of(target)
    while view:
        count = raw.readinto(view[:_STEP])
        if not count:
            raise ProtocolError("the answer ended in the middle of an array")
        view = view[count:]


def _exactly(raw: Any, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = raw.read(size - len(data))
        if not piece:
            raise ProtocolError("the answer ended in the middle of its message")
        data += piece
    return bytes(data)


def _taken(whole: Array | None, key: Any) -> Array:
    assert whole is not None
    return np.asarray(whole[key])


def _read_only(array: Any) -> Array:
    result: Array = np.asarray(array)
    result.flags.writeable = False
    return result
