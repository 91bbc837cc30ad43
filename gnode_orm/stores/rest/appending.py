"""Arrays that grew, on their way to a server that has what they grew from: of these the new rows alone are sent.

The same rows appended to the same array give the same array, so whoever does not know what became of it asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from gnode_orm.core import arrayhash
from gnode_orm.core.arrayhash import LEAF
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.core.streamed import ExtendedArray
from gnode_orm.errors import StoreUnavailable
from gnode_orm.stores.batches import batches
from gnode_orm.stores.rest.connection import Connection, json_of
from gnode_orm.stores.rest.sending import Sender, described
from gnode_orm.stores.rest.sightings import Sightings
from gnode_orm.wire import frames
from gnode_orm.wire.malformed import content_hash, member

# By one request grow so many arrays, since the server may read 8 MiB of each before it answers, or by so many bytes.
_BATCH, _BATCH_BYTES = 100, 16 << 20


@dataclass(frozen=True)
class _Growth:
    """An array that grows, and its new rows; ``data`` has their bytes where these go behind the message."""

    base: ArrayRef
    rows: ArrayRef
    data: bytes | None = None

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
        ahead = {place: source for place, (item, _) in enumerate(items) if (source := self._ahead(item)) is not None}
        sent = self._sender.put([(source, items[place][1]) for place, source in ahead.items()])
        refs = dict(zip(ahead, sent, strict=True))
        # One after the other, so that the new rows of many arrays are not in memory twice.
        growths = (
            (place, self._growth(source, refs.get(place)))
            for place, (source, _) in enumerate(items)
            if self._grows(source)
        )
        for batch in batches(growths, lambda item: len(item[1].data or b""), _BATCH_BYTES, _BATCH):
            places, grown = zip(*batch, strict=True)
            refs.update(zip(places, self._extend(grown), strict=True))
        return [refs[place]._replace(unit=unit) for place, (_, unit) in enumerate(items)]

    def _grows(self, source: ArraySource) -> TypeGuard[ExtendedArray]:
        """Whether an array is there but for some rows, and is not so small that it is sent as quickly as named."""
        return isinstance(source, ExtendedArray) and source.nbytes > self._inline_limit and self._has(source.base)

    def _ahead(self, source: ArraySource) -> ArraySource | None:
        """What has to be sent before an array can be named or grow."""
        if not self._grows(source):
            return source
        return None if source.more.nbytes <= LEAF or self._has(source.more) else source.more

    def _growth(self, source: ExtendedArray, sent: ArrayRef | None) -> _Growth:
        base, more = source.base.ref, source.more
        rows = sent or (more.ref if self._has(more) else None)
        assert base is not None
        if rows is not None:
            return _Growth(base, rows)
        data = more._bytes()
        hash_ = arrayhash.content_hash(data, more.dtype, more.shape)
        return _Growth(base, ArrayRef(hash_, more.dtype.str, more.shape, None), data)

    def _extend(self, batch: Sequence[_Growth]) -> list[ArrayRef]:
        """Let the server append; it answers with the names of the arrays that are there now."""
        message = {
            "items": [[described(item.base), described(item.rows), item.data is not None] for item in batch],
            "seen": self._sightings.message(ref.hash for item in batch for ref in (item.base, item.rows)),
        }
        body = frames.pack(message, (item.data for item in batch if item.data is not None))
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
