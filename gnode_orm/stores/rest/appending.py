"""Arrays that grew, on their way to a server that has what they grew from: of these the new rows alone are sent.

The same rows appended to the same array give the same array, so whoever does not know what became of it asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeGuard

from gnode_orm.core import arrayhash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.core.streamed import ExtendedArray
from gnode_orm.errors import StoreUnavailable
from gnode_orm.stores.rest.connection import Connection, json_of
from gnode_orm.stores.rest.sending import Sender, described
from gnode_orm.stores.rest.sightings import Sightings
from gnode_orm.wire import frames
from gnode_orm.wire.malformed import content_hash, member

# So many arrays grow by one request: the server reads up to 8 MiB of each before it answers.
_BATCH = 100


@dataclass(frozen=True)
class _Growth:
    """Rows to append to an array; ``data`` has their bytes where they are few enough to stand in the message."""

    base: ArrayRef
    rows: ArrayRef
    data: bytes

    def result(self, hash_: bytes) -> ArrayRef:
        """Describe the array that they give."""
        shape = (self.base.shape[0] + self.rows.shape[0], *self.base.shape[1:])
        return ArrayRef(hash_, self.base.dtype, shape, None)


class Appender:
    """Sends arrays to one server, and of those that grew out of what it has, what is new.

    Args:
        has: tells whether an array is stored there.
    """

    def __init__(
        self, connection: Connection, prefix: str, inline_limit: int, sightings: Sightings, sender: Sender,
        has: Callable[[ArrayHandle], bool],
    ) -> None:  # fmt: skip
        self._connection = connection
        self._path = f"{prefix}/arrays/extend"
        self._inline_limit = inline_limit
        self._sightings = sightings
        self._sender = sender
        self._has = has

    def put(self, items: Sequence[tuple[ArraySource, str | None]]) -> list[ArrayRef]:
        """Send arrays with their units, or what is missing of them there."""
        sources = dict(enumerate(source for source, _ in items))
        first = {place: found for place, source in sources.items() if (found := self._first(source)) is not None}
        sent = self._sender.put([(source, items[place][1]) for place, source in first.items()])
        refs = dict(zip(first, sent, strict=True))
        growths = {
            place: self._growth(source, refs.get(place)) for place, source in sources.items() if self._grows(source)
        }
        refs.update(self._appended(growths))
        return [refs[place]._replace(unit=unit) for place, (_, unit) in enumerate(items)]

    def _grows(self, source: ArraySource) -> TypeGuard[ExtendedArray]:
        """Whether an array is there but for some rows, and is not so small that it is sent as quickly as named."""
        return isinstance(source, ExtendedArray) and source.nbytes > self._inline_limit and self._has(source.base)

    def _first(self, source: ArraySource) -> ArraySource | None:
        """What has to be sent before an array can be named or grow."""
        if not self._grows(source):
            return source
        return None if self._is_short(source.more) or self._has(source.more) else source.more

    def _is_short(self, rows: ArrayHandle) -> bool:
        return rows.nbytes <= self._inline_limit

    def _growth(self, source: ExtendedArray, sent: ArrayRef | None) -> _Growth:
        base, rows = source.base.ref, source.more
        assert base is not None
        if self._is_short(rows):
            data = rows._bytes()
            hash_ = arrayhash.content_hash(data, rows.dtype, rows.shape)
            return _Growth(base, ArrayRef(hash_, rows.dtype.str, rows.shape, None), data)
        ref = sent or rows.ref
        assert ref is not None
        return _Growth(base, ref, b"")

    def _appended(self, growths: Mapping[int, _Growth]) -> Iterator[tuple[int, ArrayRef]]:
        waiting = iter(growths.items())
        while batch := dict(islice(waiting, _BATCH)):
            yield from zip(batch, self._extend(list(batch.values())), strict=True)

    def _extend(self, batch: Sequence[_Growth]) -> list[ArrayRef]:
        """Let the server append; it answers with the names of the arrays that are there now."""
        message = {
            "items": [[described(growth.base), described(growth.rows)] for growth in batch],
            "seen": self._sightings.message(ref.hash for growth in batch for ref in (growth.base, growth.rows)),
        }
        body = frames.pack(message, (growth.data for growth in batch))
        answer = self._connection.exchange("POST", self._path, json_of, body, frames.CONTENT_TYPE)
        return _grown(answer, batch)


def _grown(answer: Any, batch: Sequence[_Growth]) -> list[ArrayRef]:
    """Read the names of the arrays that there are now.

    Raises:
        StoreUnavailable: these are not what the rows give.
    """
    try:
        told = member(answer, "arrays", list)
        refs = [growth.result(content_hash(item[0])) for growth, item in zip(batch, told, strict=True)]
        if told == [[ref.hash.hex(), ref.dtype, list(ref.shape)] for ref in refs]:
            return refs
    except (TypeError, ValueError, LookupError):
        pass
    raise StoreUnavailable("The server answered with other arrays than the appended rows give; nothing was committed")
