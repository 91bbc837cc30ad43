"""Names for what a server of API v1 names itself: revision ids as versions, and arrays by the place where they stand.

A record names an array by 32 bytes. Here they are no hash but a place: kind, object, field and the revision of the
object, so that the name needs no table and a changed object never gives an old array.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gnode_orm.core.changes import Version
from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import StoreUnavailable
from gnode_orm.location import Location

_GUID = re.compile(r"[0-9a-f]{32}")
# Six bytes that no content hash begins with, but by a chance of 1 in 2**48.
_MARK = b"\x00v1\x00at"
_MAX = 2**128 - 1


def version_of(guid: object) -> Version:
    """Give a revision id as a number.

    Raises:
        StoreUnavailable: the server gives something else.
    """
    if not isinstance(guid, str) or _GUID.fullmatch(guid) is None or int(guid, 16) == 0:
        raise StoreUnavailable(f"The server gives {guid!r} for a revision id; 32 hex digits were expected")
    return int(guid, 16)


def guid_of(version: Version) -> str:
    """Give the revision id of a version."""
    return f"{version:032x}"


class Place(NamedTuple):
    """Where an array stands: the field of one revision of an object."""

    kind: str
    id: int
    field: str
    version: Version

    @property
    def address(self) -> str:
        """The path of its data file."""
        return f"{Location.of_number(self.kind, self.id)}{self.field}/"

    @property
    def name(self) -> bytes:
        """The place as the 32 bytes by which a record names an array."""
        kind = list(SCHEMA).index(self.kind)
        field = [item.name for item in SCHEMA[self.kind].arrays].index(self.field)
        return b"".join((_MARK, bytes((kind, field)), self.id.to_bytes(8), self.version.to_bytes(16)))

    def __str__(self) -> str:
        return f"{SCHEMA[self.kind].class_name}.{self.field} at {Location.of_number(self.kind, self.id)}"


def place_of(name: bytes) -> Place | None:
    """Read a name; ``None`` for the content hash of an array."""
    if not name.startswith(_MARK):
        return None
    kind = list(SCHEMA)[name[6]]
    field = SCHEMA[kind].arrays[name[7]].name
    return Place(kind, int.from_bytes(name[8:16]), field, int.from_bytes(name[16:]) & _MAX)
