"""The store protocol over a server that speaks API v1 alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from gnode_orm.core.changes import ArrayRef, ArraySource, ChangeSet, DeletePreview, Receipt, Version, VersionRow
from gnode_orm.core.select import Select, Selected
from gnode_orm.errors import UnsupportedByStore
from gnode_orm.stores.refusing import check_actor, check_writable
from gnode_orm.stores.rest.v1 import sharing
from gnode_orm.stores.rest.v1.connection import V1Connection
from gnode_orm.stores.rest.v1.fields import ServerFields
from gnode_orm.stores.rest.v1.files import Files
from gnode_orm.stores.rest.v1.places import guid_of
from gnode_orm.stores.rest.v1.reading import Reader
from gnode_orm.stores.rest.v1.units import Units
from gnode_orm.stores.rest.v1.writing import Writer


class V1Store:
    """A server that speaks API v1 alone, as one user."""

    inline_limit = 64 << 10
    """Larger arrays wait in files until their change set is sent."""
    default_level = 3

    def __init__(self, connection: V1Connection, user: str, *, readonly: bool = False) -> None:
        self.target = connection.address
        self.user = user
        self.readonly = readonly
        self._connection = connection
        fields, units = ServerFields(connection), Units(connection.address)
        self._files = Files(connection)
        self._reader = Reader(connection, user, fields, units)
        self._units = units
        self._writer = Writer(connection, user, self._reader, fields, self._files, units)

    def get(self, kind: str, ids: Sequence[int], actor: str, at: Version | None = None) -> list[tuple[Any, ...]]:
        self._check(actor, at)
        return list(self._reader.get(kind, ids).values())

    def select(self, select: Select, actor: str) -> Selected:
        self._check(actor, select.at)
        return self._reader.select(select)

    def count(self, select: Select, actor: str) -> int:
        self._check(actor, select.at)
        return self._reader.count(select)

    def count_by(self, select: Select, path: tuple[str, ...], actor: str) -> dict[int, int]:
        self._check(actor, select.at)
        return self._reader.count_by(select, path)

    def explain(self, select: Select, actor: str) -> list[str]:
        self._check(actor, select.at)
        return self._reader.explain(select)

    def links(
        self, channels: Sequence[int], groups: Sequence[int], actor: str, at: Version | None = None
    ) -> list[tuple[int, int]]:
        self._check(actor, at)
        return self._reader.groups.links(channels, groups)

    def apply(self, changes: ChangeSet, actor: str) -> Receipt:
        self._check(actor)
        check_writable(self)
        return self._writer.apply(changes)

    def receipt(self, change_set_id: str, actor: str) -> Receipt | None:
        self._check(actor)
        return self._writer.receipt(change_set_id)

    def preview_delete(self, kind: str, id: int, actor: str) -> DeletePreview:
        self._check(actor)
        return self._writer.below.preview(kind, id)

    def put_arrays(self, items: Sequence[tuple[ArraySource, str | None]]) -> list[ArrayRef]:
        check_writable(self)
        return [self._files.put(source, unit) for source, unit in items]

    def open_array(self, name: bytes, unit: str | None) -> ArrayRef | None:
        """Say what an array is that a record names; ``None`` where no data were stored."""
        found = self._files.open(name, unit)
        if found is not None:
            self._units.doubt_at(name, unit)
        return found

    def content_hash(self, ref: ArrayRef) -> bytes:
        """Give the hash of an array's content; reads it where it was not written from here."""
        return self._files.content_hash(ref)

    def read_array(self, ref: ArrayRef, key: Any = ...) -> npt.NDArray[Any]:
        return self._files.read(ref, key)

    def read_arrays(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[npt.NDArray[Any]]:
        return self._files.read_many(items)

    def history(self, kind: str, id: int, actor: str) -> list[VersionRow]:
        raise self._no_past("what an object looked like before")

    def version_at(self, commit: str) -> Version | None:
        raise self._no_past("which version a commit wrote")

    def guid(self, kind: str, id: int, version: Version) -> str:
        return guid_of(version)

    def access(self, kind: str, id: int, actor: str) -> dict[str, str]:
        self._check(actor)
        return sharing.access(self._connection, kind, id)

    def set_access(self, kind: str, id: int, access: dict[str, str], actor: str) -> None:
        self._check(actor)
        check_writable(self)
        sharing.set_access(self._connection, kind, id, access)

    def close(self) -> None:
        self._connection.close()
        self._files.close()

    def _no_past(self, what: str) -> UnsupportedByStore:
        return UnsupportedByStore(
            f"{self.target} speaks API v1 alone, which does not tell {what}; keep the lab on a server of this package "
            "(gnode-orm serve) to have history"
        )

    def _check(self, actor: str, at: Version | None = None) -> None:
        check_actor(self, actor)
        if at is not None:
            raise self._no_past("the past")
