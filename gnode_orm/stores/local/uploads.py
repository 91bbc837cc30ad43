"""The arrays that users send, whole and in pieces, to name them in a change set later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from gnode_orm.core.arrayhash import hash_of_leaves
from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import IntegrityError, NotFound
from gnode_orm.stores.local.array_packs import insert_arrays
from gnode_orm.stores.local.array_rows import check_content, keep_stored, stored_hashes, touch
from gnode_orm.stores.local.array_senders import Place, remember_sender, sent_by, usable_arrays
from gnode_orm.stores.local.arrays import Arrays
from gnode_orm.stores.local.database import Database
from gnode_orm.stores.local.staged_array import UPLOADS_FOLDER, StagedArray, piece_count


class Uploads:
    """The arrays that users sent to one lab, whole and in pieces."""

    def __init__(self, database: Database, arrays: Arrays) -> None:
        self._database = database
        self._arrays = arrays
        self._folder = arrays.files.scratch / UPLOADS_FOLDER

    def usable(self, hashes: Iterable[bytes], actor: str, seen: Mapping[bytes, Place]) -> dict[bytes, tuple[str, str]]:
        """Give dtype and shape, as text, of those arrays that the actor sent himself or may read at an object.

        ``seen`` says at which object each was seen; without it every object has to be looked at.
        """
        wanted = set(hashes)
        if not wanted:
            return {}
        with self._database.read() as transaction:
            return usable_arrays(transaction, wanted, actor, seen)

    def begin(self, ref: ArrayRef, digests: bytes, actor: str) -> list[int]:
        """Begin or go on with sending an array; gives the numbers of the pieces that are missing.

        Raises:
            IntegrityError: the digests are not those of the hash.
        """
        if len(digests) != 32 * piece_count(ref) or hash_of_leaves(np.dtype(ref.dtype), ref.shape, digests) != ref.hash:
            raise IntegrityError(f"The digests of the pieces do not make up the hash {ref.hash.hex()}")
        if self._sent(ref, actor):
            return []
        with self._translated():
            self._folder.mkdir(parents=True, exist_ok=True)
            staged = StagedArray(self._folder, ref, actor)
            staged.prepare(digests)
            missing = staged.missing()
        if not missing:
            self._finish(staged, actor)
        return missing

    def put(self, ref: ArrayRef, number: int, data: bytes | memoryview, actor: str) -> bool:
        """Keep one piece; tells whether the array is whole now.

        Raises:
            NotFound: this array was not begun, or the piece is none of it.
            IntegrityError: the piece is not what was announced.
        """
        with self._translated():
            staged = StagedArray(self._folder, ref, actor)
            if not staged.begun():
                if self._sent(ref, actor):
                    return True  # another process of the sender finished it
                raise NotFound(f"The array {ref.hash.hex()} was not begun; announce it first")
            whole = staged.keep(number, data)
        if whole:
            self._finish(staged, actor)
        return whole

    def put_small(self, arrays: Sequence[tuple[ArrayRef, bytes]], actor: str) -> None:
        """Store small arrays in one step, and remember who sent them."""
        for ref, data in arrays:
            check_content(ref, data)
        by_hash = {ref.hash: (ref, data) for ref, data in arrays}
        with self._database.write() as transaction:
            stored = touch(transaction, list(by_hash)) if by_hash else set()
            insert_arrays(transaction, [item for hash_, item in by_hash.items() if hash_ not in stored])
            remember_sender(transaction, list(by_hash), actor)

    def remember(self, hashes: Sequence[bytes], actor: str) -> None:
        """Remember that arrays of the lab are as good as sent by a user, who may name what they were made of."""
        # On disk with the commit that names the arrays, as their own rows.
        with self._database.write(durable=False) as transaction:
            remember_sender(transaction, hashes, actor)

    def _sent(self, ref: ArrayRef, actor: str) -> bool:
        with self._database.snapshot() as transaction:
            sent = sent_by(transaction, stored_hashes(transaction, [ref.hash]), actor)
        return bool(sent and keep_stored(self._database, [ref.hash]))

    def _finish(self, staged: StagedArray, actor: str) -> None:
        with self._translated():
            try:
                self._arrays.adopt(staged.data, staged.ref, staged.digests())
            except FileNotFoundError:
                if not self._sent(staged.ref, actor):  # else another process finished it at the same moment
                    raise
        self.remember([staged.ref.hash], actor)
        staged.forget()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say a full disk and the like in our words."""
        try:
            yield
        except OSError as error:
            self._database.say(error)
            raise
