"""Small arrays, many to a pack: a row of its own for each would take twice the time and more space.

A pack is the bytes of some arrays one after the other; the row of an array says which pack, and where in it. Those of
a small step stand in the database, those of a large one in files. Whoever reads does so in one snapshot, since what is
left of a pack in the database moves together when an array of it is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from gnode_orm.core.changes import ArrayRef
from gnode_orm.stores.batches import batches
from gnode_orm.stores.local.clock import now_us
from gnode_orm.stores.local.database import Row, Transaction

# Larger packs gain nothing more when they are written, and cost when one array is read.
_PACK = 32 * 1024
_COLUMNS = ("hash", "dtype", "shape", "nbytes", "pack", "start", "touched")


@dataclass
class PackDraft:
    """A file of small arrays that is there, but that no row names yet.

    Attributes:
        size: of the whole file.
        starts: where in it each array begins, by hash.
    """

    file: str
    size: int = 0
    starts: dict[bytes, int] = field(default_factory=dict)

    def take(self, arrays: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
        """Give the bytes of arrays in order, and note where they begin."""
        for hash_, data in arrays:
            self.starts[hash_] = self.size
            self.size += len(data)
            yield data


class Pack(NamedTuple):
    """A pack in the database, or in a file of a certain size."""

    data: bytes
    file: str | None
    size: int | None


def insert_arrays(
    transaction: Transaction, arrays: Iterable[tuple[ArrayRef, bytes]], drafts: Sequence[PackDraft] = ()
) -> None:
    """Insert small arrays, some of which may stand in files."""
    ((last,),) = transaction.query("SELECT coalesce(max(id), 0) FROM array_pack")
    in_files = dict(enumerate(drafts, last + 1))
    rows: list[Row] = []
    rest = _claimed(arrays, in_files, rows) if in_files else arrays
    claimed = {row[4] for row in rows}
    files = [(pack, b"", draft.file, draft.size) for pack, draft in in_files.items() if pack in claimed]
    transaction.insert("array_pack", ("id", "data", "file", "size"), files)
    transaction.insert("array_pack", ("id", "data"), _packed(rest, last + len(drafts) + 1, rows))
    rows.sort(key=itemgetter(0))  # by their key, so that they are put where the one before was
    transaction.insert("array", _COLUMNS, rows)


def _claimed(
    arrays: Iterable[tuple[ArrayRef, bytes]], packs: dict[int, PackDraft], rows: list[Row]
) -> list[tuple[ArrayRef, bytes]]:
    """Note the rows of the arrays that stand in files; gives the others."""
    now, rest = now_us(), list[tuple[ArrayRef, bytes]]()
    places = {hash_: (pack, start) for pack, draft in packs.items() for hash_, start in draft.starts.items()}
    for ref, data in arrays:
        place = places.get(ref.hash)
        if place is None:
            rest.append((ref, data))
        else:
            rows.append((ref.hash, ref.dtype, ref.shape_text, len(data), *place, now))
    return rest


def _packed(arrays: Iterable[tuple[ArrayRef, bytes]], pack: int, rows: list[Row]) -> Iterator[Row]:
    """Give packs, and note the rows of their arrays."""
    now = now_us()
    for number, together in enumerate(batches(arrays, lambda item: len(item[1]), _PACK), pack):
        start = 0
        for ref, data in together:
            rows.append((ref.hash, ref.dtype, ref.shape_text, len(data), number, start, now))
            start += len(data)
        yield number, b"".join(data for _, data in together)


def ref_of(hash_: bytes, dtype: str, shape: str) -> ArrayRef:
    """Name the array of a row."""
    return ArrayRef.from_columns(hash_, f"{dtype} {shape or '-'}")


def read_packs(transaction: Transaction, packs: Iterable[int]) -> dict[int, Pack]:
    """Read packs by their ids; of those in files, where they are."""
    ids = list(packs)
    if not ids:
        return {}
    rows = transaction.query(
        f"SELECT id, data, file, size FROM array_pack WHERE id {transaction.database.compiler.in_ids}",
        ids=transaction.ids(ids),
    )
    return {id_: Pack(bytes(data), file, size) for id_, data, file, size in rows}


def repack(transaction: Transaction, packs: Sequence[int]) -> None:
    """Let go of what no array claims any more in some packs of the database, whose rows were deleted."""
    in_ids = transaction.database.compiler.in_ids
    rows = transaction.query(
        f'SELECT pack, hash, start, nbytes FROM "array" WHERE pack {in_ids} ORDER BY pack, start',
        ids=transaction.ids(packs),
    )
    left = set()
    for pack, arrays in groupby(rows, itemgetter(0)):
        left.add(pack)
        _shrink(transaction, pack, [(hash_, start, size) for _, hash_, start, size in arrays])
    transaction.run(
        f"DELETE FROM array_pack WHERE id {in_ids}", ids=transaction.ids([pack for pack in packs if pack not in left])
    )


def _shrink(transaction: Transaction, pack: int, arrays: list[tuple[bytes, int, int]]) -> None:
    (found,) = read_packs(transaction, [pack]).values()
    pieces, moved, size = [], [], 0
    for hash_, start, length in arrays:
        pieces.append(found.data[start : start + length])
        moved.append({"hash": hash_, "start": size})
        size += length
    transaction.run_many('UPDATE "array" SET start = :start WHERE hash = :hash', moved)
    transaction.run("UPDATE array_pack SET data = :data WHERE id = :id", data=b"".join(pieces), id=pack)
