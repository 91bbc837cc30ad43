"""The REST store: the store protocol as requests to a server with the additions of this package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef, ArraySource, ChangeSet, DeletePreview, Receipt, Version, VersionRow
from gnode_orm.core.select import Select, Selected
from gnode_orm.errors import ValidationFailed
from gnode_orm.stores.local.guid import Guids
from gnode_orm.stores.refusing import check_actor, check_writable
from gnode_orm.stores.rest.appending import Appender
from gnode_orm.stores.rest.array_cache import array_cache
from gnode_orm.stores.rest.connection import Connection
from gnode_orm.stores.rest.receiving import Receiver
from gnode_orm.stores.rest.record_cache import RecordReader, record_cache
from gnode_orm.stores.rest.sending import Sender
from gnode_orm.stores.rest.sightings import Sightings
from gnode_orm.wire import frames
from gnode_orm.wire.change_sets import named_arrays, pack
from gnode_orm.wire.records import (
    read_history,
    read_pairs,
    read_preview,
    read_receipt,
    read_rows,
    read_selected,
)
from gnode_orm.wire.selects import select_message

PREFIX = "/api/v1/additions"
_AHEAD = 8 << 20


class RestStore:
    """A lab behind a server, as one user.

    Args:
        described: what the server says of itself at its discovery address.
    """

    def __init__(self, connection: Connection, described: dict[str, Any], *, readonly: bool = False) -> None:
        self.target = connection.address
        self.user: str = described["user"]
        self.inline_limit: int = described["inline_limit"]
        self.default_level: int = described.get("default_level", 3)
        self.readonly = readonly
        self._limit: int = described["limits"]["small_arrays"]
        self._connection = connection
        self._guids = Guids(described["guid_key"])
        self._sightings = Sightings()
        self._sender = Sender(connection, PREFIX, self.inline_limit)
        appender = Appender(connection, PREFIX, self.inline_limit, self._sightings, self._sender, self._has)
        self._put = appender.put if "appending" in described["capabilities"] else self._sender.put
        owner = (connection.address, described["guid_key"], self.user)
        self._receiver = Receiver(connection, PREFIX, self._sightings, array_cache(*owner))
        self._kept = record_cache(*owner) if "record-names" in described["capabilities"] else None

    def get(self, kind: str, ids: Sequence[int], actor: str, at: Version | None = None) -> list[tuple[Any, ...]]:
        answer = self._call("records", {"kind": kind, "ids": list(ids), "at": at}, actor)
        return self._noted(kind, read_rows(kind, answer["rows"]))

    def select(self, select: Select, actor: str) -> Selected:
        reader = RecordReader(lambda name, message: self._call(name, message, actor), self._kept)
        answer = read_selected(reader.select(select_message(select)))
        self._noted(answer.kind, answer.rows)
        for eager in answer.eager:
            self._noted(eager.kind, eager.rows)
        return answer

    def count(self, select: Select, actor: str) -> int:
        return int(self._call("count", select_message(select), actor)["count"])

    def count_by(self, select: Select, path: tuple[str, ...], actor: str) -> dict[int, int]:
        message = {"query": select_message(select), "path": list(path)}
        return dict(read_pairs(self._call("count-by", message, actor)["counts"]))

    def explain(self, select: Select, actor: str) -> list[str]:
        message = select_message(select)
        steps: list[str] = self._call("explain", message, actor)["steps"]
        return [f"POST {self.target}{PREFIX}/select {frames.dumps(message).decode()}", *steps]

    def links(
        self, channels: Sequence[int], groups: Sequence[int], actor: str, at: Version | None = None
    ) -> list[tuple[int, int]]:
        message = {"channels": list(channels), "groups": list(groups), "at": at}
        return read_pairs(self._call("links", message, actor)["links"])

    def apply(self, changes: ChangeSet, actor: str) -> Receipt:
        check_actor(self, actor)
        check_writable(self)
        named = dict(named_arrays(changes))
        changes = self._arrays_ahead(changes, named)
        body = pack(changes, self._sightings.of(named.keys() - changes.arrays.keys()))
        if len(body) > self._limit:
            raise ValidationFailed(
                f"The commit takes {len(body) >> 20} MiB, and {self.target} takes {self._limit >> 20} MiB at once; "
                "write it in several commits"
            )
        receipt = self._connection.exchange(
            "POST", f"{PREFIX}/changes", lambda answer: frames.loads(answer.data), body, frames.CONTENT_TYPE
        )
        for kind, rows in changes.creates.items():
            self._sightings.note(kind, rows, "write")
        return read_receipt(receipt)

    def _arrays_ahead(self, changes: ChangeSet, named: dict[bytes, str]) -> ChangeSet:
        """Send the small arrays of a change set ahead where they would make it large."""
        if sum(map(len, changes.arrays.values())) <= _AHEAD:
            return changes
        arrays = changes.arrays.items()
        self._sender.put_small(
            [(ArrayRef.from_columns(hash_, named[hash_]), data) for hash_, data in arrays if hash_ in named]
        )
        return replace(changes, arrays={})

    def receipt(self, change_set_id: str, actor: str) -> Receipt | None:
        found = self._call("receipt", {"id": change_set_id}, actor)["receipt"]
        return None if found is None else read_receipt(found)

    def preview_delete(self, kind: str, id: int, actor: str) -> DeletePreview:
        return read_preview(self._call("preview", {"kind": kind, "id": id}, actor))

    def put_arrays(self, items: Sequence[tuple[ArraySource, str | None]]) -> list[ArrayRef]:
        check_writable(self)
        return self._put(items)

    def _has(self, handle: ArrayHandle) -> bool:
        return handle.ref is not None and handle._reader is self

    def read_array(self, ref: ArrayRef, key: Any = ...) -> npt.NDArray[Any]:
        return self._receiver.read([(ref, key)])[0]

    def read_arrays(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[npt.NDArray[Any]]:
        return self._receiver.read(items)

    def read_overview(self, ref: ArrayRef, bins: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
        """Minimum and maximum of ``bins`` bins, made by the server; ``None`` for more than it makes."""
        return self._receiver.overview(ref, bins)

    def history(self, kind: str, id: int, actor: str) -> list[VersionRow]:
        versions = read_history(kind, self._call("history", {"kind": kind, "id": id}, actor)["versions"])
        self._noted(kind, [version.row for version in versions if version.row is not None])
        return versions

    def version_at(self, commit: str) -> Version | None:
        found: int | None = self._connection.call(f"{PREFIX}/version", {"commit": commit})["version"]
        return found

    def guid(self, kind: str, id: int, version: Version) -> str:
        return self._guids.guid(kind, id, version)

    def access(self, kind: str, id: int, actor: str) -> dict[str, str]:
        access: dict[str, str] = self._call("access", {"kind": kind, "id": id}, actor)["access"]
        return access

    def set_access(self, kind: str, id: int, access: dict[str, str], actor: str) -> None:
        check_writable(self)
        self._call("share", {"kind": kind, "id": id, "access": access}, actor)

    def close(self) -> None:
        self._connection.close()
        if self._kept is not None:
            self._kept.close()

    def _call(self, name: str, message: Any, actor: str) -> Any:
        check_actor(self, actor)
        return self._connection.call(f"{PREFIX}/{name}", message)

    def _noted(self, kind: str, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        self._sightings.note(kind, rows)
        return rows
