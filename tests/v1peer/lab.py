"""What the original server knew of every object, whoever asks: its maker, the root above it, the list of that root."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gnode_orm.ids import decode_id, encode_id
from gnode_orm.stores.local.tables import root_kind


@dataclass(frozen=True)
class Facts:
    """One object, with the block or document above it where it has one.

    Attributes:
        version: rises with every change.
        level: 1 public, 2 friendly, 3 private.
        access: the access list of the root.
    """

    owner: str
    version: int
    root: tuple[str, int] | None = None
    root_owner: str = ""
    level: int = 3
    access: tuple[tuple[str, str], ...] = ()


def facts(store: Any, kind: str, text: str) -> Facts | None:
    """Give what is known of an object that exists."""
    try:
        id_ = decode_id(text)
    except ValueError:
        return None
    with store._database.read() as transaction:
        rows = transaction.query(f'SELECT owner, rev, root FROM "{kind}" WHERE id = :id', id=id_)
        if not rows or rows[0][2] is None:
            return Facts(rows[0][0], rows[0][1]) if rows else None
        owner, version, root = rows[0]
        above = root_kind(kind)
        query = "SELECT owner, level FROM root WHERE kind = :kind AND id = :id"
        ((root_owner, level),) = transaction.query(query, kind=above, id=root)
        query = "SELECT account, level FROM access WHERE root_kind = :kind AND root_id = :id"
        access = tuple(map(tuple, transaction.query(query, kind=above, id=root)))
    return Facts(owner, version, (above, root), root_owner, level, access)


def children(store: Any, kind: str, ref: str, parent: str) -> list[str]:
    """Give the ids of everything of a kind below an object, in the order of creation."""
    query = f'SELECT id FROM "{kind}" WHERE "{ref}_id" = :parent ORDER BY born, id'
    with store._database.read() as transaction:
        return [encode_id(row[0]) for row in transaction.query(query, parent=decode_id(parent))]
