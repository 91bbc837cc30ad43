"""The arrays that users send, whole and in pieces, to name them in a change set later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from gnode_orm.core.arrayhash import hash_of_leaves
from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import IntegrityError, NotFound
from gnode_orm.stores.local.array_packs import insert_arrays
from gnode_orm.stores.local.array_rows import check_content, keep_stored, stored_hashes, touch
from gnode_orm.stores.local.array_senders import (
    Place,
    begins_so,
    remember_beginning,
    remember_grown,
    remember_sender,
    sent_by,
    usable_arrays,
)
from gnode_orm.stores.local.arrays import Arrays
from gnode_orm.stores.local.database import Database
from gnode_orm.stores.local.pack_files import write_ahead, write_naming
from gnode_orm.stores.local.staged_array import UPLOADS_FOLDER, StagedArray, piece_count

# So many letters of what a sender calls an array say how it begins.
_BEGINNING = 32


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

    def begin(self, upload: str, dtype: np.dtype[Any], shape: tuple[int, ...], actor: str) -> list[int] | None:
        """Begin to send an array of which no more than its beginning is known; gives the numbers of its pieces.

        ``upload`` is what its sender calls it: how it begins, and letters by chance. ``None`` is given where he sent,
        or sends, another array that begins so: its digests have to be known to tell them apart.

        Raises:
            IntegrityError: he sends an array of another dtype or shape by this name.
        """
        with self._staging() as folder:
            others = StagedArray.called(folder, upload[:_BEGINNING], actor)
            if any(other.upload != upload and other.is_of(dtype, shape) for other in others):
                return None
            staged = StagedArray(folder, upload, actor)
            if not any(other.upload == upload for other in others) and self._begins_so(upload, dtype, shape, actor):
                return None
            staged.prepare(dtype, shape)
            missing = staged.missing()
        if not missing:  # each came, but a crash kept it from being finished
            self._finish(staged, actor)
        return missing

    def go_on(
        self, upload: str, dtype: np.dtype[Any], shape: tuple[int, ...], digests: bytes, actor: str
    ) -> tuple[str, list[int]]:
        """Begin or go on with sending an array of which all is known.

        Gives how it is called from now on, since some of it may be here, and the numbers of the missing pieces.

        Raises:
            IntegrityError: these are not the digests of so many pieces.
        """
        ref = ArrayRef(hash_of_leaves(dtype, shape, digests), dtype.str, shape, None)
        if len(digests) != 32 * piece_count(ref.nbytes):
            raise IntegrityError(f"An array of {ref.type_text} has {piece_count(ref.nbytes)} pieces with a digest each")
        if self._sent(ref.hash, actor, upload):
            return upload, []
        with self._staging() as folder:
            staged = self._staged(folder, upload, ref, digests, actor)
            missing = staged.missing()
        if not missing:
            self._finish(staged, actor)
        return staged.upload, missing

    def _staged(self, folder: Path, upload: str, ref: ArrayRef, digests: bytes, actor: str) -> StagedArray:
        """Give what came of an array before, by this name or another one, or begin it."""
        dtype = np.dtype(ref.dtype)
        for other in StagedArray.called(folder, upload[:_BEGINNING], actor):
            if other.is_of(dtype, ref.shape) and other.take(digests, begun=other.upload != upload):
                other.prepare(dtype, ref.shape)
                return other
        staged = StagedArray(folder, upload, actor)
        staged.prepare(dtype, ref.shape)
        if not staged.take(digests, begun=False):
            raise IntegrityError("Another array was sent by this name")
        return staged

    def put(self, upload: str, number: int, data: bytes | memoryview, digest: bytes, actor: str) -> bool:
        """Keep one piece, whose digest was made here; tells whether the array is whole now.

        Raises:
            NotFound: this array was not begun, or the piece is none of it.
            IntegrityError: the piece is not what was announced, or sent before.
        """
        staged = StagedArray(self._folder, upload, actor)
        with self._translated():
            whole = staged.keep(number, data, digest)
        if whole:
            self._finish(staged, actor)
        return whole

    def put_small(self, arrays: Sequence[tuple[ArrayRef, bytes]], actor: str) -> None:
        """Store small arrays in one step, and remember who sent them."""
        for ref, data in arrays:
            check_content(ref, data)
        by_hash = {ref.hash: (ref, data) for ref, data in arrays}
        files = self._arrays.files
        drafts = write_ahead(self._database, files, {ref.hash: data for ref, data in arrays})
        with write_naming(self._database, files, drafts) as transaction:
            stored = touch(transaction, list(by_hash)) if by_hash else set()
            insert_arrays(transaction, [item for hash_, item in by_hash.items() if hash_ not in stored], drafts)
            remember_sender(transaction, list(by_hash), actor)

    def remember_grown(self, grown: Sequence[tuple[bytes, bytes]], actor: str) -> None:
        """Remember that arrays are as good as sent by a user, who may name what they were made of.

        Gets the hash of each, and of the array that it begins with.
        """
        # On disk with the commit that names the arrays, as their own rows.
        with self._database.write(durable=False) as transaction:
            remember_grown(transaction, grown, actor)

    def _begins_so(self, upload: str, dtype: np.dtype[Any], shape: tuple[int, ...], actor: str) -> bool:
        ref = ArrayRef(b"", dtype.str, shape, None)
        with self._database.snapshot() as transaction:
            return begins_so(transaction, actor, _beginning(upload), ref.dtype, ref.shape_text)

    def _sent(self, hash_: bytes, actor: str, upload: str) -> bool:
        with self._database.snapshot() as transaction:
            sent = sent_by(transaction, stored_hashes(transaction, [hash_]), actor)
        if not (sent and keep_stored(self._database, [hash_])):
            return False
        self._remember(hash_, actor, upload)
        return True

    def _finish(self, staged: StagedArray, actor: str) -> None:
        with self._translated():
            try:
                ref, digests = staged.named()
            except NotFound:
                return  # another process finished it at the same moment
            try:
                self._arrays.adopt(staged.file, ref, digests)
            except FileNotFoundError:
                if not self._sent(ref.hash, actor, staged.upload):  # else another process finished it
                    raise
        self._remember(ref.hash, actor, staged.upload)
        staged.forget()

    def _remember(self, hash_: bytes, actor: str, upload: str) -> None:
        with self._database.write(durable=False) as transaction:
            remember_beginning(transaction, hash_, actor, _beginning(upload))

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        with self._translated():
            self._folder.mkdir(parents=True, exist_ok=True)
            yield self._folder

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Say a full disk and the like in our words."""
        try:
            yield
        except OSError as error:
            self._database.say(error)
            raise


def _beginning(upload: str) -> bytes:
    return bytes.fromhex(upload[:_BEGINNING])
