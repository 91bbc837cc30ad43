"""What the steps of one commit share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gnode_orm.core.changes import ChangeSet, Version
from gnode_orm.core.schema import SCHEMA
from gnode_orm.ids import encode_id
from gnode_orm.stores.local.database import Transaction
from gnode_orm.stores.local.rights import states

NewColumns = dict[str, dict[str, tuple[Any, ...]]]
"""The rows to create of each kind by their columns, by which most of what is done with them is done."""


class State(NamedTuple):
    """How a stored object stands to the actor before the commit."""

    rev: Version
    root: int | None
    readable: bool
    writable: bool


@dataclass
class Work:
    """One commit on its way.

    Attributes:
        seq: the version that it writes.
        new: the rows to create, by their columns.
        states: stored objects that the change set names, by kind and id.
        roots: the root of each object known, stored or created, by kind and id.
        moved: objects whose root has to be found anew when all rows are written.
    """

    transaction: Transaction
    changes: ChangeSet
    actor: str
    seq: Version
    new: NewColumns
    states: dict[str, dict[int, State]] = field(default_factory=lambda: defaultdict(dict))
    roots: dict[str, dict[int, int | None]] = field(default_factory=lambda: defaultdict(dict))
    moved: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _created: dict[str, set[Any]] = field(default_factory=dict)

    def created(self, kind: str) -> set[Any]:
        """Ids of the rows to create of one kind; looked up once for each reference, so made once."""
        if kind not in self._created:
            self._created[kind] = set(self.new[kind]["id"]) if kind in self.new else set()
        return self._created[kind]

    def read_states(self, named: dict[str, set[int]]) -> None:
        """Look up stored objects, one statement for each kind."""
        compiler = self.transaction.database.compiler
        for kind, ids in named.items():
            text = compiler.cached(("states", kind), lambda kind=kind: states(kind))  # type: ignore[misc]
            params = {"ids": self.transaction.ids(list(ids)), "actor": self.actor}
            for id_, rev, root, readable, writable in self.transaction.rows(text, params):
                self.states[kind][id_] = State(rev, root, bool(readable), bool(writable))
                self.roots[kind][id_] = root

    def copy_to_past(self, kind: str, ids: Iterable[int]) -> None:
        """Keep what rows are now, except rows that this commit wrote itself."""
        columns = ", ".join(f'"{name}"' for name in kind_columns(kind))
        self.transaction.run(
            f'INSERT INTO "{kind}_past" ({columns}, held) SELECT {columns}, :seq - rev FROM "{kind}" '
            f"WHERE id {self.transaction.database.compiler.in_ids} AND rev < :seq",
            seq=self.seq,
            ids=self.transaction.ids(list(ids)),
        )


def kind_columns(kind: str) -> tuple[str, ...]:
    """The columns that a kind's two tables share."""
    return ("id", "rev", "born", "owner", "root", *SCHEMA[kind].write_columns)


def label(kind: str, id_: int) -> str:
    """Name an object in a message: ``Segment segment/K6LO7NH133``."""
    return f"{SCHEMA[kind].class_name} {kind}/{encode_id(id_)}"
