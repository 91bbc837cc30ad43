"""The JSON objects of API v1 as records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from gnode_orm.core.changes import OPEN
from gnode_orm.core.instants import microseconds
from gnode_orm.core.quantity import to_columns, with_unit
from gnode_orm.core.schema import META_COLUMNS, FieldSpec, FieldType
from gnode_orm.errors import StoreUnavailable, ValidationFailed
from gnode_orm.ids import decode_id
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1.places import Place, version_of
from gnode_orm.stores.rest.v1.units import Units
from gnode_orm.units import unit_of
from gnode_orm.wire.kinds import WireKind, wire_kind

Json = dict[str, Any]
Record = tuple[Any, ...]


def read_record(kind: str, item: Any, units: Units) -> Record:
    """Read one object.

    Raises:
        StoreUnavailable: what the server sent is no such object.
    """
    try:
        return _record(wire_kind(kind), item, units)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, StoreUnavailable):
            raise
        raise StoreUnavailable(f"The server sent something else than a {kind} ({error!r})") from None


def id_of(item: Json) -> int:
    """Give the id of an object, which its address tells too."""
    return decode_id(item.get("id") or item["resource_uri"].strip("/").rpartition("/")[2])


def user_of(address: str) -> str:
    """Give the name of the user at an address."""
    return unquote(address.rstrip("/").rpartition("/")[2])


def moment(text: str) -> datetime:
    """Read a time, which is one in UTC where it does not say."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def referred(spec: FieldSpec, address: Any) -> int | None:
    """Give the id that a foreign key names: a path, or an address with any host."""
    if address is None:
        return None
    location = Location(address)
    if location.kind != spec.target:
        raise ValueError(f"{spec.name} names {address}")
    return location.number


def _record(wire: WireKind, item: Json, units: Units) -> Record:
    kind, id_, version = wire.spec.kind, id_of(item), version_of(item["guid"])
    columns: dict[str, Any] = {}
    for spec in wire.plain:
        columns[spec.name] = _plain(wire, spec, item.get(spec.name))
    for spec in wire.quantities:
        columns.update(_quantity(kind, id_, version, spec, item, units))
    for spec in wire.arrays:
        if item.get(spec.name) is not None:
            unit = units.of(kind, id_, version, spec, item.get(f"{spec.name}__unit"))
            columns[f"{spec.name}_hash"] = Place(kind, id_, spec.name, version).name
            columns[f"{spec.name}_type"] = f"{OPEN} {_unit_text(unit)}" if unit else OPEN
    for spec in wire.refs:
        columns[f"{spec.name}_id"] = referred(spec, item.get(spec.name))
    if kind == "section" and columns["section_id"] is not None:
        columns["document_id"] = None  # the protocol names the document of the whole tree
    if wire.is_root:
        columns["safety_level"] = item.get("safety_level", 3)
    created = microseconds(moment(item["date_created"]))
    owner = user_of(item["owner"])
    return (id_, version, created, owner, *map(columns.get, wire.spec.record_columns[len(META_COLUMNS) :]))


def _plain(wire: WireKind, spec: FieldSpec, value: Any) -> Any:
    if value is None or (value == "" and spec.name in wire.never_null):
        return None
    return _READ[spec.type](value)


def _date(text: str) -> str:
    return moment(text).date().isoformat()


_READ: dict[FieldType, Callable[[Any], Any]] = {
    FieldType.TEXT: str,
    FieldType.INTEGER: int,
    FieldType.BOOLEAN: int,
    FieldType.DATE: _date,
    FieldType.DATETIME: lambda text: moment(text).isoformat(),
}


def _quantity(kind: str, id_: int, version: int, spec: FieldSpec, item: Json, units: Units) -> Json:
    value = item.get(spec.name)
    if value is None:
        return {}
    text = units.of(kind, id_, version, spec, item.get(f"{spec.name}__unit"))
    units.doubt(kind, id_, version, spec)
    number, unit, _ = to_columns(with_unit(float(value), unit_of(_unit_text(text or ""))))
    return {spec.name: number, f"{spec.name}_unit": unit}


def _unit_text(text: str) -> str:
    # The protocol checks no units. A text that is none must not hide the object, nor pass for a unit.
    try:
        return unit_of(text).text
    except ValidationFailed:
        return "dimensionless"
