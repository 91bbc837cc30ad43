"""Conditions and sort keys: plain nodes with the kind that they are about."""

from __future__ import annotations

from typing import Any

from gnode_orm.core.expressions.wording import described
from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.select import MAX_DEPTH, And, Node, Not, Or, Order
from gnode_orm.errors import QueryError


class Condition:
    """A condition for ``where``; join with ``&`` and ``|``, turn with ``~``."""

    __slots__ = ("depth", "kind", "node")

    def __init__(self, kind: str, node: Node, within: int = 0) -> None:
        # A query that has several conditions joins them, which is one level more.
        if within >= MAX_DEPTH:
            raise QueryError(
                f"A condition on {kind} holds {within} others within each other, at most {MAX_DEPTH - 1} can; write "
                "one with fewer brackets, or ask several queries",
                value=within,
            )
        self.kind = kind
        self.node = node
        self.depth = within
        """How many conditions stand within each other in it."""

    def __and__(self, other: Condition) -> Condition:
        return self._join(And, other)

    def __or__(self, other: Condition) -> Condition:
        return self._join(Or, other)

    def __invert__(self) -> Condition:
        if isinstance(self.node, Not):
            return Condition(self.kind, self.node.item, self.depth - 1)
        return Condition(self.kind, Not(self.node), self.depth + 1)

    def __bool__(self) -> bool:
        raise QueryError("A condition has no truth value; join conditions with & and |, each in brackets, not and/or")

    def _join(self, node: type[And] | type[Or], other: Any) -> Condition:
        if not isinstance(other, Condition):
            raise QueryError(f"{other!r} is not a condition; write for instance (Segment.name == 'a')", value=other)
        if other.kind != self.kind:
            raise QueryError(f"A condition on {self.kind} cannot be joined with one on {other.kind}")
        mine = self.node.items if isinstance(self.node, node) else (self.node,)
        theirs = other.node.items if isinstance(other.node, node) else (other.node,)
        depths = [item.depth + (not isinstance(item.node, node)) for item in (self, other)]
        return Condition(self.kind, node((*mine, *theirs)), max(depths))

    def __repr__(self) -> str:
        return f"<condition {described(self.node, SCHEMA[self.kind])}>"


class Ordering:
    """One key for ``order_by``."""

    __slots__ = ("kind", "order")

    def __init__(self, kind: str, order: Order) -> None:
        self.kind = kind
        self.order = order

    def __repr__(self) -> str:
        way = "desc" if self.order.descending else "asc"
        return f"<ordering {SCHEMA[self.kind].class_name}.{self.order.attr}.{way}()>"
