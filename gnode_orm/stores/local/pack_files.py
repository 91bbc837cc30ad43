"""Files with many small arrays one after the other, for steps that bring more than a few megabytes of them.

Inside the database these would go through its log and once more into its pages. A file is whole and on disk before any
row names it; a crash in between leaves a file and nothing else.

Names are random, so that no file is ever written twice: nobody finds other bytes where he read before, and a step that
is refused may remove its own.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from gnode_orm.errors import GnodeError, StoreUnavailable
from gnode_orm.stores.batches import batches
from gnode_orm.stores.local.array_files import ArrayFiles
from gnode_orm.stores.local.array_packs import PackDraft
from gnode_orm.stores.local.array_rows import stored_hashes
from gnode_orm.stores.local.database import Database, Transaction
from gnode_orm.stores.local.durable import begin_to_disk, sync_all

# Up to this the syncs of a file and its folder take longer than the log of the database.
ENOUGH = 2 << 20
# One file is written anew, or fetched, without much waiting.
_FILE = 64 << 20
_BUFFER = 1 << 20


def write_ahead(database: Database, files: ArrayFiles, arrays: Mapping[bytes, bytes]) -> list[PackDraft]:
    """Write small arrays into files where they are many; gives what was written, which may be nothing.

    Those that the lab has by now are left out.
    """
    if not _are_many(arrays):
        return []
    with database.read() as transaction:
        stored = stored_hashes(transaction, list(arrays))
    new = {hash_: data for hash_, data in arrays.items() if hash_ not in stored} if stored else arrays
    return write_packs(database, files, new)


def _are_many(arrays: Mapping[bytes, bytes]) -> bool:
    return sum(map(len, arrays.values())) > ENOUGH


def write_packs(database: Database, files: ArrayFiles, arrays: Mapping[bytes, bytes]) -> list[PackDraft]:
    """Write small arrays into files where they are many; these are on disk when this returns."""
    if not _are_many(arrays):
        return []
    drafts: dict[Path, PackDraft] = {}
    try:
        with ExitStack() as temporary:
            files.scratch.mkdir(parents=True, exist_ok=True)
            for group in batches(arrays.items(), lambda item: len(item[1]), _FILE):
                path = files.scratch / f"tmp-{secrets.token_hex(8)}"
                temporary.callback(path.unlink, missing_ok=True)
                name = secrets.token_hex(16)
                draft = drafts[path] = PackDraft(f"{name[:2]}/{name}.pack")
                with path.open("xb", buffering=_BUFFER) as file:
                    file.writelines(draft.take(group))
                    begin_to_disk(file)
            sync_all(drafts)
            files.place({draft.file: path for path, draft in drafts.items()})
    except OSError as error:
        database.say(error)
        raise
    return list(drafts.values())


@contextmanager
def write_naming(
    database: Database, files: ArrayFiles, drafts: Sequence[PackDraft], *, durable: bool = True
) -> Iterator[Transaction]:
    """Begin the transaction that names files; where it is refused, or cannot begin, they go at once.

    They stay where its end fails, since then it may have been written.

    Raises:
        StoreUnavailable: one of them was removed since it was written.
    """
    with ExitStack() as stack, _removed_when_refused(files, drafts):
        transaction = stack.enter_context(database.write(durable=durable))
        # Files that no row names are removed by a writer, so none goes from here on.
        for name in files.missing([draft.file for draft in drafts]):
            raise StoreUnavailable(f"The array file {name} was removed while it was stored; commit again")
        yield transaction


@contextmanager
def _removed_when_refused(files: ArrayFiles, drafts: Sequence[PackDraft]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(GnodeError, OSError):  # else they are found as of no use
            files.remove([draft.file for draft in drafts], sys.maxsize)
        raise
