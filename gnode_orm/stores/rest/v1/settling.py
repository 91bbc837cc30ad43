"""What became of a change set that was sent: found by its answer, or by what the server shows where that was lost."""

from __future__ import annotations

from collections.abc import Mapping

from gnode_orm.core.changes import Written
from gnode_orm.core.instants import microseconds
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import StoreUnavailable
from gnode_orm.stores.rest.v1.delta import Key, Sent
from gnode_orm.stores.rest.v1.fields import CHANNEL_GROUPS
from gnode_orm.stores.rest.v1.files import Files
from gnode_orm.stores.rest.v1.finding import NothingThere
from gnode_orm.stores.rest.v1.likeness import shows
from gnode_orm.stores.rest.v1.places import Place, version_of
from gnode_orm.stores.rest.v1.reading import Reader
from gnode_orm.stores.rest.v1.records import Json, id_of, moment
from gnode_orm.stores.rest.v1.underway import Underway
from gnode_orm.stores.rest.v1.units import Units


class Settler:
    """Finds what was written, and remembers what the server does not show of it."""

    def __init__(self, address: str, reader: Reader, files: Files, units: Units) -> None:
        self._address = address
        self._reader = reader
        self._files = files
        self._units = units

    def written(self, underway: Underway) -> dict[Key, Written]:
        """Find what was written, by the kind and id that it was sent with.

        Raises:
            NothingThere: nothing was.
        """
        if not underway.objects:
            return {}
        if underway.answered:
            try:
                found = underway.finder.after(underway.before)
            except NothingThere:
                raise StoreUnavailable(
                    f"{self._address} says that the commit is written, and shows nothing of it; look at the "
                    "server before you commit again"
                ) from None
            now = self._changed(underway)
        else:
            now = self._changed(underway)
            changed = [key for key, item in now.items() if item["guid"] != underway.bases[key]["guid"]]
            found = underway.finder.after(underway.before)
            if not found and not changed:
                raise NothingThere
            self._refuse_doubt(underway, now, changed)
        return {item.key: self._noted(underway, item, {**found, **now}[item.key]) for item in underway.objects}

    def _changed(self, underway: Underway) -> dict[Key, Json]:
        ids: dict[str, list[int]] = {}
        for item in underway.objects:
            if not item.is_new:
                ids.setdefault(item.kind, []).append(item.id)
        found = {
            (kind, id_): item for kind, many in ids.items() for id_, item in self._reader.items(kind, many).items()
        }
        gone = [item for item in underway.objects if not item.is_new and item.key not in found]
        if gone:
            raise StoreUnavailable(f"{gone[0]!r} was deleted by somebody else while it was written; refresh it")
        return found

    def _refuse_doubt(self, underway: Underway, now: Mapping[Key, Json], changed: list[Key]) -> None:
        """After a lost answer: everything must be there as it was sent, or somebody else's change is taken for ours."""
        for item in underway.objects:
            if item.is_new:
                continue
            there = now[item.key]
            if item.key not in changed or not shows(item.kind, there, item) or not self._has_data(item, there):
                raise StoreUnavailable(
                    f"The answer to the commit was lost, and {item!r} is neither as it was nor as it was sent; refresh "
                    "it, and look at the server before you commit again"
                )

    def _has_data(self, item: Sent, now: Json) -> bool:
        return all(
            self._files.content_shown(item.kind, now, name) == self._files.content_hash(ref)
            for name, ref in item.arrays.items()
        )

    def _noted(self, underway: Underway, item: Sent, now: Json) -> Written:
        """Remember what the server does not show of an object that was written."""
        id_, version = id_of(now), version_of(now["guid"])
        base = underway.bases.get(item.key)
        before = None if base is None else version_of(base["guid"])
        self._units.wrote(item.kind, id_, before, version, item.units)
        if item.groups is not None:
            groups = [self._real(underway, group) for group in item.groups]
            self._reader.groups.wrote(id_, now["guid"], groups)
        arrays = {}
        for spec in SCHEMA[item.kind].arrays:
            if before is not None and spec.name not in item.arrays:
                place = Place(item.kind, id_, spec.name, before)
                self._files.unchanged(place, place._replace(version=version))
        for name, ref in item.arrays.items():
            arrays[name] = self._files.stored(Place(item.kind, id_, name, version), ref)
        return Written(id_, version, microseconds(moment(now["date_created"])), arrays, before or 0)

    def _real(self, underway: Underway, group: int) -> int:
        new = underway.finder.found.get((CHANNEL_GROUPS, group))
        return group if new is None else id_of(new)
