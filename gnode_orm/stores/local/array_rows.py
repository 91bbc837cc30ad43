"""The rows of arrays: small arrays by their place in a pack, large ones by the files that hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from gnode_orm.core.arrayhash import content_hash
from gnode_orm.core.changes import ArrayMissing, ArrayRef, ChangeSet, NamedArrays
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import IntegrityError
from gnode_orm.stores.local.array_files import Packed
from gnode_orm.stores.local.array_packs import Pack, PackDraft, insert_arrays, read_packs
from gnode_orm.stores.local.array_series import Part
from gnode_orm.stores.local.clock import now_us
from gnode_orm.stores.local.database import Database, Transaction
from gnode_orm.stores.local.hash_sets import HASH_SET, STORED_HASHES, bound_hashes
from gnode_orm.stores.local.work import Work

# How exactly it is known when an array was last sent; what removes arrays waits longer than this.
TOUCH_US = 10 * 60 * 1_000_000


def store_arrays(work: Work, named: Mapping[bytes, str], drafts: Sequence[PackDraft]) -> None:
    """Store the small arrays of a change set, and see that every other array it names is there.

    ``named`` has hash and type, as text, of each; ``drafts`` are files in which small ones were written ahead.
    """
    if not named:
        return
    stored = stored_hashes(work.transaction, list(named))
    # Those that were named here are what their names say.
    trusted = work.changes.arrays.refs if isinstance(work.changes.arrays, NamedArrays) else {}
    new: list[tuple[ArrayRef, bytes]] = []
    for hash_, type_text in named.items():
        if hash_ in stored:
            continue
        data = work.changes.arrays.get(hash_)
        if data is None:
            raise ArrayMissing.of(hash_, type_text)
        ref = trusted.get(hash_)
        if ref is None:
            ref = ArrayRef.from_columns(hash_, type_text)
            check_content(ref, data)
        new.append((ref, data))
    if new:
        insert_arrays(work.transaction, new, drafts)


def stored_hashes(transaction: Transaction, hashes: Sequence[bytes]) -> set[bytes]:
    """Those of some hashes that the lab has."""
    rows = transaction.query(STORED_HASHES, **bound_hashes(hashes))
    return {bytes(hash_) for (hash_,) in rows}


def keep_stored(database: Database, hashes: Sequence[bytes]) -> set[bytes]:
    """Those of some hashes that the lab has, from now on safe for a while from being removed as of no use."""
    with database.read() as transaction:
        rows = transaction.query(f'SELECT hash, touched FROM "array" WHERE hash IN {HASH_SET}', **bound_hashes(hashes))
    limit = now_us() - TOUCH_US
    fresh = {bytes(hash_) for hash_, touched in rows if touched > limit}
    if len(fresh) == len(rows):
        return fresh
    with database.write() as transaction:
        return fresh | touch(transaction, [bytes(hash_) for hash_, touched in rows if touched <= limit])


def touch(transaction: Transaction, hashes: Sequence[bytes]) -> set[bytes]:
    """Remember that some arrays are sent or named now; gives those that the lab has."""
    stored = stored_hashes(transaction, hashes)
    if stored:
        transaction.run(
            f'UPDATE "array" SET touched = :now WHERE hash IN {HASH_SET} AND touched < :limit',
            now=now_us(), limit=now_us() - TOUCH_US, **bound_hashes(stored),
        )  # fmt: skip
    return stored


Kept = bytes | Packed | list[Part]
"""How an array is kept: in the database, in a file of many, or in the files of its parts, in order."""


def read_rows(transaction: Transaction, hashes: Sequence[bytes]) -> dict[bytes, Kept]:
    """Bytes, or places, of each of some arrays, in a snapshot."""
    rows = transaction.query(
        "SELECT a.hash, a.pack, a.start, a.nbytes, p.file, p.rows "
        'FROM "array" AS a LEFT JOIN array_part AS p ON p.series = a.series AND p.n < a.parts '
        f"WHERE a.hash IN {HASH_SET} ORDER BY a.hash, p.n",
        **bound_hashes(hashes),
    )
    packs = read_packs(transaction, {row[1] for row in rows} - {None})
    found: dict[bytes, Kept] = {}
    parts: dict[bytes, list[Part]] = {}
    for hash_, pack, start, size, file, length in rows:
        if pack is not None:
            found[bytes(hash_)] = _in_pack(packs[pack], start, size)
        elif file is not None:
            parts.setdefault(bytes(hash_), []).append(Part(file, length))
    return {**found, **parts}


def _in_pack(pack: Pack, start: int, size: int) -> bytes | Packed:
    if pack.file is None or pack.size is None:
        return pack.data[start : start + size]
    return Packed(pack.file, pack.size, start, size)


def named_arrays(changes: ChangeSet) -> dict[bytes, str]:
    """The type, as text, of every array that a change set names, by hash."""
    return dict(_named(changes))


def _named(changes: ChangeSet) -> Iterator[tuple[bytes, str]]:
    for kind, rows in changes.creates.items():
        columns = SCHEMA[kind].write_columns
        for spec in SCHEMA[kind].arrays:
            at = 1 + columns.index(f"{spec.name}_hash")
            yield from ((row[at], row[at + 1]) for row in rows if row[at] is not None)
    for update in changes.updates:
        for spec in SCHEMA[update.kind].arrays:
            hash_ = update.values.get(f"{spec.name}_hash")
            if hash_ is not None:
                yield hash_, update.values[f"{spec.name}_type"]


def check_content(ref: ArrayRef, data: bytes) -> None:
    """Refuse bytes that are not those of a hash.

    Raises:
        IntegrityError: they are not.
    """
    dtype = np.dtype(ref.dtype)
    if len(data) != ref.nbytes or content_hash(data, dtype, ref.shape) != ref.hash:
        raise IntegrityError(f"The bytes of the array {ref.hash.hex()} ({ref.type_text}) do not match its hash")
