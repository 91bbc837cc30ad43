"""Records of a server of API v1: by ids in batches, by queries with their pages, and along eager paths."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from gnode_orm.core.schema import SCHEMA, FieldSpec, Relation
from gnode_orm.core.select import And, AnyOf, Attr, Comparison, EagerRows, Node, Or, Select, Selected
from gnode_orm.errors import QueryError, did_you_mean
from gnode_orm.ids import encode_id
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1 import paging
from gnode_orm.stores.rest.v1.channel_groups import ChannelGroups
from gnode_orm.stores.rest.v1.connection import V1Connection
from gnode_orm.stores.rest.v1.delta import Key
from gnode_orm.stores.rest.v1.fields import ServerFields
from gnode_orm.stores.rest.v1.lookups import Lookups, split_lists
from gnode_orm.stores.rest.v1.paging import Params
from gnode_orm.stores.rest.v1.records import Json, Record, id_of, read_record
from gnode_orm.stores.rest.v1.relations import eager_paths, kind_at, relation_of
from gnode_orm.stores.rest.v1.sorting import sort_key
from gnode_orm.stores.rest.v1.units import Units
from gnode_orm.stores.rest.v1.unlisted import members_named, parents_asked_for
from gnode_orm.stores.rest.v1.unsupported import unsupported

PARALLEL = 8
_ROWS, _OFFSET = "rows", "offset"


class Reader:
    """Reads the records that one user sees."""

    def __init__(self, connection: V1Connection, user: str, fields: ServerFields, units: Units) -> None:
        self._connection = connection
        self._user = user
        self._others: set[Key] = set()
        self._units = units
        self._lookups = Lookups(fields, connection.address)
        self.groups = ChannelGroups(self.items, connection.address)
        """Which groups channels belong to."""

    def items(self, kind: str, ids: Iterable[int]) -> dict[int, Json]:
        """Give the JSON of some objects, leaving out those that the user may not read.

        A list leaves out shared objects that can be read one by one, so what is missing in it is asked for by itself.
        """
        wanted = list(dict.fromkeys(ids))
        found: dict[int, Json] = {}
        if len(wanted) > 1:
            for batch in paging.batches(wanted):
                params = (("id__in", ",".join(map(encode_id, batch))),)
                found.update((id_of(item), item) for item in paging.everything(self._connection, kind, params))
        missing = [id_ for id_ in wanted if id_ not in found]
        for id_, item in zip(missing, self._details(kind, missing), strict=True):
            if item is not None:
                found[id_] = item
        return {id_: found[id_] for id_ in wanted if id_ in found}

    def _details(self, kind: str, ids: Sequence[int]) -> list[Any]:
        paths = [str(Location.of_number(kind, id_)) for id_ in ids]
        if len(paths) < 2:
            return [self._connection.get_or_none(path) for path in paths]
        with ThreadPoolExecutor(PARALLEL) as pool:
            return list(pool.map(self._connection.get_or_none, paths))

    def get(self, kind: str, ids: Iterable[int]) -> dict[int, Record]:
        """Give the records of some objects by id."""
        return {id_: self.record(kind, item) for id_, item in self.items(kind, ids).items()}

    def record(self, kind: str, item: Json) -> Record:
        """Read one object."""
        row = read_record(kind, item, self._units)
        if row[3] != self._user:
            self._others.add((kind, row[0]))
        return row

    def select(self, select: Select) -> Selected:
        """Answer a query."""
        paths = eager_paths(select)
        key = sort_key(select, self._connection.address)
        rows, cursor = self._page(select, key)
        answer = Selected(select.kind, rows, cursor=cursor)
        levels = {"": (select.kind, rows)}
        for path in paths:
            prefix, _, name = path.rpartition(".")
            eager = self._along(path, name, *levels[prefix])
            answer.eager.append(eager)
            levels[path] = (eager.kind, eager.rows)
        return answer

    def count(self, select: Select) -> int:
        """Count the objects that meet the condition of a query."""
        queries = self._queries(select)
        if len(queries) == 1 and not parents_asked_for(select, self._others):
            return paging.total(self._connection, select.kind, queries[0])
        return len(self._found(select, queries))

    def count_by(self, select: Select, path: Sequence[str]) -> dict[int, int]:
        """Count by the ids of the objects that foreign keys lead to; the server counts no groups, so all are read.

        Raises:
            QueryError: the path does not lead along foreign keys.
        """
        kinds = [select.kind]
        for name in path:
            spec = SCHEMA[kinds[-1]]
            ref = spec.by_name.get(name)
            if ref is None or ref.target is None:
                raise QueryError(f"{spec.class_name}.{name} is not a foreign key", field=name)
            kinds.append(ref.target)
        rows = {row[0]: row for row in self._all(select.kind, self._queries(select))}
        counts = Counter(rows.keys())
        for step, name in enumerate(path, start=1):
            place = SCHEMA[kinds[step - 1]].record_columns.index(f"{name}_id")
            above: Counter[int] = Counter()
            for id_, row in rows.items():
                if row[place] is not None:
                    above[row[place]] += counts[id_]
            counts = above
            rows = self.get(kinds[step], counts) if step < len(path) else {}
        return dict(counts)

    def explain(self, select: Select) -> list[str]:
        """Give the requests that answer a query."""
        limit = select.limit if select.limit is not None and not select.order else paging.PAGE
        shown = [
            f"GET {paging.address(select.kind, (*query, ('limit', str(limit))))}" for query in self._queries(select)
        ]
        kinds = {"": select.kind}
        for path in eager_paths(select):
            prefix, _, name = path.rpartition(".")
            relation = relation_of(kinds[prefix], name)
            kinds[path] = kind_at(relation)
            fk = relation.fk if isinstance(relation, Relation) else "id"
            shown.append(f"GET {paging.address(kinds[path], ((f'{fk}__in', '...'),))}")
        return shown

    def _page(self, select: Select, key: Callable[[Record], Any] | None) -> tuple[list[Record], Any]:
        if select.after is not None and select.after[0] == _ROWS:
            return _cut(list(select.after[1]), 0, select.limit)
        if select.after is not None and (select.after[0] != _OFFSET or key is not None):
            raise QueryError("The cursor is one of another order")
        queries = self._queries(select)
        whole = len(queries) != 1 or bool(parents_asked_for(select, self._others))
        if key is None and not whole and select.limit is not None:
            return self._served_page(select, queries[0])
        rows = sorted(self._found(select, queries), key=_creation)
        return _cut(rows if key is None else sorted(rows, key=key), select.offset, select.limit)

    def _served_page(self, select: Select, query: Params) -> tuple[list[Record], Any]:
        """One page as the server cuts it; what an earlier page had is left out, since the server has no order."""
        _, offset, seen = select.after or (_OFFSET, select.offset, frozenset())
        rows: list[Record] = []
        more, limit = True, select.limit or 0
        while more and len(rows) < limit:
            asked = min(limit - len(rows), paging.PAGE)
            items, _, more = paging.page(self._connection, select.kind, query, asked, offset)
            offset += len(items)
            more = more and bool(items)
            fresh = [row for row in (self.record(select.kind, item) for item in items) if row[0] not in seen]
            seen |= {row[0] for row in fresh}
            rows += fresh
        return rows, (_OFFSET, offset, seen) if more and limit else None

    def _found(self, select: Select, queries: list[Params]) -> list[Record]:
        """What the lists show, and what they leave out of the members of objects of others."""
        listed = self._all(select.kind, queries)
        asked = parents_asked_for(select, self._others)
        if not asked:
            return listed
        above = asked[0][0]
        parents = self.items(above, [id_ for _, id_ in asked])
        assert isinstance(select.where, Comparison)
        named = members_named(select.kind, select.where.attr.path[0], parents.values(), above)
        unlisted = set(named) - {row[0] for row in listed}
        return [*listed, *self.get(select.kind, unlisted).values()]

    def _all(self, kind: str, queries: list[Params]) -> list[Record]:
        found: dict[int, Record] = {}
        for query in queries:
            for item in paging.everything(self._connection, kind, query):
                found.setdefault(id_of(item), self.record(kind, item))
        return list(found.values())

    def _queries(self, select: Select) -> list[Params]:
        where = None if select.where is None else self._with_members(select.kind, select.where)
        return list(split_lists(self._lookups.queries(select.kind, where), paging.IDS_AT_ONCE))

    def _with_members(self, kind: str, node: Node) -> Node:
        """Ask for the members that meet a condition, and put the objects above them in its place."""
        if isinstance(node, And | Or):
            return replace(node, items=tuple(self._with_members(kind, item) for item in node.items))
        if not isinstance(node, AnyOf):
            return node
        for name in node.path:
            kind = kind_at(relation_of(kind, name))
        spec = SCHEMA[kind]
        relation = spec.relation_by_name.get(node.relation)
        if relation is None:
            hint = did_you_mean(node.relation, spec.relation_by_name)
            raise QueryError(f"{spec.class_name} has no collection {node.relation!r}{hint}", field=node.relation)
        if relation.many_to_many or node.condition is None:
            what = f"conditions on {spec.class_name}.{relation.name}"
            raise unsupported(self._connection.address, what, "ask for its members by a condition, or look at them")
        found = self.select(Select(relation.kind, node.condition)).rows
        place = SCHEMA[relation.kind].record_columns.index(f"{relation.fk}_id")
        above = dict.fromkeys(row[place] for row in found if row[place] is not None)
        locations = tuple(Location.of_number(kind, id_) for id_ in above)
        return Comparison(Attr((*node.path, "location")), "in", locations)

    def _along(self, path: str, name: str, kind: str, rows: list[Record]) -> EagerRows:
        relation = relation_of(kind, name)
        if isinstance(relation, FieldSpec):
            target = kind_at(relation)
            place = SCHEMA[kind].record_columns.index(f"{name}_id")
            found = self.get(target, (row[place] for row in rows if row[place] is not None))
            return EagerRows(path, target, sorted(found.values(), key=_creation))
        ids = [row[0] for row in rows]
        if relation.many_to_many:
            return self._linked(path, relation, kind, ids)
        return EagerRows(path, relation.kind, self.children(relation.kind, relation.fk, ids))

    def children(self, kind: str, fk: str, ids: Sequence[int]) -> list[Record]:
        """Give the records below some objects."""
        condition = Comparison(Attr((fk,)), "in", tuple(_locations(kind, fk, ids)))
        return self.select(Select(kind, condition)).rows if ids else []

    def _linked(self, path: str, relation: Relation, kind: str, ids: Sequence[int]) -> EagerRows:
        if kind == "recordingchannel":
            pairs = self.groups.links(ids, ()) if ids else []
            members = list(self.get(relation.kind, (group for _, group in pairs)).values())
            return EagerRows(path, relation.kind, members, pairs)
        pairs = self.groups.links((), ids) if ids else []
        members = list(self.get(relation.kind, (channel for channel, _ in pairs)).values())
        return EagerRows(path, relation.kind, members, [(group, channel) for channel, group in pairs])


def _locations(kind: str, fk: str, ids: Iterable[int]) -> list[Location]:
    return [Location.of_number(SCHEMA[kind].by_name[fk].target or "", id_) for id_ in ids]


def _cut(rows: list[Record], offset: int, limit: int | None) -> tuple[list[Record], Any]:
    rest = rows[offset:]
    if limit is None or len(rest) <= limit:
        return rest, None
    return rest[:limit], (_ROWS, rest[limit:])


def _creation(row: Record) -> tuple[int, int]:
    return row[2], row[0]
