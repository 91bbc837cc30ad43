"""The few methods that every store has. Stores see records and change sets, never model instances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy.typing as npt

from gnode_orm.core.changes import ArrayRef, ArraySource, ChangeSet, DeletePreview, Receipt, Version, VersionRow
from gnode_orm.core.select import Select, Selected


class Store(Protocol):
    """A place that keeps records and arrays.

    Safe to use from many threads. Every call names its actor, the user on whose behalf it is made; what the actor may
    not read does not exist for him (``NotFound``), and what he may read but not write raises ``AccessDenied``.
    """

    target: str
    """What the store was opened with, as shown to users."""

    inline_limit: int
    """Arrays of up to this many bytes travel inside a change set; larger ones are stored first with ``put_arrays``."""

    default_level: int
    """The ``safety_level`` of new blocks and documents whose maker names none."""

    def get(self, kind: str, ids: Sequence[int], actor: str, at: Version | None = None) -> list[tuple[Any, ...]]:
        """Read the records of some ids, in any order, leaving out those that do not exist for the actor."""
        ...

    def select(self, select: Select, actor: str) -> Selected:
        """Answer a query: one page of records, and those along its eager paths, from one snapshot."""
        ...

    def count(self, select: Select, actor: str) -> int:
        """Count the rows of a query, ignoring its order, limit and offset."""
        ...

    def count_by(self, select: Select, path: tuple[str, ...], actor: str) -> dict[int, int]:
        """Count the rows of a query by the ids of the objects that a path of foreign keys leads to."""
        ...

    def explain(self, select: Select, actor: str) -> list[str]:
        """Give the statements or requests that ``select`` would run."""
        ...

    def links(
        self, channels: Sequence[int], groups: Sequence[int], actor: str, at: Version | None = None
    ) -> list[tuple[int, int]]:
        """Give ``(channel, group)`` pairs of any of the channels or any of the groups, in the order of linking."""
        ...

    def apply(self, changes: ChangeSet, actor: str) -> Receipt:
        """Write a change set: all of it or nothing, durable when this returns, once however often it is sent.

        Raises:
            StaleRows: objects were changed since they were read.
            IntegrityError: a delete would orphan children, a reference dangles, or an id is taken.
            AccessDenied: the actor may read, but not write, something concerned.
            StoreUnavailable: the store cannot take it now; nothing was written.
        """
        ...

    def receipt(self, change_set_id: str, actor: str) -> Receipt | None:
        """Find the receipt of a change set that the actor sent earlier."""
        ...

    def put_arrays(self, items: Sequence[tuple[ArraySource, str | None]]) -> list[ArrayRef]:
        """Store arrays with their units ahead of the change set that names them, once for equal content.

        They are durable at the latest with that change set.
        """
        ...

    def read_array(self, ref: ArrayRef, key: Any = ...) -> npt.NDArray[Any]:
        """Read ``array[key]`` (basic indexing), touching only what it returns."""
        ...

    def read_arrays(self, items: Sequence[tuple[ArrayRef, Any]]) -> list[npt.NDArray[Any]]:
        """Read many slices in as few steps as possible."""
        ...

    def preview_delete(self, kind: str, id: int, actor: str) -> DeletePreview:
        """Say what deleting an object would touch."""
        ...

    def history(self, kind: str, id: int, actor: str) -> list[VersionRow]:
        """Every version of an object, oldest first."""
        ...

    def version_at(self, commit: str) -> Version | None:
        """The version that a commit wrote, by the commit's id."""
        ...

    def guid(self, kind: str, id: int, version: Version) -> str:
        """The opaque revision id (32 hex digits) of one version of one object; no I/O."""
        ...

    def access(self, kind: str, id: int, actor: str) -> dict[str, str]:
        """The access list of a block or document, user to ``"read"`` or ``"write"``; for its owner alone."""
        ...

    def set_access(self, kind: str, id: int, access: dict[str, str], actor: str) -> None:
        """Replace the access list of a block or document; for its owner alone, effective at once."""
        ...

    def close(self) -> None:
        """Release connections and files."""
        ...
