"""What a delete touches on a server that deletes everything that refers to an object, optional references included.

What would go with it against its rules is refused, since a reference cannot be set to nothing there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache

from gnode_orm.core.changes import ChangeSet, Delete, DeletePreview
from gnode_orm.core.kind_counts import counts_in_words
from gnode_orm.core.schema import SCHEMA, FieldSpec
from gnode_orm.errors import IntegrityError, NotFound, UnsupportedByStore
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1 import paging
from gnode_orm.stores.rest.v1.connection import V1Connection
from gnode_orm.stores.rest.v1.delta import Key
from gnode_orm.stores.rest.v1.fields import ServerFields
from gnode_orm.stores.rest.v1.reading import Reader
from gnode_orm.stores.rest.v1.records import Json, id_of, user_of
from gnode_orm.wire.kinds import wire_kind

SOMEBODY = "somebody else"
"""Stands for the owners of objects that the user may not read and that would go all the same."""


@cache
def owning(kind: str) -> tuple[FieldSpec, ...]:
    """The references with which an object stands and falls."""
    spec = SCHEMA[kind]
    return tuple(spec.by_name[name] for name in spec.roots[: 2 if kind == "section" else 1])


class Below:
    """What stands below some objects, read once."""

    def __init__(self, connection: V1Connection, reader: Reader, fields: ServerFields) -> None:
        self._connection = connection
        self._reader = reader
        self._fields = fields

    def tree(self, kind: str, id_: int, leaving: Collection[Key] = ()) -> dict[Key, Json | None]:
        """Give an object and everything below it; ``None`` for what is there but not for this user to read.

        What is ``leaving`` it does not count, with what stands below that.

        Raises:
            NotFound: there is no such object.
        """
        level = self.top(kind, id_)
        found: dict[Key, Json | None] = dict(level)
        while level:
            below = {key: item for key, item in self.children(level) if key not in leaving}
            unseen = {key: None for key in _listed_in_sets(level) if key not in below and key not in leaving}
            found.update({key: item for key, item in unseen.items() if key not in found})
            level = {key: item for key, item in below.items() if found.get(key) is None}
            found.update(level)
        return found

    def top(self, kind: str, id_: int) -> dict[Key, Json]:
        """Give an object.

        Raises:
            NotFound: there is none.
        """
        top = self._reader.items(kind, [id_]).get(id_)
        if top is None:
            raise NotFound(f"{Location.of_number(kind, id_)} does not exist, or is not shared with you")
        return {(kind, id_): top}

    def children(self, level: Iterable[Key]) -> Iterator[tuple[Key, Json]]:
        """Give what stands directly below some objects."""
        ids: dict[str, list[int]] = {}
        for kind, id_ in level:
            ids.setdefault(kind, []).append(id_)
        for child in SCHEMA:
            for ref in owning(child):
                for item in paging.below(self._connection, child, ref.name, ids.get(ref.target or "", ())):
                    yield (child, id_of(item)), item

    def linked(self, tree: Iterable[Key]) -> dict[Key, FieldSpec]:
        """Give the objects outside a tree that refer into it, and the reference."""
        inside = set(tree)
        ids: dict[str, list[int]] = {}
        for kind, id_ in inside:
            ids.setdefault(kind, []).append(id_)
        found = {}
        for child, spec in SCHEMA.items():
            for ref in spec.refs:
                if ref in owning(child) or not ids.get(ref.target or "") or not self._fields.has(child, ref.name):
                    continue
                for item in paging.below(self._connection, child, ref.name, ids[ref.target or ""]):
                    if (child, id_of(item)) not in inside:
                        found[child, id_of(item)] = ref
        return found

    def preview(self, kind: str, id_: int) -> DeletePreview:
        """Say what deleting an object touches."""
        tree = self.tree(kind, id_)
        state_now = sorted(
            (name, number, "" if item is None else item["guid"]) for (name, number), item in tree.items()
        )
        below = {key: item for key, item in tree.items() if key != (kind, id_)}
        linked = self.linked(tree)
        owners = Counter(SOMEBODY if item is None else user_of(item["owner"]) for item in below.values())
        state = hashlib.sha256(repr((state_now, sorted(linked))).encode()).hexdigest()[:32]
        return DeletePreview(_counted(below), _counted(linked), dict(owners), state)


def check_deletes(changes: ChangeSet, below: Below, target: str) -> None:
    """Refuse deletes that would take along what is not meant to go.

    Raises:
        IntegrityError: objects stand below, or something changed since the preview.
        UnsupportedByStore: objects refer to it that would go as well.
    """
    going = {(delete.kind, delete.id) for delete in changes.deletes}
    moved = {(update.kind, update.id): update.values for update in changes.updates}
    leaving = {key for key, values in moved.items() if any(f"{ref.name}_id" in values for ref in owning(key[0]))}
    for delete in changes.deletes:
        tree = below.tree(delete.kind, delete.id, leaving)
        if delete.cascade is not None:
            _check_unchanged(delete, below)
        elif left := _counted(_left_below(delete, below, {*going, *leaving})):
            raise IntegrityError(
                f"{_where(delete)} still has {counts_in_words(left)} below it; delete them too (cascade=True), or move "
                "them elsewhere first",
                counts=left,
            )
        linked = {
            key: ref for key, ref in below.linked(tree).items()
            if key not in going and moved.get(key, {}).get(f"{ref.name}_id") is None
        }  # fmt: skip
        if linked:
            (kind, id_), ref = next(iter(linked.items()))
            raise UnsupportedByStore(
                f"{target} speaks API v1 alone, which deletes with {_where(delete)} also what refers to it: "
                f"{counts_in_words(_counted(linked))}; nothing was sent. First set {ref.name} of "
                f"{Location.of_number(kind, id_)} to another object, since it cannot be set to None there"
            )


def _check_unchanged(delete: Delete, below: Below) -> None:
    now = below.preview(delete.kind, delete.id)
    assert delete.cascade is not None
    if now.state != delete.cascade.state:
        raise IntegrityError(
            f"What stands below {_where(delete)} changed since the preview "
            f"({counts_in_words(delete.cascade.children)} then, {counts_in_words(now.children)} now); look again, "
            "then delete",
            counts=now.children,
        )


def _left_below(delete: Delete, below: Below, leaving: Collection[Key]) -> list[Key]:
    """What stands directly below an object, and neither goes with it nor moves away."""
    top = below.top(delete.kind, delete.id)
    there = dict.fromkeys([*(key for key, _ in below.children(top)), *_listed_in_sets(top)])
    return [key for key in there if key not in leaving]


def _listed_in_sets(level: Mapping[Key, Json]) -> Iterator[Key]:
    """Members that an object lists, whether its reader may read them or not."""
    for (kind, _), item in level.items():
        for key, relation in wire_kind(kind).sets.items():
            if relation.fk in {ref.name for ref in owning(relation.kind)}:
                for address in item.get(key) or ():
                    yield relation.kind, Location(address).number


def _counted(keys: Iterable[Key]) -> dict[str, int]:
    counts = Counter(kind for kind, _ in keys)
    return {kind: counts[kind] for kind in SCHEMA if counts[kind]}


def _where(delete: Delete) -> str:
    return f"{SCHEMA[delete.kind].class_name} at {Location.of_number(delete.kind, delete.id)}"
