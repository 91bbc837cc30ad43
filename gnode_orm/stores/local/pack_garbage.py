"""Files of small arrays of which little is of use any more.

One that no array claims goes as a whole. Of one that few claim, these are stored once more, which writes no more than
it gives back; the file itself goes some time later, so that whoever found arrays in it, a backup for one, reads on.
"""

from __future__ import annotations

from collections.abc import Set
from typing import NamedTuple

from gnode_orm.stores.local.array_files import ArrayFiles, Packed
from gnode_orm.stores.local.array_packs import insert_arrays, ref_of
from gnode_orm.stores.local.clock import now_us
from gnode_orm.stores.local.database import Database, Transaction
from gnode_orm.stores.local.pack_files import write_naming, write_packs

_CLAIMS = 'SELECT pack, hash, nbytes FROM "array" WHERE pack IN (SELECT id FROM array_pack WHERE file IS NOT NULL)'


class FilePack(NamedTuple):
    """A file of small arrays.

    Attributes:
        freed: when its last arrays were moved elsewhere, if they were.
        claimed: how many bytes of it arrays claim.
    """

    id: int
    file: str
    size: int
    freed: int | None
    claimed: int

    def of_use(self, limit: int) -> bool:
        """Tell whether it has to stay."""
        return self.claimed > 0 or (self.freed is not None and self.freed >= limit)

    @property
    def thin(self) -> bool:
        """Whether it is worth to store again what is claimed."""
        return 0 < self.claimed <= self.size // 2


def file_packs(transaction: Transaction, without: Set[bytes], page: int) -> list[FilePack]:
    """Find every file of small arrays, and what arrays claim of it but for some arrays; read by pages of rows."""
    packs = transaction.query("SELECT id, file, size, freed FROM array_pack WHERE file IS NOT NULL")
    claimed = dict.fromkeys((row[0] for row in packs), 0)
    for rows in transaction.pages(_CLAIMS, page) if packs else ():
        for pack, hash_, size in rows:
            if bytes(hash_) not in without:
                claimed[pack] += size
    return [FilePack(id_, file, size, freed, claimed[id_]) for id_, file, size, freed in packs]


def names_of_packs(transaction: Transaction) -> set[str]:
    """The files of small arrays that rows name."""
    return {file for (file,) in transaction.query("SELECT file FROM array_pack WHERE file IS NOT NULL")}


def forget_packs(transaction: Transaction, limit: int) -> None:
    """Remove the rows of files that no array claims; of those that were emptied, after a while."""
    transaction.run(
        "DELETE FROM array_pack WHERE file IS NOT NULL AND (freed IS NULL OR freed < :limit) "
        'AND id NOT IN (SELECT pack FROM "array" WHERE pack IS NOT NULL)',
        limit=limit,
    )


def empty(database: Database, files: ArrayFiles, pack: FilePack) -> bool:
    """Store once more what arrays claim of a file; tells whether this was still worth it."""
    with database.read() as transaction:
        rows = transaction.query(
            'SELECT hash, dtype, shape, start, nbytes FROM "array" WHERE pack = :pack', pack=pack.id
        )
    if not pack._replace(claimed=sum(row[4] for row in rows)).thin:
        return False
    places = [Packed(pack.file, pack.size, start, size) for *_, start, size in rows]
    data = {bytes(row[0]): bytes(piece) for row, piece in zip(rows, files.read_packed(places), strict=True)}
    drafts = write_packs(database, files, data)
    with write_naming(database, files, drafts) as transaction:
        left = transaction.query('SELECT hash, dtype, shape FROM "array" WHERE pack = :pack', pack=pack.id)
        transaction.run('DELETE FROM "array" WHERE pack = :pack', pack=pack.id)
        insert_arrays(transaction, [(ref_of(*row), data[bytes(row[0])]) for row in left], drafts)
        transaction.run("UPDATE array_pack SET freed = :now WHERE id = :pack", now=now_us(), pack=pack.id)
    return True
