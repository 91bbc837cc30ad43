"""What can be refused of a change set before anything is sent, since the server compares nothing when it writes."""

from __future__ import annotations

from collections.abc import Iterable

from gnode_orm.core.changes import ChangeSet, Delete, Stale, StaleRows, Update
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import IntegrityError, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1 import capacity
from gnode_orm.stores.rest.v1.connection import V1Connection
from gnode_orm.stores.rest.v1.deleting import Below, check_deletes, owning
from gnode_orm.stores.rest.v1.delta import Key, Sent, channel_groups, objects_of, refuse_rings, stored_parents
from gnode_orm.stores.rest.v1.fields import ServerFields
from gnode_orm.stores.rest.v1.places import place_of, version_of
from gnode_orm.stores.rest.v1.reading import Reader
from gnode_orm.stores.rest.v1.records import Json


class Checker:
    """Looks at change sets before they are sent."""

    def __init__(self, connection: V1Connection, reader: Reader, fields: ServerFields, below: Below) -> None:
        self._connection = connection
        self._reader = reader
        self._fields = fields
        self._below = below

    def checked(self, changes: ChangeSet) -> tuple[list[Sent], dict[Key, Json]]:
        """Give what is to be sent, and the stored objects that it changes as they are now.

        Raises:
            UnsupportedByStore: the server cannot keep it.
            StaleRows: something was changed since it was read.
            IntegrityError: a parent that is not there, or a delete that would take others along.
        """
        _refuse_twice(changes)
        capacity.check(changes, self._fields, self._connection.address)
        known = self._reader.groups.of([link.channel for link in changes.links]) if changes.links else {}
        capacity.check_links(changes, known, self._connection.address)
        objects = objects_of(changes, channel_groups(changes, known))
        bases = self._bases(changes, objects)
        self._check_parents(objects)
        self._check_sections(objects)
        if changes.deletes:
            check_deletes(changes, self._below, self._connection.address)
        objects = [*objects, *self._carried_along(objects, bases)]
        _drop_unchanged_data(objects)
        return objects, bases

    def _bases(self, changes: ChangeSet, objects: Iterable[Sent]) -> dict[Key, Json]:
        """Read what is to be changed, and refuse where it is no longer what the changes were decided on.

        Raises:
            StaleRows: it was changed or deleted by somebody else.
        """
        wanted: dict[str, dict[int, int | None]] = {}
        for item in _based(changes):
            wanted.setdefault(item.kind, {})[item.id] = item.base
        for sent in objects:
            if not sent.is_new:
                wanted.setdefault(sent.kind, {}).setdefault(sent.id, None)
        found: dict[Key, Json] = {}
        stale: list[Stale] = []
        for kind, bases in wanted.items():
            items = self._reader.items(kind, bases)
            found.update(((kind, id_), item) for id_, item in items.items())
            told = (self._stale(kind, id_, base, items.get(id_)) for id_, base in bases.items())
            stale += [one for one in told if one is not None]
        if stale:
            raise StaleRows(stale)
        return found

    def _stale(self, kind: str, id_: int, base: int | None, item: Json | None) -> Stale | None:
        if item is None:
            return Stale(kind, id_, base or 0, None, None, None)
        now = version_of(item["guid"])
        if base is None or now == base:
            return None
        return Stale(kind, id_, base, self._reader.record(kind, item), None, now)

    def _check_parents(self, objects: list[Sent]) -> None:
        named: dict[str, dict[int, tuple[Sent, str]]] = {}
        for item, name, (kind, id_) in stored_parents(objects):
            named.setdefault(kind, {}).setdefault(id_, (item, name))
        for kind, ids in named.items():
            there = self._reader.items(kind, ids)
            for id_, (item, name) in ids.items():
                if id_ not in there:
                    raise IntegrityError(
                        f"{SCHEMA[item.kind].class_name}.{name} names {kind}/{Location.of_number(kind, id_).id}, which "
                        "does not exist, or is not shared with you; nothing was sent"
                    )

    def _check_sections(self, objects: list[Sent]) -> None:
        """Climb from the sections that stored ones are moved below: the server takes a ring, and never ends."""
        above: dict[Key, list[Key]] = {}
        waiting = {item.parents["section"] for item in objects if item.kind == "section" and "section" in item.parents}
        if not any(item.kind == "section" and not item.is_new for item in objects):
            return
        while waiting:
            records = self._reader.get("section", [id_ for _, id_ in waiting])
            place = SCHEMA["section"].record_columns.index("section_id")
            above.update((("section", id_), _one(row[place])) for id_, row in records.items())
            waiting = {key for keys in above.values() for key in keys if key not in above}
        refuse_rings(objects, above)

    def _carried_along(self, objects: list[Sent], bases: dict[Key, Json]) -> list[Sent]:
        """Write again what stands below moved objects, or it would keep the rights, and the fate, of the old place."""
        level = {
            item.key for item in objects
            if not item.is_new and any(ref.name in item.parents for ref in owning(item.kind))
        }  # fmt: skip
        known = {item.key for item in objects}
        found: dict[Key, Sent] = {}
        while level:
            below = {key: item for key, item in self._below.children(level) if key not in known and key not in found}
            for key, item in below.items():
                parent = next(ref for ref in owning(key[0]) if item.get(ref.name) is not None)
                above = (parent.target or "", Location(item[parent.name]).number)
                found[key] = Sent(*key, False, parents={parent.name: above})
                bases[key] = item
            level = set(below)
        return list(found.values())


def _based(changes: ChangeSet) -> list[Update | Delete]:
    return [*changes.updates, *changes.deletes]


def _refuse_twice(changes: ChangeSet) -> None:
    keys = [(item.kind, item.id) for item in _based(changes)]
    keys += [(kind, row[0]) for kind, rows in changes.creates.items() for row in rows]
    seen: set[Key] = set()
    for kind, id_ in keys:
        if kind not in SCHEMA:
            raise ValidationFailed(f"There is no kind {kind!r}", value=kind)
        if (kind, id_) in seen:
            raise IntegrityError(f"{Location.of_number(kind, id_)} stands twice in the change set")
        seen.add((kind, id_))


def _drop_unchanged_data(objects: list[Sent]) -> None:
    """An array that stands where it is said to stand was given another unit alone."""
    for item in objects:
        for name, ref in list(item.arrays.items()):
            place = place_of(ref.hash)
            if place is not None and (place.kind, place.id, place.field) == (item.kind, item.id, name):
                del item.arrays[name]


def _one(id_: int | None) -> list[Key]:
    return [] if id_ is None else [("section", id_)]
