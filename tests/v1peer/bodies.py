"""The JSON objects that a request writes, in a body of its own or in an HDF5 delta."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import h5py
from urllib3.filepost import encode_multipart_formdata

from gnode_orm.core.schema import SCHEMA
from gnode_orm.wire.json_text import dumps, loads
from tests.v1peer.exchange import Sent

_BOUNDARY = re.compile(r'boundary="?([^";]+)')
_FIELD = re.compile(rb'name="([^"]*)"')
_FILENAME = re.compile(rb'filename="([^"]*)"')


@dataclass(eq=False)
class Written:
    """One object to be written; ``id`` is empty for one that a list makes, ``TEMP...`` for one that a delta makes."""

    kind: str
    id: str
    body: dict[str, Any]
    arrays: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        return not self.id or self.id.startswith("TEMP")


Change = Callable[[Written], None]


def rewritten(sent: Sent, change: Change) -> Sent:
    """The request with every object that it writes changed in place; one that cannot be read stays as it is."""
    if sent.is_bulk:
        return _rewritten_bulk(sent, change)
    place = sent.place
    if place is None or place.attr or sent.method not in ("POST", "PUT", "PATCH"):
        return sent
    value = _object(sent.body)
    several = value.get("selected") if value is not None and not place.id else None
    for item in several if isinstance(several, list) else [value]:
        if isinstance(item, dict):
            change(Written(place.kind, place.id, item))
    return sent if value is None else replace(sent, body=dumps(value))


def written(sent: Sent) -> list[Written]:
    """Every object that a request writes."""
    found: list[Written] = []
    rewritten(sent, found.append)
    return found


def uploaded(sent: Sent) -> list[tuple[str, str, bytes]]:
    """The files of a multipart body: field, name of the file, bytes."""
    found = _BOUNDARY.search(sent.headers.get("content-type", ""))
    if found is None:
        return []
    files = []
    for part in (b"\r\n" + sent.body).split(b"\r\n--" + found[1].encode())[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        field, name = _FIELD.search(head), _FILENAME.search(head)
        if field and name:
            files.append((field[1].decode(), name[1].decode(), data))
    return files


def with_file(sent: Sent, field: str, name: str, data: bytes) -> Sent:
    """The request with another file."""
    body, content_type = encode_multipart_formdata([(field, (name, data, "application/octet-stream"))])
    return replace(sent, headers={**sent.headers, "content-type": content_type}, body=body)


def _rewritten_bulk(sent: Sent, change: Change) -> Sent:
    for field, name, data in uploaded(sent):
        file = io.BytesIO(data)
        try:
            with h5py.File(file, "r+") as root:
                done = [_change_group(root[key], key, change) for key in root]
        except (OSError, KeyError, AttributeError):
            return sent
        return with_file(sent, field, name, file.getvalue()) if any(done) else sent
    return sent


def _change_group(group: Any, name: str, change: Change) -> bool:
    parts = name.split("-")
    if len(parts) != 7 or parts[4] not in SCHEMA or not isinstance(group, h5py.Group) or "json" not in group:
        return False
    text = group["json"][()]
    body = _object(text if isinstance(text, bytes) else str(text).encode())
    if body is None:
        return False
    before = json.dumps(body)
    change(Written(parts[4], parts[5], body, tuple(key for key in group if key != "json")))
    if json.dumps(body) == before:
        return False
    del group["json"]
    group.create_dataset("json", data=dumps(body).decode(), dtype=h5py.string_dtype())
    return True


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
