"""The HDF5 delta of ``in_bulk``: one group an object, with its JSON and a dataset for each of its arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gnode_orm.core.schema import SCHEMA
from gnode_orm.errors import ValidationFailed
from gnode_orm.ids import decode_id
from gnode_orm.location import NAMESPACES, Location
from gnode_orm.topology import topological_order
from gnode_orm.wire import hdf5, json_text
from gnode_orm.wire.hdf5_tree import Dataset
from gnode_orm.wire.kinds import wire_kind

TEMPORARY = "TEMP"
_JSON = "json"
_MAX_JSON = 1 << 20


@dataclass(eq=False)
class DeltaObject:
    """One object of a delta; ``id`` is ``TEMP...`` for a new one."""

    kind: str
    id: str
    body: dict[str, Any]
    arrays: dict[str, hdf5.DatasetSource] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        return self.id.startswith(TEMPORARY)

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.id

    def __repr__(self) -> str:
        return f"{self.kind}/{self.id}"


def read_delta(content: hdf5.Content, file_size: int) -> list[DeltaObject]:
    """Read a delta; parents stand before their children.

    Raises:
        ValidationFailed: a group that is no object, an unknown ``TEMP`` id.
        CycleError: objects that are each other's parents.
    """
    allowance = hdf5.Allowance(file_size)
    objects = [_object(name, members, content, allowance) for name, members in content.tree.groups().items()]
    if not objects:
        raise ValidationFailed("The delta holds no object")
    by_key = {item.key: item for item in objects}
    return topological_order(objects, lambda item: [by_key[key] for key in _parents(item, by_key)])


def top_object(objects: list[DeltaObject]) -> DeltaObject:
    """Give the object that the answer shows: the first by name of those without a parent in the delta."""
    by_key = {item.key: item for item in objects}
    return min((item for item in objects if not list(_parents(item, by_key))), key=_group_name)


def bare_id(kind: str, sent: Any) -> str | None:
    """Give the id, real or temporary, in what a foreign key was sent as; ``None`` where there is none."""
    if isinstance(sent, dict):
        sent = sent.get("pk")
    if not isinstance(sent, str):
        return None
    if "/" not in sent:
        return sent
    try:
        location = Location(sent)
    except ValidationFailed:
        return None
    return location.id if location.kind == kind else None


def _object(name: str, members: list[str], content: hdf5.Content, allowance: hdf5.Allowance) -> DeltaObject:
    kind, id_ = _address(name)
    item = DeltaObject(kind, id_, {})
    arrays = {field.name for field in wire_kind(kind).arrays}
    for member in members:
        dataset = content.tree.dataset(f"{name}/{member}")
        if dataset is None:
            raise ValidationFailed(f"{name}/{member} is not a dataset")
        if member == _JSON:
            item.body = _body(name, dataset, content, allowance)
        elif member in arrays:
            item.arrays[member] = hdf5.DatasetSource(dataset, content, allowance)
    if _JSON not in members:
        raise ValidationFailed(f"{name} is no group with a dataset 'json'")
    return item


def _address(name: str) -> tuple[str, str]:
    parts = name.split("-")
    if len(parts) != 7 or parts[0] or parts[6] or parts[1:3] != ["api", "v1"] or parts[4] not in SCHEMA:
        raise ValidationFailed(
            f"{name!r} is not a location with '-' for '/', such as -api-v1-electrophysiology-block-TEMP1-"
        )
    namespace, kind, id_ = parts[3:6]
    if NAMESPACES[kind] != namespace:
        raise ValidationFailed(f"{name!r}: {kind} belongs to the namespace {NAMESPACES[kind]!r}")
    if not id_.startswith(TEMPORARY):
        decode_id(id_)
    return kind, id_


def _body(name: str, dataset: Dataset, content: hdf5.Content, allowance: hdf5.Allowance) -> dict[str, Any]:
    body = json_text.loads(hdf5.read_text(dataset, _MAX_JSON, content, allowance).encode())
    if not isinstance(body, dict):
        raise ValidationFailed(f"{name}: a JSON object is needed in 'json'")
    return body


def _group_name(item: DeltaObject) -> str:
    return str(Location.of(item.kind, item.id)).replace("/", "-")


def _parents(item: DeltaObject, by_key: dict[tuple[str, str], DeltaObject]) -> Iterator[tuple[str, str]]:
    for kind, sent in _sent_parents(item):
        id_ = bare_id(kind, sent)
        if id_ is None:
            continue
        if (kind, id_) in by_key:
            yield kind, id_
        elif id_.startswith(TEMPORARY):
            raise ValidationFailed(f"{item!r} names {kind}/{id_}, which the delta does not hold")


def _sent_parents(item: DeltaObject) -> Iterator[tuple[str, Any]]:
    for ref in wire_kind(item.kind).refs:
        yield ref.target or "", item.body.get(ref.name)
    if item.kind == "recordingchannel":
        groups = item.body.get("recordingchannelgroup")
        for sent in groups if isinstance(groups, list) else [groups]:
            yield "recordingchannelgroup", sent
