"""Records with what they show of others: members, groups, documents and levels, read in batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from gnode_orm.core.schema import SCHEMA
from gnode_orm.core.select import Attr, Comparison, EagerRows, Select
from gnode_orm.errors import NotFound
from gnode_orm.ids import decode_id, encode_id
from gnode_orm.models import MODELS
from gnode_orm.wire.kinds import wire_kind
from gnode_orm.wire.parsing import TREE_DOCUMENT
from gnode_orm.wire.rendering import Record, Surroundings, columns_of, render

# Where columns stand in a record. Meta columns stand first, so a field of the same name is what is found.
_PLACES = {
    kind: {name: place for place, name in enumerate(model.__spec__.record_columns)} for kind, model in MODELS.items()
}


def find(store: Any, kind: str, text: str, actor: str) -> dict[str, Any]:
    """Give the columns of the object with an id.

    Raises:
        NotFound: there is none that the actor may read.
    """
    try:
        rows = store.get(kind, [decode_id(text)], actor)
    except ValueError:
        rows = []
    if not rows:
        raise NotFound(f"There is no {kind} {text}, or it is not shared with you")
    columns = columns_of(kind, rows[0])
    if kind == "section" and columns["section_id"] is not None:
        columns[TREE_DOCUMENT] = Ancestry(store, actor).roots("section", [rows[0]]).get(columns["id"], (None, None))[1]
    return columns


def by_ids(kind: str, ids: Iterable[int]) -> Select:
    """Select the objects with some ids, with the members of their collections."""
    condition = Comparison(Attr(("id",)), "in", tuple(encode_id(id_) for id_ in ids))
    return Select(kind, condition, eager=eager_paths(kind))


def eager_paths(kind: str) -> tuple[str, ...]:
    """The collections that an object shows."""
    return tuple(relation.name for relation in wire_kind(kind).sets.values())


def shown(store: Any, kind: str, select: Select, actor: str, base: str) -> list[dict[str, Any]]:
    """Answer a query as JSON objects."""
    selected = store.select(select, actor)
    around = _surroundings(store, kind, selected.rows, selected.eager, actor)
    return [render(kind, row, around, base, store.guid) for row in selected.rows]


def shown_objects(store: Any, kind: str, ids: Sequence[int], actor: str, base: str) -> list[dict[str, Any]]:
    """Give some objects as JSON, in the order of their ids as given; those that are not readable are left out."""
    found = {item["id"]: item for item in shown(store, kind, by_ids(kind, ids), actor, base)}
    return [found[name] for name in map(encode_id, ids) if name in found]


def _surroundings(store: Any, kind: str, rows: list[Record], eager: list[EagerRows], actor: str) -> Surroundings:
    around = Surroundings()
    wire = wire_kind(kind)
    by_path = {item.path: item for item in eager}
    for key, relation in wire.sets.items():
        around.sets[key] = _members(by_path.get(relation.name), f"{relation.fk}_id")
    ids = [row[0] for row in rows]
    if kind == "recordingchannel" and ids:
        around.groups = _grouped(store.links(ids, [], actor))
    if not wire.is_root and rows:
        ancestry = Ancestry(store, actor)
        roots = ancestry.roots(kind, rows)
        around.levels = ancestry.levels(roots)
        if kind == "section":
            around.documents = {id_: root[1] for id_, root in roots.items()}
    return around


def _members(eager: EagerRows | None, column: str) -> dict[int, list[int]]:
    if eager is None:
        return {}
    if eager.links is not None:
        return _grouped(eager.links)
    place = _PLACES[eager.kind][column]
    return _grouped((row[place], row[0]) for row in eager.rows)


def _grouped(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = defaultdict(list)
    for one, other in pairs:
        groups[one].append(other)
    return groups


class Ancestry:
    """The block or document above objects, found level by level."""

    def __init__(self, store: Any, actor: str) -> None:
        self._store = store
        self._actor = actor

    def roots(self, kind: str, rows: Sequence[Record]) -> dict[int, tuple[str, int]]:
        """Give kind and id of the root of each record that has one."""
        # Each object stands at some ancestor of its own; all of them climb together.
        places: dict[int, tuple[str, int]] = {row[0]: (kind, row[0]) for row in rows}
        parents: dict[tuple[str, int], tuple[str, int] | None] = self._above(kind, rows)
        seen = set(places.values())
        while True:
            climbing = {own: parents[place] for own, place in places.items() if parents.get(place) is not None}
            if not climbing:
                return {own: place for own, place in places.items() if wire_kind(place[0]).is_root}
            new: dict[str, set[int]] = defaultdict(set)
            for own, place in climbing.items():
                assert place is not None
                places[own] = place
                if place not in seen:
                    seen.add(place)
                    new[place[0]].add(place[1])
            for above, ids in new.items():
                if not wire_kind(above).is_root:
                    parents.update(self._above(above, self._store.get(above, list(ids), self._actor)))

    def levels(self, roots: dict[int, tuple[str, int]]) -> dict[int, int]:
        """Give the level of each object's root."""
        wanted: dict[str, set[int]] = defaultdict(set)
        for kind, id_ in roots.values():
            wanted[kind].add(id_)
        level = {
            (kind, row[0]): row[_PLACES[kind]["safety_level"]]
            for kind, ids in wanted.items()
            for row in self._store.get(kind, list(ids), self._actor)
        }
        return {own: level[root] for own, root in roots.items() if root in level}

    def _above(self, kind: str, rows: Sequence[Record]) -> dict[tuple[str, int], tuple[str, int] | None]:
        if kind == "recordingchannel":
            links = _grouped(self._store.links([row[0] for row in rows], [], self._actor)) if rows else {}
            return {(kind, id_): ("recordingchannelgroup", groups[0]) for id_, groups in links.items()}
        spec = SCHEMA[kind]
        found: dict[tuple[str, int], tuple[str, int] | None] = {}
        for row in rows:
            for name in spec.roots:
                parent = row[_PLACES[kind][f"{name}_id"]]
                if parent is not None:
                    found[kind, row[0]] = (spec.by_name[name].target or "", parent)
                    break
        return found
