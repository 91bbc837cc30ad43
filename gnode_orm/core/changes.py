"""What a commit carries and what comes back: plain records, with no model instance in them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from gnode_orm.core.arrayhash import content_hash
from gnode_orm.errors import IntegrityError

Version = int
"""Microseconds since 1970 UTC of the commit that wrote a row, strictly rising within a lab: the version of a row, its
time of modification and its place in history in one number. Where a server keeps revision ids of its own, the version
is that id as a number; ``codec.time_of`` tells either's time."""

OPEN = "open"
"""First word of the type of an array of which the store says no more before it is asked for."""


class ArrayRef(NamedTuple):
    """The name of a stored array: content hash, NumPy dtype text, shape and unit (``None`` for plain arrays)."""

    hash: bytes
    dtype: str
    shape: tuple[int, ...]
    unit: str | None

    @property
    def shape_text(self) -> str:
        """``"1000,2"``; empty for a 0-d shape."""
        return _shape_text(self.shape)

    @property
    def type_text(self) -> str:
        """``"<f4 1000,2 mV"``; a 0-d shape is ``-``, and a plain array has no third word."""
        return _type_text(self.dtype, self.shape, self.unit)

    @classmethod
    def from_columns(cls, hash: bytes, type_text: str) -> ArrayRef:
        """Read the two columns of an array field."""
        dtype, shape, *unit = type_text.split(" ", 2)
        sizes = () if shape == "-" else tuple(map(int, shape.split(",")))
        return cls(bytes(hash), dtype, sizes, unit[0] if unit else None)

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * np.dtype(self.dtype).itemsize


# Thousands of arrays are of few lengths.
@lru_cache(maxsize=4096)
def _shape_text(shape: tuple[int, ...]) -> str:
    return ",".join(map(str, shape))


@lru_cache(maxsize=4096)
def _type_text(dtype: str, shape: tuple[int, ...], unit: str | None) -> str:
    text = f"{dtype} {_shape_text(shape) or '-'}"
    return text if unit is None else f"{text} {unit}"


class ArraySource(Protocol):
    """Something that gives an array piece by piece, and again when a write is tried again."""

    @property
    def dtype(self) -> np.dtype[Any]: ...

    @property
    def shape(self) -> tuple[int, ...]: ...

    def chunks(self) -> Iterator[npt.NDArray[Any]]:
        """C-contiguous pieces along the first axis, in order."""
        ...


class NamedArrays(dict[bytes, bytes]):
    """Bytes of small arrays by their hashes, which were made from the bytes here: nobody has to check them again.

    Attributes:
        refs: what each of them is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refs: dict[bytes, ArrayRef] = {}

    def name(self, data: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], unit: str | None) -> ArrayRef:
        """Take in an array, given as its C-order bytes."""
        hash_ = content_hash(data, dtype, shape)
        self[hash_] = data
        ref = self.refs[hash_] = ArrayRef(hash_, dtype.str, shape, unit)
        return ref


@dataclass(slots=True)
class Update:
    """New column values for one stored object; ``base`` is the version that they were decided on."""

    kind: str
    id: int
    base: Version
    values: dict[str, Any]


@dataclass(slots=True)
class Delete:
    """Remove one stored object, refused when it still has children unless ``cascade`` is given.

    Attributes:
        cascade: what the preview of a cascading delete saw; refused when the tree below changed since.
    """

    kind: str
    id: int
    base: Version
    cascade: DeletePreview | None = None


@dataclass(frozen=True, slots=True)
class DeletePreview:
    """What deleting an object touches of that which its user may read.

    Attributes:
        children: objects below it by kind, which would be deleted with it (or stand in the way).
        unlinked: objects by kind whose optional reference to it would become null.
        owners: owners of the objects below it, with counts.
        state: opaque token of the tree below, compared when the delete is carried out.
    """

    children: dict[str, int]
    unlinked: dict[str, int]
    owners: dict[str, int]
    state: str


@dataclass(frozen=True, slots=True)
class Link:
    """A channel that joins (``added``) or leaves a channel group."""

    channel: int
    group: int
    added: bool


@dataclass(slots=True)
class ChangeSet:
    """One atomic, idempotent commit.

    Attributes:
        id: made once, when the plan is built, and kept over retries.
        attempt: made anew with the content, so that a receipt tells which of several contents under one id it is for.
        creates: rows to create by kind, kinds in the schema's order and rows with parents first; a row is the id
            and the kind's write columns.
        updates, deletes, links: as named; deletes stand children first.
        arrays: bytes of the small arrays that the rows name, by hash; larger ones were stored beforehand. A store
            checks the bytes of a plain dictionary, which may come from anywhere.
    """

    id: str = field(default_factory=lambda: secrets.token_hex(16))
    attempt: str = field(default_factory=lambda: secrets.token_hex(8), kw_only=True)
    message: str | None = None
    creates: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)
    updates: list[Update] = field(default_factory=list)
    deletes: list[Delete] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    arrays: dict[bytes, bytes] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.creates or self.updates or self.deletes or self.links)


@dataclass(frozen=True, slots=True)
class Written:
    """An object as a store names it that gives ids and versions of its own.

    Attributes:
        arrays: by field, the arrays that the set wrote, by the name under which the store gives them back.
        base: the version that was replaced; 0 for a new object.
    """

    id: int
    version: Version
    created: Version
    arrays: dict[str, ArrayRef] = field(default_factory=dict)
    base: Version = 0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a store answers to a change set; the same answer however often the same set is sent.

    Attributes:
        version: the version of every row that the set wrote. Where the store gives ids and versions of its own, the
            time of the commit alone, or 0 where it does not tell.
        written: there, what became of the objects, by kind and id as sent; else ``None``.
        attempt: the attempt that was written, of several that carried the id; empty where the store does not know.
    """

    id: str
    version: Version
    user: str
    message: str | None
    written: dict[tuple[str, int], Written] | None = field(default=None, hash=False)
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class Stale:
    """One object that is no longer as an update or delete assumed.

    ``row`` is the record as it is now, or ``None`` where it was deleted; ``user`` and ``version`` say by whom and when.
    """

    kind: str
    id: int
    base: Version
    row: tuple[Any, ...] | None
    user: str | None
    version: Version | None


class StaleRows(Exception):
    """Raised by a store for a change set based on versions that are gone; the session turns it into a conflict."""

    def __init__(self, stale: list[Stale]) -> None:
        super().__init__(f"{len(stale)} objects were changed since they were read")
        self.stale = stale


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of one object: the commit that wrote it, and the record (``None`` where it was deleted)."""

    commit: str
    version: Version
    user: str
    message: str | None
    row: tuple[Any, ...] | None


class IdTaken(Exception):
    """Raised by a store when an id of a row to create is in use; the session takes new ids and a new change set."""


class ArrayMissing(IntegrityError):
    """Raised by a store that does not have, or not for the sender, an array that a change set names.

    An array that was sent a long time before may have been removed as of no use; the session sends it once more.

    Attributes:
        hash: the name of the array.
    """

    def __init__(self, message: str, hash: bytes) -> None:
        super().__init__(message)
        self.hash = hash

    @classmethod
    def of(cls, hash: bytes, type_text: str) -> ArrayMissing:
        """Say which array it is."""
        text = f"The array {hash.hex()} ({type_text}) is not in the lab; store it with put_arrays first"
        return cls(text, hash)


class PartlyWritten(Exception):
    """Raised by a store that cannot write a change set at once, when something stopped it on the way.

    Creates, updates and links are written, and some deletes; the session turns it into ``PartialCommit``.

    Attributes:
        receipt: of what is written.
        done, failed, untried: the deletes in each state, as kind and id.
    """

    def __init__(
        self,
        receipt: Receipt,
        *,
        done: list[tuple[str, int]],
        failed: list[tuple[str, int]],
        untried: list[tuple[str, int]],
        cause: Exception,
    ) -> None:
        super().__init__(str(cause))
        self.receipt = receipt
        self.done = done
        self.failed = failed
        self.untried = untried
        self.cause = cause
