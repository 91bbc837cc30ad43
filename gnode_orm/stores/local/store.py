"""The local store: SQL and array files behind the store protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import numpy.typing as npt

from gnode_orm.core.changes import ArrayRef, ArraySource, ChangeSet, DeletePreview, Receipt, Version, VersionRow
from gnode_orm.core.select import Select, Selected
from gnode_orm.errors import NotFound
from gnode_orm.stores.local import reading, sharing
from gnode_orm.stores.local.accounts import Accounts
from gnode_orm.stores.local.apply import apply, read_receipt
from gnode_orm.stores.local.array_writing import INLINE_LIMIT
from gnode_orm.stores.local.arrays import Arrays
from gnode_orm.stores.local.compile_select import kind_spec
from gnode_orm.stores.local.database import Database
from gnode_orm.stores.local.deletes import preview
from gnode_orm.stores.local.garbage import Collector
from gnode_orm.stores.local.guid import Guids
from gnode_orm.stores.local.history import history
from gnode_orm.stores.local.lab import Lab
from gnode_orm.stores.local.reading import statements_of
from gnode_orm.stores.local.uploads import Uploads
from gnode_orm.stores.local.work import label
from gnode_orm.stores.refusing import check_writable


class LocalStore:
    """A lab on SQLite or PostgreSQL, with large arrays in a folder or a bucket.

    Args:
        shown: the target as users know it.
        on_close: what to release after the connections.
    """

    inline_limit = INLINE_LIMIT

    def __init__(
        self, shown: str, database: Database, lab: Lab, arrays: Arrays, *,
        readonly: bool = False, on_close: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.target = shown
        self.readonly = readonly
        self.format = lab.format
        self._database = database
        self._arrays = arrays
        self.accounts = Accounts(database)
        """Passwords, tokens and settings of those who serve the lab."""
        self.default_level = self.accounts.default_level()
        self.uploads = Uploads(database, arrays)
        """Arrays that users of a server send by pieces, and who may name which array."""
        self._guids = Guids(lab.uuid)
        self._statements = statements_of(database.compiler)
        self._on_close = on_close

    def get(self, kind: str, ids: Sequence[int], actor: str, at: Version | None = None) -> list[tuple[Any, ...]]:
        return reading.get(self._database, kind, ids, actor, at)

    def select(self, select: Select, actor: str) -> Selected:
        return reading.select(self._database, self._statements, self._guids.resolved(select), actor)

    def count(self, select: Select, actor: str) -> int:
        return reading.count(self._database, self._statements, self._guids.resolved(select), actor)

    def count_by(self, select: Select, path: tuple[str, ...], actor: str) -> dict[int, int]:
        return reading.count_by(self._database, self._statements, self._guids.resolved(select), path, actor)

    def explain(self, select: Select, actor: str) -> list[str]:
        return reading.explain(self._statements, self._guids.resolved(select))

    def links(
        self, channels: Sequence[int], groups: Sequence[int], actor: str, at: Version | None = None
    ) -> list[tuple[int, int]]:
        return reading.links(self._database, channels, groups, actor, at)

    def apply(self, changes: ChangeSet, actor: str) -> Receipt:
        check_writable(self)
        return apply(self._database, self._arrays.files, changes, actor)

    def receipt(self, change_set_id: str, actor: str) -> Receipt | None:
        with self._database.read() as transaction:
            return read_receipt(transaction, change_set_id, actor)

    def put_arrays(self, items: Sequence[tuple[ArraySource, str | None]]) -> list[ArrayRef]:
        check_writable(self)
        return self._arrays.put(items)

    def writing_ahead(self, arrays: Iterable[npt.NDArray[Any]]) -> AbstractContextManager[None]:
        """Let the disk and a thread begin with large arrays in memory while their owner goes on.

        Inside, ``put_arrays`` takes over what was begun; of arrays that it is not given nothing stays.
        """
        return self._arrays.writing_ahead(arrays)

    def read_array(self, ref: ArrayRef, key: Any = ...) -> npt.NDArray[Any]:
        return self._arrays.read([(ref, key)])[0]

    def read_arrays(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[npt.NDArray[Any]]:
        return self._arrays.read(items)

    def read_extremes(self, ref: ArrayRef, factor: int) -> npt.NDArray[Any] | None:
        """Minimum and maximum of every ``factor`` rows, shape (2, blocks, ...); ``None`` for a short array."""
        return self._arrays.read_extremes(ref, factor)

    def preview_delete(self, kind: str, id: int, actor: str) -> DeletePreview:
        kind_spec(kind)
        with self._database.snapshot() as transaction:
            if reading.record_of(transaction, kind, id, actor) is None:
                raise NotFound(f"{label(kind, id)} does not exist")
            return preview(transaction, kind, id, actor)

    def history(self, kind: str, id: int, actor: str) -> list[VersionRow]:
        return history(self._database, kind, id, actor)

    def version_at(self, commit: str) -> Version | None:
        with self._database.read() as transaction:
            rows = transaction.query("SELECT seq FROM change_set WHERE id = :id", id=commit)
        return int(rows[0][0]) if rows else None

    def collector(self, older_than: timedelta) -> Collector:
        """Give what finds and removes arrays and files of no use; what was written more lately is left alone."""
        return Collector(self._database, self._arrays.files, older_than, readonly=self.readonly)

    @property
    def guid_key(self) -> str:
        """What a client needs to make revision ids itself. It opens nothing: a revision id says no more than the
        object and version that its reader was shown.
        """
        return self._guids.key

    def guid(self, kind: str, id: int, version: Version) -> str:
        return self._guids.guid(kind, id, version)

    def access(self, kind: str, id: int, actor: str) -> dict[str, str]:
        return sharing.access(self._database, kind, id, actor)

    def set_access(self, kind: str, id: int, access: dict[str, str], actor: str) -> None:
        check_writable(self)
        sharing.set_access(self._database, kind, id, access, actor)

    def may_write(self, kind: str, id: int, actor: str) -> bool:
        """Tell whether the actor may change an object; false for one that he may not read."""
        kind_spec(kind)
        with self._database.read() as transaction:
            return reading.may_write(transaction, kind, id, actor)

    def close(self) -> None:
        self._arrays.close()
        self._database.close()
        if self._on_close is not None:
            self._on_close()
