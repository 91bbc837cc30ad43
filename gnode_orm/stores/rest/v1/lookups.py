"""Conditions as query parameters of API v1.

The protocol joins parameters by "and" and knows neither "or" nor "not". So a condition becomes several queries whose
answers together are its own: "or" by asking once for each side, "not" by turning comparisons around. What cannot be
said exactly is refused; nothing is filtered here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from gnode_orm.core.select import And, AnyOf, Comparison, Node, Not, Or
from gnode_orm.errors import UnsupportedByStore
from gnode_orm.stores.rest.v1.comparison import FieldComparison
from gnode_orm.stores.rest.v1.fields import ServerFields
from gnode_orm.stores.rest.v1.paging import Params
from gnode_orm.stores.rest.v1.plain_field import EVERYTHING, Query
from gnode_orm.stores.rest.v1.unsupported import unsupported

MOST_QUERIES = 64


class Lookups:
    """Turns conditions on one kind into queries, by what the server says of its fields."""

    def __init__(self, fields: ServerFields, target: str) -> None:
        self._fields = fields
        self._target = target

    def queries(self, kind: str, node: Node | None) -> list[Params]:
        """Give the queries that together answer a condition.

        Raises:
            UnsupportedByStore: the protocol cannot say it.
            QueryError: it has no meaning.
        """
        try:
            found = EVERYTHING if node is None else self._node(kind, node, False)
        except UnsupportedByStore as refusal:
            raise self._with_the_rest(kind, node, refusal) from None
        distinct = dict.fromkeys(tuple(sorted(query.items())) for query in found)
        return list(distinct)

    def _node(self, kind: str, node: Node, turned: bool) -> list[Query]:
        if isinstance(node, Not):
            return self._node(kind, node.item, not turned)
        if isinstance(node, And | Or):
            sides = [self._node(kind, item, turned) for item in node.items]
            return self._both(sides) if isinstance(node, And) != turned else self._either(sides)
        if isinstance(node, AnyOf):
            self._refuse(f"a condition on the members of {node.relation}", "ask for the members, and go up from them")
        return FieldComparison(self._fields, self._target, kind, node).queries(turned)

    def _with_the_rest(self, kind: str, node: Node | None, refusal: UnsupportedByStore) -> UnsupportedByStore:
        """Name the parts of a condition that can be asked for, where one of several is in the way.

        They are not asked for here: how many rows meet the whole is not known then, and limit, offset and count would
        be of something else.
        """
        parts = node.items if isinstance(node, And) else ()
        rest = [part for part in parts if isinstance(part, Comparison) and self._can_be_asked(kind, part)]
        if not rest:
            return refusal
        told = " and ".join(f"{part.attr} {part.operator} {part.value!r}" for part in rest)
        return UnsupportedByStore(
            f"{refusal}. The rest of the condition can be asked for ({told}): judge what comes back"
        )

    def _can_be_asked(self, kind: str, node: Comparison) -> bool:
        try:
            self._node(kind, node, False)
        except UnsupportedByStore:
            return False
        return True

    def _either(self, sides: list[list[Query]]) -> list[Query]:
        return self._few([query for side in sides for query in side])

    def _both(self, sides: list[list[Query]]) -> list[Query]:
        joined = EVERYTHING
        for side in sides:
            pairs = [(one, other) for one in joined for other in side]
            self._few(pairs)
            joined = [query for one, other in pairs if (query := merged(one, other, self._refuse)) is not None]
        return joined

    def _few(self, found: list[Any]) -> list[Any]:
        if len(found) > MOST_QUERIES:
            self._refuse(f"a condition that takes {len(found)} requests", "ask for less at once")
        return found

    def _refuse(self, what: str, instead: str) -> NoReturn:
        raise unsupported(self._target, what, instead)


def merged(one: Query, other: Query, refuse: Callable[[str, str], NoReturn]) -> Query | None:
    """Join two queries by "and"; ``None`` where nothing meets both. Of a parameter given twice the last counts."""
    joined = dict(one)
    for key, value in other.items():
        if key not in joined or joined[key] == value:
            joined[key] = value
        elif key.endswith("__in"):
            kept = [item for item in joined[key].split(",") if item in value.split(",")]
            if not kept:
                return None
            joined[key] = ",".join(kept)
        elif key.endswith("__isnull"):
            return None
        elif key.endswith("__gt") and "" in (value, joined[key]):
            joined[key] = value or joined[key]  # more than nothing, and more than that
        elif (stricter := _stricter(key, joined[key], value)) is not None:
            joined[key] = stricter
        elif f"{key}__exact" not in joined and "__" not in key:
            joined[f"{key}__exact"] = value
        else:
            refuse(f"two conditions on {key}", "write them as one")
    return joined


def _stricter(key: str, one: str, other: str) -> str | None:
    """Of two bounds the one that both meet, where they are whole numbers."""
    choose = {"lt": min, "lte": min, "gt": max, "gte": max}.get(key.rpartition("__")[2])
    try:
        return None if choose is None else str(choose(int(one), int(other)))
    except ValueError:
        return None


def split_lists(queries: list[Params], most: int) -> Iterator[Params]:
    """Cut queries whose list of values is too long for one address into several."""
    for query in queries:
        long = next(((key, value) for key, value in query if key.endswith("__in") and value.count(",") >= most), None)
        if long is None:
            yield query
            continue
        key, value = long
        items = value.split(",")
        rest = [pair for pair in query if pair != long]
        for start in range(0, len(items), most):
            yield from split_lists([(*rest, (key, ",".join(items[start : start + most])))], most)
