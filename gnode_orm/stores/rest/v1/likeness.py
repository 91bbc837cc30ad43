"""Whether an object of the server is like one that was sent: the server writes some values in its own way."""

from __future__ import annotations

from typing import Any

from gnode_orm.core.schema import FieldSpec, FieldType
from gnode_orm.stores.rest.v1.delta import Sent
from gnode_orm.stores.rest.v1.records import Json, moment, referred
from gnode_orm.wire.kinds import wire_kind


def shows(kind: str, item: Json, sent: Sent) -> bool:
    """Whether an object of the server shows what was sent to it."""
    wire = wire_kind(kind)
    specs = [spec for spec in (*wire.plain, *wire.quantities) if spec.name in sent.body]
    same = all(_comparable(spec, item.get(spec.name)) == _comparable(spec, sent.body[spec.name]) for spec in specs)
    refs = {spec.name: spec for spec in wire.refs}
    return same and all(
        referred(refs[name], item.get(name)) == id_ for name, (_, id_) in sent.parents.items() if name in refs
    )


def parents_of(kind: str, item: Json) -> tuple[int | None, ...]:
    """Give the ids of the parents that an object shows, in the order of its foreign keys."""
    refs = wire_kind(kind).refs
    nested = kind == "section" and item.get("section") is not None
    return tuple(None if nested and spec.name == "document" else referred(spec, item.get(spec.name)) for spec in refs)


def own_values(kind: str, body: Json) -> tuple[Any, ...]:
    """Give what an object shows of its own, in a form in which what was sent and what came back are equal."""
    wire = wire_kind(kind)
    return tuple(_comparable(spec, body.get(spec.name)) for spec in (*wire.plain, *wire.quantities))


def _comparable(spec: FieldSpec, value: Any) -> Any:
    if spec.type is FieldType.BOOLEAN or spec.name == "tree_position":
        return int(value or 0)
    if value is None or value == "":
        return None
    if spec.type is FieldType.DATETIME:
        return moment(value)
    if spec.type is FieldType.DATE:
        return moment(value).date()
    if spec.type is FieldType.QUANTITY:
        return "nan" if value != value else float(value) + 0.0
    if spec.type is FieldType.TEXT:
        host, found, rest = str(value).partition("/api/")
        # The server takes a text that begins so for an address, and puts its own name in front.
        return f"/api/{rest}" if found and (not host or host.startswith("http")) else str(value)
    return value
