"""Arrays on their way into a lab: written and hashed one after the other, synced together, registered in one step.

A file is whole and on disk, under its name, before any row names it; a crash in between leaves a file and nothing else.
Who has something to do before his arrays are stored lets them be written ahead of that.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gnode_orm.core.arrayhash import LEAF, ArrayHasher
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, ArraySource
from gnode_orm.core.streamed import ExtendedArray
from gnode_orm.errors import StoreUnavailable, ValidationFailed
from gnode_orm.stores.local.array_drafts import Draft, Writing, draft_of_file, inline, written
from gnode_orm.stores.local.array_files import ArrayFiles, StoredArray
from gnode_orm.stores.local.array_packs import PackDraft, insert_arrays
from gnode_orm.stores.local.array_rows import keep_stored, read_rows, touch
from gnode_orm.stores.local.array_series import InFile, insert_in_files, place_of
from gnode_orm.stores.local.database import Database
from gnode_orm.stores.local.durable import sync_all
from gnode_orm.stores.local.leaves import Leaves
from gnode_orm.stores.local.pack_files import write_ahead, write_naming

INLINE_LIMIT = 64 * 1024
# Of fewer bytes there is little to wait for.
_WORTH_AHEAD = 1 << 20

Array = npt.NDArray[Any]
InMemory = tuple[int, str, tuple[int, ...]]


class ArrayWriter:
    """Stores the arrays of one lab.

    Args:
        files: where large ones go: ``ab/abcdef….npy``, named by the hash.
    """

    def __init__(self, database: Database, files: ArrayFiles) -> None:
        self._database = database
        self._files = files
        self._leaves = Leaves(files)
        self._ahead: dict[InMemory, Writing] = {}

    @contextmanager
    def writing_ahead(self, arrays: Iterable[Array]) -> Iterator[None]:
        """Write arrays in memory that ``put`` is likely to get inside; those that it does not get leave nothing.

        They have to stay as they are. ``put`` knows them by their place in memory, type and shape.
        """
        with ExitStack() as stack:
            begun = self._begun([array for array in arrays if array.nbytes >= _WORTH_AHEAD], stack)
            self._ahead.update(begun)
            try:
                yield
            finally:
                for place in begun:
                    self._ahead.pop(place, None)

    def _begun(self, arrays: Iterable[Array], stack: ExitStack) -> dict[InMemory, Writing]:
        try:
            whole = (array for array in arrays if array.flags.c_contiguous)
            return {_place_of(array): Writing(self._new_file(stack), array, stack) for array in whole}
        except OSError as error:
            self._database.say(error)
            raise

    def put(self, items: Sequence[tuple[ArraySource, str | None]]) -> list[ArrayRef]:
        """Store arrays that come in pieces; their files are on disk when this returns.

        Their rows are so with the commit that names them: the log of the database is synced in its order.
        """
        try:
            with ExitStack() as temporary:
                drafts = [self._drafted(source, unit, temporary) for source, unit in items]
                new = self._new(drafts)  # asked while the disk is busy
                sync_all([draft.temporary for draft in new if draft.temporary is not None])
                self._keep(new)
            return [draft.ref for draft in drafts]
        except OSError as error:
            self._database.say(error)
            raise

    def adopt(self, file: Path, ref: ArrayRef, digests: bytes) -> None:
        """Store a whole, verified and synced file, and the digests of its leaves; its row is on disk as in ``put``.

        The file itself stays where it is, for whoever has to do this again after a crash.
        """
        path = self._files.scratch / f"tmp-{secrets.token_hex(8)}"
        os.link(file, path)
        try:
            # Its age counts from now, since a file that was sent in pieces may have waited for long.
            os.utime(path)
            draft = draft_of_file(ref, path, digests[: ref.nbytes // LEAF * 32])
            self._keep(self._new([draft]))
        finally:
            path.unlink(missing_ok=True)

    def _drafted(self, source: ArraySource, unit: str | None, temporary: ExitStack) -> Draft:
        dtype = np.dtype(source.dtype)
        if dtype.hasobject or dtype.names:
            raise ValidationFailed(
                f"An array of dtype {dtype} cannot be stored; use numbers, text or bytes", value=dtype
            )
        if int(np.prod(tuple(source.shape), dtype=object)) * dtype.itemsize <= INLINE_LIMIT:
            return inline(source, unit)
        if self._ahead and isinstance(source, ArrayHandle) and (held := source.held) is not None:
            begun = self._ahead.pop(_place_of(held), None)
            if begun is not None:
                return begun.draft(unit)
        path = self._new_file(temporary)
        if isinstance(source, ExtendedArray) and self._is_in_files(source.base):
            return self._appended(source, unit, path)
        return written(path, source, unit)

    def _new_file(self, temporary: ExitStack) -> Path:
        """Name a file that is removed in the end, where it was not placed."""
        self._files.scratch.mkdir(parents=True, exist_ok=True)
        path = self._files.scratch / f"tmp-{secrets.token_hex(8)}"
        temporary.callback(path.unlink, missing_ok=True)
        return path

    def _is_in_files(self, base: ArrayHandle) -> bool:
        if base.ref is None or not keep_stored(self._database, [base.ref.hash]):
            return False
        with self._database.read() as transaction:
            return place_of(transaction, base.ref.hash) is not None

    def _appended(self, source: ExtendedArray, unit: str | None, path: Path) -> Draft:
        """Write the rows that were appended to a stored array to a file of their own; the files before are shared."""
        base = source.base.ref
        assert base is not None
        with ArrayHasher(source.dtype, source.shape, self._leaves.begun(base, partial(self._opened, base))) as whole:
            more = written(path, source.more, unit)
            for piece in source.more.chunks():
                whole.update(piece)
                whole.wait()
            ref = ArrayRef(whole.digest(), source.dtype.str, tuple(source.shape), unit)
            begun = whole.begun()
        return replace(more, ref=ref, base=base.hash, leaves=begun.leaves, begun=begun)

    def _opened(self, ref: ArrayRef) -> StoredArray:
        with self._database.snapshot() as transaction:
            found = read_rows(transaction, [ref.hash]).get(ref.hash)
        if not isinstance(found, list):
            raise StoreUnavailable(f"The array {ref.hash.hex()} was removed while rows were appended; commit again")
        return self._files.stored(ref, found)

    def _new(self, drafts: Sequence[Draft]) -> list[Draft]:
        stored = keep_stored(self._database, [draft.ref.hash for draft in drafts])
        return list({draft.ref.hash: draft for draft in drafts if draft.ref.hash not in stored}.values())

    def _keep(self, new: Sequence[Draft]) -> None:
        if not new:
            return
        small = {draft.ref.hash: draft.data for draft in new if draft.data is not None}
        packs = write_ahead(self._database, self._files, small)
        # Appending different arrays by the same rows gives the same file.
        written = {draft.part.file: draft.temporary for draft in new if draft.part and draft.temporary}
        self._files.place(written)
        for draft in new:
            self._leaves.keep(draft.ref, draft.leaves)
        self._register(new, packs)
        for draft in new:
            if draft.begun is not None:
                self._leaves.know(draft.ref, draft.begun)

    def _register(self, drafts: Sequence[Draft], packs: Sequence[PackDraft]) -> None:
        with write_naming(self._database, self._files, packs, durable=False) as transaction:
            stored = touch(transaction, [draft.ref.hash for draft in drafts])
            new = [draft for draft in drafts if draft.ref.hash not in stored]
            in_files = [InFile(draft.ref, draft.part, draft.base) for draft in new if draft.part is not None]
            self._check_files([item.part.file for item in in_files])
            small = [(draft.ref, draft.data) for draft in new if draft.data is not None]
            if small:
                insert_arrays(transaction, small, packs)
            insert_in_files(transaction, in_files)

    def _check_files(self, files: Iterable[str]) -> None:
        # Files that no row names are removed by a writer, so none goes from here on.
        for file in self._files.missing(list(set(files))):
            raise StoreUnavailable(f"The array file {file} was removed while it was stored; commit again")


def _place_of(array: Array) -> InMemory:
    return array.ctypes.data, array.dtype.str, array.shape
