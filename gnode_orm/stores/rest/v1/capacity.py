"""What a server of API v1 can keep of a change set; what it cannot is said before anything is sent."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from gnode_orm.core import quantity
from gnode_orm.core.changes import ChangeSet, Link, Update
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, KindSpec, known_kind
from gnode_orm.errors import LeftOutWarning, UnsupportedByStore, ValidationFailed
from gnode_orm.location import Location
from gnode_orm.stores.rest.v1.fields import CHANNEL_GROUPS, ServerFields
from gnode_orm.units import unit_of_quantity
from gnode_orm.wire.kinds import WireKind, wire_kind

MAX_TEXT, MAX_UNIT = 100, 10
_LONGEST = {"description": 1024, "type": 50}
_WHOLE = range(-(2**31), 2**31)
_SHOWN = 5
_REMEDIES = {
    "annotations": "keep them as odML: metadata of the block or segment",
    "array_annotations": "leave them out, or use a server of this package",
    "file_origin": "set it to None, or write it into the description",
    "rec_datetime": "use filedatetime, or a property of the metadata",
    "metadata": "it keeps metadata of blocks and segments alone",
    "gain": "store physical values",
    "offset": "store physical values",
}


def check(changes: ChangeSet, fields: ServerFields, target: str) -> None:
    """Refuse what the server would lose.

    Raises:
        UnsupportedByStore: names each object, field and value, and what to do.
        ValidationFailed: a change set that no store takes.
    """
    found = [
        f"{what}: {why}" for what, why in [*_in_creates(changes, fields), *_in_updates(changes, fields)]
    ]  # fmt: skip
    if not found:
        _warn_of_left_out(changes, fields, target)
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise UnsupportedByStore(
            f"{target} speaks API v1 alone, which has no room for this; nothing was sent. "
            + "; ".join(found[:_SHOWN])
            + more
        )


def _warn_of_left_out(changes: ChangeSet, fields: ServerFields, target: str) -> None:
    """Tell of ``ext``, which users do not set: converters keep there what the fields have no place for."""
    kinds = [
        kind for kind, rows in changes.creates.items() if "ext" in SCHEMA[kind].by_name and not fields.has(kind, "ext")
        and any(row[1 + SCHEMA[kind].write_columns.index("ext")] for row in rows)
    ]  # fmt: skip
    if kinds:
        names = ", ".join(SCHEMA[kind].class_name for kind in kinds)
        warnings.warn(
            f"{target} speaks API v1 alone, which has no room for what neo and odML objects have beyond the fields "
            f"(ext of {names}); the rest is written",
            LeftOutWarning,
            stacklevel=2,
        )


def _in_creates(changes: ChangeSet, fields: ServerFields) -> Iterator[tuple[str, str]]:
    grouped = {link.channel for link in changes.links if link.added}
    for kind, rows in changes.creates.items():
        spec = known_kind(kind)
        for row in rows:
            if len(row) != 1 + len(spec.write_columns):
                raise ValidationFailed(
                    f"A row of {kind} has {len(row)} columns; {1 + len(spec.write_columns)} are needed"
                )
            columns = dict(zip(spec.write_columns, row[1:], strict=True))
            what = _named(spec, columns)
            for field in spec.fields:
                for why in _of_field(spec, field, columns, fields, new=True):
                    yield f"{what}.{field.name}", why
            if kind == "recordingchannel" and fields.needs(kind, CHANNEL_GROUPS) and row[0] not in grouped:
                yield (
                    f"{what}.recordingchannelgroups",
                    "a channel needs a group when it is made; append it to one first",
                )
            alone = kind == "section" and columns["document_id"] is None and columns["section_id"] is None
            if alone and fields.needs(kind, "document"):
                yield f"{what}.document", "a section needs a document or a section above it; set one first"


def _in_updates(changes: ChangeSet, fields: ServerFields) -> Iterator[tuple[str, str]]:
    for update in changes.updates:
        spec = known_kind(update.kind)
        _check_columns(spec, update)
        what = f"{spec.class_name} at {Location.of_number(update.kind, update.id)}"
        for field in spec.fields:
            if field.write_columns[0] in update.values:
                for why in _of_field(spec, field, update.values, fields, new=False):
                    yield f"{what}.{field.name}", why


def _check_columns(spec: KindSpec, update: Update) -> None:
    from gnode_orm.errors import did_you_mean

    for name in update.values:
        if name not in spec.write_columns:
            raise ValidationFailed(f"{spec.kind} has no column {name!r}{did_you_mean(name, spec.write_columns)}")


def _of_field(
    spec: KindSpec, field: FieldSpec, columns: Mapping[str, Any], fields: ServerFields, *, new: bool
) -> Iterator[str]:
    value = columns[field.write_columns[0]]
    # The value of a quantity may be what no column of numbers holds.
    if value is None and not (field.type is FieldType.QUANTITY and columns[field.write_columns[1]] is not None):
        why = _without(wire_kind(spec.kind), field, columns, fields, new)
        if why:
            yield why
        return
    if field.name in ("safety_level", "ext") or (new and _is_no_rate(spec, field, columns)):
        return
    if not fields.has(spec.kind, field.name):
        yield f"there is no place for it; {_REMEDIES.get(field.name, 'set it to None')}"
    elif field.type is FieldType.TEXT:
        yield from _text(field, str(value))
    elif field.type is FieldType.INTEGER and value not in _WHOLE:
        yield f"{value} is beyond 32 bits"
    elif field.type is FieldType.QUANTITY:
        yield from _quantity(field, columns)
    elif field.type is FieldType.ARRAY:
        unit = columns[field.write_columns[1]].split(" ", 2)[2:]
        yield from _unit(unit[0] if unit else "")


def _is_no_rate(spec: KindSpec, field: FieldSpec, columns: Mapping[str, Any]) -> bool:
    """Whether a rate describes nothing: that of waveforms which a train does not have, as neo gives every train one."""
    return (spec.kind, field.name) == ("spiketrain", "sampling_rate") and columns.get("waveforms_hash") is None


def _without(
    wire: WireKind, field: FieldSpec, columns: Mapping[str, Any], fields: ServerFields, new: bool
) -> str | None:
    """Say why a field cannot be without a value."""
    kind = wire.spec.kind
    if kind == "section" and field.name == "name":
        return "a name is needed there; set it first" if fields.needs(kind, "name") else None
    if field.name in (*wire.never_null, "safety_level"):
        return None  # an empty text stands for nothing
    if field.type is FieldType.REF and not new:
        if field.name == "document" and columns.get("section_id") is not None:
            return None  # below a section, the document is that of the section
        return "a reference cannot be taken away, only set to another object; delete the object, or move it"
    if field.type is FieldType.ARRAY and not new:
        return "stored data cannot be taken away, only replaced; store an empty array"
    if kind == "section" and field.name in ("document", "section"):
        return None  # one of the two is looked at with the section
    if fields.needs(kind, field.name) and field.name not in ("is_template", "tree_position"):
        what = "an object above it" if field.type is FieldType.REF else "a value"
        return f"{what} is needed there; set it first"
    return None


def _text(field: FieldSpec, value: str) -> Iterator[str]:
    if "\0" in value:
        yield "text with a NUL character cannot be kept"
    if field.name == "data":
        return
    most = _LONGEST.get(field.name, MAX_TEXT)
    if len(value) > most:
        yield f"{len(value)} characters are too long; {most} are kept"


def _quantity(field: FieldSpec, columns: Mapping[str, Any]) -> Iterator[str]:
    value = quantity.from_columns(*(columns[name] for name in field.write_columns[:2]))
    if value.size != 1:
        yield f"{value} is no single number"
        return
    number = value.magnitude.reshape(-1)[0]
    if value.dtype.kind in "iu" and int(float(number)) != int(number):
        yield f"{value} has more digits than a float64"
    yield from _unit(unit_of_quantity(value).text)


def _unit(text: str) -> Iterator[str]:
    if len(text) > MAX_UNIT:
        yield f"the unit {text!r} is too long; {MAX_UNIT} characters are kept"


def _named(spec: KindSpec, columns: Mapping[str, Any]) -> str:
    name = columns.get("name") or columns.get("label") or columns.get("author")
    return f"{spec.class_name} {name[:40]!r}" if name else f"new {spec.class_name}"


def check_links(changes: ChangeSet, known: Mapping[int, list[int]], target: str) -> None:
    """Refuse changes of memberships that cannot be made: all groups of a channel are written together.

    ``known`` has the groups of each stored channel of which they are known.
    """
    new = {row[0] for row in changes.creates.get("recordingchannel", ())}
    for link in changes.links:
        if link.channel not in new and link.channel not in known:
            raise UnsupportedByStore(
                f"{_linked(link)}: {target} does not tell the groups of a channel, and takes them all at once; nothing "
                "was sent. Set the groups of a channel when it is made"
            )


def _linked(link: Link) -> str:
    return f"RecordingChannel at {Location.of_number('recordingchannel', link.channel)}"
