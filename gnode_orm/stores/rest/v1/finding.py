"""Which objects of the server are those that were sent: a bulk write answers with one of them alone.

New objects are looked for below their parents, and those without one among the latest of the user, leaving out what was
there before. They are told apart by what they show; among equal ones by their times, since the server makes them in the
order of the file; and where it gives equal times, by their data and by everything below them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from gnode_orm.core.instants import from_microseconds
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import StoreUnavailable
from gnode_orm.stores.rest.v1 import paging
from gnode_orm.stores.rest.v1.connection import V1Connection
from gnode_orm.stores.rest.v1.delta import Key, Sent
from gnode_orm.stores.rest.v1.likeness import own_values, parents_of
from gnode_orm.stores.rest.v1.records import Json, id_of
from gnode_orm.wire.kinds import wire_kind

# Wider than any time zone that the server's clock may stand in.
_WINDOW = timedelta(hours=15)
Content = Callable[[str, Json, str], bytes]
"""Gives the hash of the data that a field of an object of the server holds."""


class NothingThere(Exception):
    """None of the new objects is there: nothing was written."""


@dataclass
class Before:
    """What was there before something was sent.

    Attributes:
        since: parameters that leave out what is older.
        ids: by kind, the objects that would be looked at.
    """

    since: paging.Params
    ids: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))


class Finder:
    """Finds the objects of one change set."""

    def __init__(self, connection: V1Connection, user: str, objects: Sequence[Sent], content: Content) -> None:
        self._connection = connection
        self._user = user
        self._new = [item for item in objects if item.is_new]
        self._inside = {item.key for item in self._new}
        self._content = content
        self.found: dict[Key, Json] = {}
        """The new objects, by the kind and id that they were sent with."""

    def before(self) -> Before:
        """Look at what is there now, where something new is going to stand."""
        before = Before(self._since())
        for kind, name, ids in _anchors(self._new, lambda key: None if key in self._inside else key[1]):
            items = self._listed(kind, name, ids, before.since)
            before.ids[kind] |= {id_of(item) for item in items}
        return before

    def _since(self) -> paging.Params:
        own = ("owner__username", self._user)
        if not self._connection.time:
            return (own,)
        earliest = (from_microseconds(self._connection.time) - _WINDOW).replace(tzinfo=None)
        return (own, ("date_created__gte", earliest.isoformat()))

    def _listed(self, kind: str, name: str | None, ids: Sequence[int], since: paging.Params) -> list[Json]:
        if name is None:
            return paging.everything(self._connection, kind, since)
        return paging.below(self._connection, kind, name, ids, since)

    def after(self, before: Before) -> dict[Key, Json]:
        """Find every new object.

        Raises:
            NothingThere: none is there.
            StoreUnavailable: some are missing, or cannot be told from others.
        """
        self.found = {}
        for level in _levels(self._new):
            self._find(level, before)
        return self.found

    def _find(self, level: list[Sent], before: Before) -> None:
        kind = level[0].kind
        candidates: dict[int, Json] = {}
        for _, name, ids in _anchors(level, self._real):
            items = self._listed(kind, name, ids, before.since)
            candidates.update((id_of(item), item) for item in items if id_of(item) not in before.ids[kind])
        wanted: dict[Any, list[Sent]] = defaultdict(list)
        there: dict[Any, list[Json]] = defaultdict(list)
        for item in level:
            wanted[self._signature(item)].append(item)
        for candidate in candidates.values():
            there[own_values(kind, candidate), parents_of(kind, candidate)].append(candidate)
        for signature, sent in wanted.items():
            self._pair(sent, there[signature])

    def _pair(self, items: list[Sent], there: list[Json]) -> None:
        if len(there) < len(items):
            if not there and not self.found:
                raise NothingThere
            raise StoreUnavailable(
                f"{items[0]!r} {_told(items[0])} is not there, and others of the commit are; look at the server before "
                "you commit again"
            )
        if len(there) > len(items):
            raise StoreUnavailable(
                f"{items[0]!r} {_told(items[0])} cannot be told from another that was made at the same time; look at "
                "the server before you commit again"
            )
        if len(items) > 1 and len({item["date_created"] for item in there}) < len(there):
            there = self._sorted_by_content(items, there)
        else:
            there = sorted(there, key=lambda item: str(item["date_created"]))
        self.found.update(zip((item.key for item in items), there, strict=True))

    def _real(self, key: Key) -> int | None:
        if key not in self._inside:
            return key[1]
        return id_of(self.found[key]) if key in self.found else None

    def _signature(self, item: Sent) -> tuple[Any, ...]:
        refs = [spec.name for spec in wire_kind(item.kind).refs]
        parents = [self._real(item.parents[name]) if name in item.parents else None for name in refs]
        return own_values(item.kind, item.body), tuple(parents)

    def _sorted_by_content(self, items: list[Sent], there: list[Json]) -> list[Json]:
        kind = items[0].kind
        waiting = defaultdict(list)
        for candidate in there:
            waiting[self._deep_shown(kind, candidate)].append(candidate)
        chosen = []
        for item in items:
            alike = waiting[self._deep_sent(item)]
            if not alike:
                raise StoreUnavailable(
                    f"{item!r} {_told(item)} was written, and cannot be told from others like it; read it again"
                )
            chosen.append(alike.pop(0))
        return chosen

    def _deep_sent(self, item: Sent) -> tuple[Any, ...]:
        arrays = tuple(sorted((name, ref.hash) for name, ref in item.arrays.items()))
        below = [child for child in self._new if item.key in child.parents.values()]
        deeper = [(child.kind, _parent_name(child, item.key), *self._deep_sent(child)) for child in below]
        return own_values(item.kind, item.body), arrays, tuple(sorted(deeper, key=repr))

    def _deep_shown(self, kind: str, item: Json) -> tuple[Any, ...]:
        names = [spec.name for spec in SCHEMA[kind].arrays]
        hashes = [(name, self._content(kind, item, name)) for name in names]
        arrays = tuple(sorted((name, hash_) for name, hash_ in hashes if hash_))
        deeper = [
            (relation.kind, relation.fk, *self._deep_shown(relation.kind, child))
            for relation in wire_kind(kind).sets.values()
            for child in self._listed(relation.kind, relation.fk, [id_of(item)], ())
        ]
        return own_values(kind, item), arrays, tuple(sorted(deeper, key=repr))


def _anchors(
    items: Sequence[Sent], real: Callable[[Key], int | None]
) -> Iterator[tuple[str, str | None, Sequence[int]]]:
    """Where to look: kind, foreign key, and ids of the parents; no foreign key for objects without a parent.

    Parents of which ``real`` gives no id yet are left out.
    """
    below: dict[tuple[str, str], dict[int, None]] = {}
    alone: dict[str, None] = {}
    for item in items:
        if not item.parents:
            alone[item.kind] = None
            continue
        name = _anchor(item)
        id_ = real(item.parents[name])
        if id_ is not None:
            below.setdefault((item.kind, name), {})[id_] = None
    for kind in alone:
        yield kind, None, ()
    for (kind, name), ids in below.items():
        yield kind, name, list(ids)


def _anchor(item: Sent) -> str:
    """The foreign key below which an object is looked for: one that owns it, if it has any."""
    roots = [name for name in SCHEMA[item.kind].roots if name in item.parents]
    return roots[0] if roots else next(iter(item.parents))


def _parent_name(child: Sent, key: Key) -> str:
    return next(name for name, parent in child.parents.items() if parent == key)


def _levels(items: Sequence[Sent]) -> Iterator[list[Sent]]:
    """Objects of one kind whose parents stand in earlier levels; items come parents first."""
    depth: dict[Key, int] = {}
    levels: dict[tuple[int, int], list[Sent]] = defaultdict(list)
    order = {kind: place for place, kind in enumerate(SCHEMA)}
    for item in items:
        above = [depth[key] for key in item.parents.values() if key[0] == item.kind and key in depth]
        depth[item.key] = max(above, default=-1) + 1
        levels[order[item.kind], depth[item.key]].append(item)
    for place in sorted(levels):
        yield levels[place]


def _told(item: Sent) -> str:
    shown = {name: value for name, value in item.body.items() if name in ("name", "label", "author") and value}
    return f"({next(iter(shown.values()))!r})" if shown else ""
