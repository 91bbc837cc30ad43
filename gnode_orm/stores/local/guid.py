"""Revision ids: 32 hex digits that say nothing to the outside, and lead the lab itself back to object and version.

A keyed permutation of 128 bits (four Feistel rounds over BLAKE2b), so nothing is stored for it and none occurs twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gnode_orm.core.changes import Version
from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.select import And, AnyOf, Attr, Comparison, Node, Not, Or, Select
from gnode_orm.ids import FIRST, LAST

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF = 8
_ROUNDS = 4


class Guids:
    """Makes and reads the revision ids of one lab."""

    def __init__(self, key: str) -> None:
        self.key = key
        self._lab = key.encode()

    def guid(self, kind: str, id_: int, version: Version) -> str:
        """The revision id of one version of one object."""
        left, right = id_, version
        for number in range(_ROUNDS):
            left, right = right, left ^ self._round(kind, number, right)
        return f"{left:016x}{right:016x}"

    def read(self, kind: str, guid: Any) -> tuple[int, Version] | None:
        """The object and version of a revision id; ``None`` for one that is not of this lab and kind."""
        try:
            left, right = int(guid[:16], 16), int(guid[16:32], 16)
        except (TypeError, ValueError):
            return None
        for number in reversed(range(_ROUNDS)):
            left, right = right ^ self._round(kind, number, left), left
        known = FIRST <= left <= LAST and right < 2**53 and len(guid) == 32
        return (left, right) if known else None

    def _round(self, kind: str, number: int, half: int) -> int:
        key = self._lab + bytes([number])
        data = half.to_bytes(_HALF, "big") + kind.encode()
        return int.from_bytes(hashlib.blake2b(data, digest_size=_HALF, key=key).digest(), "big")

    def resolved(self, select: Select) -> Select:
        """Replace conditions on guids by conditions on id and version, which the database can answer."""
        if select.where is None or select.kind not in SCHEMA:
            return select  # whoever compiles it says that there is no such kind
        return replace(select, where=self._node(select.where, select.kind))

    def _node(self, node: Node, kind: str) -> Node:
        if isinstance(node, And | Or):
            return type(node)(tuple(self._node(item, kind) for item in node.items))
        if isinstance(node, Not):
            return Not(self._node(node.item, kind))
        if isinstance(node, AnyOf):
            return self._any_of(node, kind)
        return self._comparison(node, kind)

    def _any_of(self, node: AnyOf, kind: str) -> Node:
        relation = SCHEMA[_end(kind, node.path)].relation_by_name.get(node.relation)
        if node.condition is None or relation is None:
            return node
        return AnyOf(node.path, node.relation, self._node(node.condition, relation.kind))

    def _comparison(self, node: Comparison, kind: str) -> Node:
        if node.attr.path[-1] != "guid" or node.operator not in ("eq", "ne", "in") or node.value is None:
            return node
        if node.operator == "ne":
            return Not(self._comparison(Comparison(node.attr, "eq", node.value), kind))
        values = node.value if isinstance(node.value, tuple) else (node.value,)
        return Or(tuple(self._is(node.attr.path[:-1], kind, value) for value in values))

    def _is(self, path: tuple[str, ...], kind: str, value: Any) -> Node:
        found = self.read(_end(kind, path), value)
        if found is None:
            return Or(())
        id_, version = found
        modified = _EPOCH + timedelta(microseconds=version)
        return And((Comparison(Attr((*path, "id")), "eq", id_), Comparison(Attr((*path, "modified")), "eq", modified)))


def _end(kind: str, path: tuple[str, ...]) -> str:
    for name in path:
        field = SCHEMA[kind].by_name.get(name)
        if field is None or field.target is None:
            break  # the compiler of conditions says what is wrong with the path
        kind = field.target
    return kind
