"""A change set as the HDF5 file of ``in_bulk``: one group an object, with its JSON and a dataset for each array.

The server goes through the groups by name and puts off what has its parents in the file, for ever where these form a
ring. Numbers with leading zeros in the temporary ids keep siblings in the order in which they were made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Any

from gnode_orm.core import quantity
from gnode_orm.core.changes import ArrayRef, ArraySource, ChangeSet
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, KindSpec
from gnode_orm.errors import CycleError, IntegrityError
from gnode_orm.ids import encode_id
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1.fields import CHANNEL_GROUPS
from gnode_orm.topology import topological_order
from gnode_orm.units import unit_of_quantity
from gnode_orm.wire import hdf5
from gnode_orm.wire.delta import TEMPORARY
from gnode_orm.wire.kinds import WireKind, wire_kind

Key = tuple[str, int]
Open = Callable[[ArrayRef], ArraySource]


@dataclass
class Sent:
    """One object as it is sent.

    Attributes:
        id: id of a stored object, or of a new one until the server gives it another.
        body: JSON of what is set.
        arrays: new data, by field.
        units: unit of each number and array that is sent.
        parents: by foreign key, kind and id of each object above it that is named.
    """

    kind: str
    id: int
    is_new: bool
    body: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, ArrayRef] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    parents: dict[str, Key] = field(default_factory=dict)
    groups: list[int] | None = None

    @property
    def key(self) -> Key:
        return self.kind, self.id

    def __repr__(self) -> str:
        return f"new {SCHEMA[self.kind].class_name}" if self.is_new else str(Location.of_number(self.kind, self.id))


def objects_of(changes: ChangeSet, groups: Mapping[int, list[int]]) -> list[Sent]:
    """Give what a change set sends, parents first; ``groups`` are those that each changed channel shall have.

    Raises:
        CycleError: objects that would stand below themselves.
    """
    found: dict[Key, Sent] = {}
    for kind, rows in changes.creates.items():
        spec = SCHEMA[kind]
        for row in rows:
            item = Sent(kind, row[0], True)
            _fill(item, spec, dict(zip(spec.write_columns, row[1:], strict=True)))
            found[item.key] = item
    for update in changes.updates:
        item = found.setdefault((update.kind, update.id), Sent(update.kind, update.id, False))
        _fill(item, SCHEMA[update.kind], update.values)
    for channel, members in groups.items():
        key = ("recordingchannel", channel)
        found.setdefault(key, Sent(*key, False)).groups = members
    ordered = topological_order(list(found), lambda key: _above(found[key]))
    return [found[key] for key in ordered]


def _above(item: Sent) -> list[Key]:
    return [*item.parents.values(), *(("recordingchannelgroup", id_) for id_ in item.groups or ())]


def _fill(item: Sent, spec: KindSpec, columns: Mapping[str, Any]) -> None:
    wire = wire_kind(spec.kind)
    shown = {*wire.plain, *wire.quantities, *wire.arrays, *wire.refs}
    for one in spec.fields:
        if one.write_columns[0] in columns and (one in shown or one.name == "safety_level"):
            _WRITE[one.type](item, wire, one, columns)


def _plain(item: Sent, wire: WireKind, spec: FieldSpec, columns: Mapping[str, Any]) -> None:
    value = columns[spec.name]
    if spec.name in wire.never_null and value is None:
        value = ""
    elif (value is None and item.is_new) or (spec.name == "safety_level" and not wire.is_root):
        return
    elif value is not None and spec.type is FieldType.BOOLEAN:
        value = bool(value)
    elif value is not None and spec.type is FieldType.DATETIME:
        value = _in_utc(value)
    item.body[spec.name] = value


def _in_utc(text: str) -> str:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)).isoformat()


def _quantity(item: Sent, wire: WireKind, spec: FieldSpec, columns: Mapping[str, Any]) -> None:
    value = quantity.from_columns(columns[spec.name], columns[f"{spec.name}_unit"])
    if value is None:
        if not item.is_new:
            item.body[spec.name] = None
        return
    unit = unit_of_quantity(value).text
    item.body[spec.name] = float(value.magnitude.reshape(-1)[0])
    item.body[f"{spec.name}__unit"] = item.units[spec.name] = unit


def _array(item: Sent, wire: WireKind, spec: FieldSpec, columns: Mapping[str, Any]) -> None:
    hash_ = columns[f"{spec.name}_hash"]
    if hash_ is None:
        return
    ref = ArrayRef.from_columns(hash_, columns[f"{spec.name}_type"])
    item.arrays[spec.name] = ref
    if ref.unit is not None:
        item.body[f"{spec.name}__unit"] = item.units[spec.name] = ref.unit


def _reference(item: Sent, wire: WireKind, spec: FieldSpec, columns: Mapping[str, Any]) -> None:
    id_ = columns[f"{spec.name}_id"]
    if id_ is not None:
        item.parents[spec.name] = (spec.target or "", id_)


_WRITE: dict[FieldType, Callable[[Sent, WireKind, FieldSpec, Mapping[str, Any]], None]] = {
    FieldType.TEXT: _plain,
    FieldType.INTEGER: _plain,
    FieldType.BOOLEAN: _plain,
    FieldType.DATE: _plain,
    FieldType.DATETIME: _plain,
    FieldType.QUANTITY: _quantity,
    FieldType.ARRAY: _array,
    FieldType.REF: _reference,
}


def refuse_rings(objects: list[Sent], above: Mapping[Key, list[Key]]) -> None:
    """Refuse sections that would stand below themselves; ``above`` has the section above each stored one."""
    parents = dict(above) | {item.key: list(item.parents.values()) for item in objects if item.kind == "section"}
    try:
        topological_order(list(parents), lambda key: parents.get(key, []))
    except CycleError as error:
        raise CycleError(f"A section cannot stand inside itself; nothing was written. {error}", error.cycle) from None


def write_delta(file: IO[bytes], objects: list[Sent], open_array: Open) -> None:
    """Write the file."""
    import h5py

    names = {item.key: _temporary(number) for number, item in enumerate(objects) if item.is_new}
    text = h5py.string_dtype("ascii")
    with h5py.File(file, "w") as root:
        for item in objects:
            group = root.create_group(_group_name(item, names))
            # ASCII with escapes, and no zone or unit that was not set: what readers of then take.
            group.create_dataset("json", data=json.dumps(_body(item, names)), dtype=text)
            for name, ref in item.arrays.items():
                hdf5.write_dataset(group, name, open_array(ref))


def _temporary(number: int) -> str:
    return f"{TEMPORARY}{number + 1:012d}"


def _group_name(item: Sent, names: Mapping[Key, str]) -> str:
    location = Location.of(item.kind, names.get(item.key) or encode_id(item.id))
    return str(location).replace("/", "-")


def _body(item: Sent, names: Mapping[Key, str]) -> dict[str, Any]:
    body = dict(item.body)
    for name, (kind, id_) in item.parents.items():
        body[name] = names.get((kind, id_)) or encode_id(id_)
    if item.groups is not None:
        body[CHANNEL_GROUPS] = [names.get(("recordingchannelgroup", id_)) or encode_id(id_) for id_ in item.groups]
    return body


def channel_groups(changes: ChangeSet, known: Mapping[int, list[int]]) -> dict[int, list[int]]:
    """Give the groups that each channel shall have whose memberships a change set changes."""
    groups: dict[int, list[int]] = {}
    for link in changes.links:
        members = groups.setdefault(link.channel, list(known.get(link.channel, ())))
        if link.added and link.group not in members:
            members.append(link.group)
        elif not link.added and link.group in members:
            members.remove(link.group)
    for channel, members in groups.items():
        if not members and channel in known and known[channel]:
            raise IntegrityError(
                f"RecordingChannel at {Location.of_number('recordingchannel', channel)} would be in no group, which "
                "the server does not take; put it into another group"
            )
    return groups


def stored_parents(objects: list[Sent]) -> Iterator[tuple[Sent, str, Key]]:
    """Give the parents that are not in the file: the object that names one, the foreign key, and the parent."""
    inside = {item.key for item in objects if item.is_new}
    for item in objects:
        named = [*item.parents.items(), *((CHANNEL_GROUPS, (CHANNEL_GROUPS, id_)) for id_ in item.groups or ())]
        for name, key in named:
            if key not in inside:
                yield item, name, key
