"""Records as the JSON objects of API v1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from gnode_orm.core import quantity
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.instants import from_microseconds
from gnode_orm.core.schema import FieldSpec, FieldType
from gnode_orm.core.typed_json import decode
from gnode_orm.ids import encode_id
from gnode_orm.location import Location
from gnode_orm.units import unit_of_quantity
from gnode_orm.wire.kinds import WireKind, shown_unit, wire_kind

Record = tuple[Any, ...]
Columns = dict[str, Any]

WAITING_UNITS = "v1_units"
"""Key in ``ext`` for units that came ahead of their arrays: the protocol sends an object first, then its data."""


@dataclass
class Surroundings:
    """What an object shows of others.

    Attributes:
        sets: ids of the members, by key of the collection and object.
        groups: ids of the groups of each channel.
        documents: id of the document of each section.
        levels: level of the block or document above each object.
    """

    sets: dict[str, dict[int, list[int]]] = field(default_factory=dict)
    groups: dict[int, list[int]] = field(default_factory=dict)
    documents: dict[int, int | None] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)


# A document has a field of the name of a meta column, so these go by names that no field has.
_META = ("id", "rev", "born", "owner")


def columns_of(kind: str, record: Record) -> Columns:
    """Give the columns of a record by name; ``rev`` is its version, ``born`` that of its creation."""
    fields = wire_kind(kind).spec.record_columns[len(_META) :]
    return dict(zip((*_META, *fields), record, strict=True))


def render(
    kind: str, record: Record, around: Surroundings, base: str, guid: Callable[[str, int, int], str]
) -> dict[str, Any]:
    """Give the JSON object of a record; ``base`` is the scheme and host that addresses begin with."""
    wire = wire_kind(kind)
    columns = columns_of(kind, record)
    id_ = columns["id"]
    location = str(Location.of_number(kind, id_))
    out: dict[str, Any] = {
        "id": encode_id(id_),
        "local_id": encode_id(id_),
        "location": location,
        "resource_uri": location,
        "guid": guid(kind, id_, columns["rev"]),
        "date_created": naive_text(from_microseconds(columns["born"])),
        "owner": f"{base}{user_path(columns['owner'])}",
        "safety_level": columns["safety_level"] if wire.is_root else around.levels.get(id_, 3),
    }
    out.update(own_values(wire, columns))
    for array in wire.arrays:
        out[array.name] = f"{base}{location}{array.name}/"
    for ref in wire.refs:
        parent = around.documents.get(id_) if (kind, ref.name) == ("section", "document") else columns[f"{ref.name}_id"]
        out[ref.name] = None if parent is None else f"{base}{Location.of_number(ref.target or '', parent)}"
    for key, relation in wire.sets.items():
        out[key] = _addresses(base, relation.kind, around.sets.get(key, {}).get(id_, ()))
    if kind == "recordingchannel":
        out["recordingchannelgroup"] = _addresses(base, "recordingchannelgroup", around.groups.get(id_, ()))
    return out


def own_values(wire: WireKind, columns: Mapping[str, Any]) -> dict[str, Any]:
    """Give what an object shows of its own: plain values, numbers with units, and the sizes and units of arrays."""
    out: dict[str, Any] = {}
    for item in wire.plain:
        out[item.name] = plain_value(item, columns[item.name])
        if out[item.name] is None and item.name in wire.never_null:
            out[item.name] = ""
    for item in wire.quantities:
        out[item.name], unit = number_and_unit(columns, item)
        out[f"{item.name}__unit"] = unit or shown_unit(wire.spec.kind, item)
    if wire.arrays:
        out["data_size"] = _data_size(wire, columns)
    for item in wire.arrays:
        if item.name != "labels":
            out[f"{item.name}__unit"] = array_unit(wire, columns, item)
    return out


def number_and_unit(columns: Mapping[str, Any], spec: FieldSpec) -> tuple[float | None, str | None]:
    """Give a quantity's number and unit."""
    value = quantity.from_columns(columns[spec.name], columns[f"{spec.name}_unit"])
    if value is None:
        return None, None
    return float(value.magnitude.reshape(-1)[0]), unit_of_quantity(value).text


def array_ref(columns: Mapping[str, Any], spec: FieldSpec) -> ArrayRef | None:
    """Give the name of a stored array."""
    hash_ = columns[f"{spec.name}_hash"]
    return None if hash_ is None else ArrayRef.from_columns(hash_, columns[f"{spec.name}_type"])


def array_unit(wire: WireKind, columns: Mapping[str, Any], spec: FieldSpec) -> str | None:
    """Give the unit of an array: that of the stored one, or the one that waits for it."""
    ref = array_ref(columns, spec)
    if ref is not None:
        return ref.unit
    return waiting_units(columns).get(spec.name, shown_unit(wire.spec.kind, spec))


def waiting_units(columns: Mapping[str, Any]) -> dict[str, str]:
    """Give the units that came ahead of their arrays."""
    ext = decode(columns["ext"]) if columns.get("ext") else {}
    return dict(ext.get(WAITING_UNITS, {}))


def plain_value(spec: FieldSpec, value: Any) -> Any:
    """Give a plain column as JSON."""
    if value is None:
        return None
    if spec.type is FieldType.BOOLEAN:
        return bool(value)
    if spec.type is FieldType.DATETIME:
        return naive_text(datetime.fromisoformat(value))
    return value


def naive_text(moment: datetime) -> str:
    """Write a time in UTC without saying so, as the protocol has it."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat()


def user_path(name: str) -> str:
    """The address of a user."""
    return f"/api/v1/user/user/{name}/"


def _addresses(base: str, kind: str, ids: Sequence[int]) -> list[str]:
    return [f"{base}{Location.of_number(kind, id_)}" for id_ in ids]


def _data_size(wire: WireKind, columns: Mapping[str, Any]) -> int | None:
    refs = [array_ref(columns, item) for item in wire.arrays]
    stored = [ref.nbytes for ref in refs if ref is not None]
    return sum(stored) if stored else None
