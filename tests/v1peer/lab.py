"""What the original server knew of every object, whoever asks: its maker, the root above it, the list of that root."""

from __future__ import annotations

from collections.abc import Iterable
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
    return facts_of(store, kind, [text]).get(text)


def facts_of(store: Any, kind: str, texts: Iterable[str]) -> dict[str, Facts]:
    """Give what is known of those objects that exist."""
    ids = [str(id_) for id_ in map(_number, texts) if id_]
    above = root_kind(kind)
    query = (
        f'SELECT e.id, e.owner, e.rev, e.root, r.owner, r.level FROM "{kind}" e '
        f"LEFT JOIN root r ON r.kind = :above AND r.id = e.root WHERE e.id IN ({', '.join(ids) or 'NULL'})"
    )
    access: dict[int, list[tuple[str, str]]] = {}
    with store._database.read() as transaction:
        rows = transaction.query(query, above=above)
        listed = transaction.query("SELECT root_id, account, level FROM access WHERE root_kind = :above", above=above)
    for root, account, level in listed:
        access.setdefault(root, []).append((account, level))
    return {
        encode_id(id_): Facts(owner, version)
        if root is None
        else Facts(owner, version, (above, root), root_owner, level, tuple(access.get(root, ())))
        for id_, owner, version, root, root_owner, level in rows
    }


def _number(text: str) -> int:
    try:
        return decode_id(text)
    except ValueError:
        return 0


def children(store: Any, kind: str, ref: str, parent: str) -> list[str]:
    """Give the ids of everything of a kind below an object, in the order of creation."""
    query = f'SELECT id FROM "{kind}" WHERE "{ref}_id" = :parent ORDER BY born, id'
    with store._database.read() as transaction:
        return [encode_id(row[0]) for row in transaction.query(query, parent=decode_id(parent))]
