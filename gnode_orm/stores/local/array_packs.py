"""Small arrays inside the database, many to a row: a row of its own for each would take twice the time and more space.

A pack is the bytes of some arrays one after the other; the row of an array says which pack, and where in it. Whoever
reads does so in one snapshot, since what is left of a pack moves together when an array of it is removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from gnode_orm.core.changes import ArrayRef
from gnode_orm.stores.local.clock import now_us
from gnode_orm.stores.local.database import Row, Transaction

# Larger packs gain nothing more when they are written, and cost when one array is read.
_PACK = 32 * 1024
_COLUMNS = ("hash", "dtype", "shape", "nbytes", "pack", "start", "touched")


def insert_arrays(transaction: Transaction, arrays: Iterable[tuple[ArrayRef, bytes]]) -> None:
    """Insert small arrays."""
    ((last,),) = transaction.query("SELECT coalesce(max(id), 0) FROM array_pack")
    rows: list[Row] = []
    transaction.insert("array_pack", ("id", "data"), _packed(arrays, last + 1, rows))
    rows.sort(key=itemgetter(0))  # by their key, so that they are put where the one before was
    transaction.insert("array", _COLUMNS, rows)


def _packed(arrays: Iterable[tuple[ArrayRef, bytes]], pack: int, rows: list[Row]) -> Iterator[Row]:
    """Give packs, and note the rows of their arrays."""
    now, held, size = now_us(), list[bytes](), 0
    for ref, data in arrays:
        if held and size + len(data) > _PACK:
            yield pack, b"".join(held)
            pack, held, size = pack + 1, [], 0
        rows.append((ref.hash, ref.dtype, ref.shape_text, ref.nbytes, pack, size, now))
        held.append(data)
        size += len(data)
    if held:
        yield pack, b"".join(held)


def read_packs(transaction: Transaction, packs: Iterable[int]) -> dict[int, bytes]:
    """Read packs by their ids."""
    ids = list(packs)
    if not ids:
        return {}
    rows = transaction.query(
        f"SELECT id, data FROM array_pack WHERE id {transaction.database.compiler.in_ids}", ids=transaction.ids(ids)
    )
    return {id_: bytes(data) for id_, data in rows}


def repack(transaction: Transaction, packs: Sequence[int]) -> None:
    """Let go of what no array claims any more in some packs, whose rows were deleted."""
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
    (data,) = read_packs(transaction, [pack]).values()
    pieces, moved, size = [], [], 0
    for hash_, start, length in arrays:
        pieces.append(data[start : start + length])
        moved.append({"hash": hash_, "start": size})
        size += length
    transaction.run_many('UPDATE "array" SET start = :start WHERE hash = :hash', moved)
    transaction.run("UPDATE array_pack SET data = :data WHERE id = :id", data=b"".join(pieces), id=pack)
