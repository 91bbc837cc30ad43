"""What is known of units, where a server may show the same unit for every number.

The original server stores units and shows the declared default of the field instead, whatever is stored. So a unit that
differs from the default is the truth, and a default tells nothing, unless the object is exactly as it was written from
here, or the server has shown some other unit before.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping

from gnode_orm.core.changes import Version
from gnode_orm.core.schema import SCHEMA, FieldSpec
from gnode_orm.errors import LostUnitsWarning
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1.latest import Latest
from gnode_orm.stores.rest.v1.places import place_of
from gnode_orm.wire.kinds import default_unit, shown_unit

_OBJECTS = 100_000


class Units:
    """The units of the numbers and arrays of one server."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._written: Latest[tuple[str, int], tuple[Version, dict[str, str]]] = Latest(_OBJECTS)
        self._truthful = False
        self._warned = False

    def wrote(self, kind: str, id_: int, before: Version | None, now: Version, units: Mapping[str, str]) -> None:
        """Remember the units that were sent with a write, and those known of the revision that it was based on."""
        with self._lock:
            base, known = self._written.pop((kind, id_), (None, {}))
            self._written[kind, id_] = (now, {**(known if base == before else {}), **units})

    def of(self, kind: str, id_: int, version: Version, field: FieldSpec, shown: str | None) -> str | None:
        """Give the unit of a number or array that a server shows with ``shown``, which may be lost."""
        base, known = self._written.get((kind, id_), (None, {}))
        if base == version and field.name in known:
            return known[field.name]
        if shown is not None and shown != shown_unit(kind, field):
            self._truthful = True
        return shown or _fallback(kind, field)

    def doubt(self, kind: str, id_: int, version: Version, field: FieldSpec) -> None:
        """Warn, once, that a unit which somebody is about to see may not be the one that is stored."""
        base, known = self._written.get((kind, id_), (None, {}))
        if self._truthful or self._warned or (base == version and field.name in known):
            return
        self._warned = True
        warnings.warn(
            f"{self._target} may show {_fallback(kind, field)} whatever unit is stored, as here for {field.name} of "
            f"{Location.of_number(kind, id_)}: servers of API v1 do so for every time, rate and signal. Check units "
            "before you compute, and set the value with its unit to make sure. Nothing that was only read is sent back",
            LostUnitsWarning,
            stacklevel=2,
        )

    def doubt_at(self, name: bytes, unit: str | None) -> None:
        """The same for an array, by its name."""
        place = place_of(name)
        if place is not None and unit is not None:
            field = SCHEMA[place.kind].by_name[place.field]
            if unit == shown_unit(place.kind, field):
                self.doubt(place.kind, place.id, place.version, field)


def _fallback(kind: str, field: FieldSpec) -> str | None:
    # Waveforms may be without a unit; numbers may not.
    return shown_unit(kind, field) if field.name == "waveforms" else default_unit(kind, field)
