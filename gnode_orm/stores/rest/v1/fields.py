"""What the server says of the fields of each kind: which there are, and which of them must have a value."""

from __future__ import annotations

import threading

from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import StoreUnavailable
from gnode_orm.stores.rest.v1.connection import V1Connection
from gnode_orm.wire.kinds import wire_kind

CHANNEL_GROUPS = "recordingchannelgroup"
"""Key under which a channel names its groups."""


class ServerFields:
    """The server's own description of its fields, read once for each kind that is used."""

    def __init__(self, connection: V1Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, bool]] = {}

    def has(self, kind: str, name: str) -> bool:
        """Whether the server knows a field: filters with other names are ignored, and their values are lost."""
        return name in self._of(kind)

    def needs(self, kind: str, name: str) -> bool:
        """Whether an object without this field is refused."""
        if kind == "recordingchannel" and name == CHANNEL_GROUPS:
            # Described as any collection, and yet a channel without a group fails on servers that forget its groups.
            return not self._of("segment").get("block", False)
        return name in self._of(kind) and not self._of(kind)[name]

    def _of(self, kind: str) -> dict[str, bool]:
        with self._lock:
            if kind not in self._known:
                self._known[kind] = self._read(kind)
            return self._known[kind]

    def _read(self, kind: str) -> dict[str, bool]:
        described = self._connection.read(f"{wire_kind(kind).path}schema/")
        try:
            return {str(name): bool(field["nullable"]) for name, field in described["fields"].items()}
        except (KeyError, TypeError, AttributeError):
            class_name = SCHEMA[kind].class_name
            raise StoreUnavailable(f"{self._connection.address} does not describe its {class_name}") from None
