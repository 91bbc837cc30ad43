"""JSON objects of API v1 as the columns that they change.

The protocol merges: a key that is left out keeps its value, and so does a foreign key that is null. Values go through
the validators of the models. Numbers come apart from their units, so both are put together here; what is sent back as
it was shown changes nothing, which keeps values exact that JSON shows rounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from gnode_orm.core import quantity
from gnode_orm.core.codec import to_columns
from gnode_orm.core.failures import translated
from gnode_orm.core.schema import FieldSpec, FieldType
from gnode_orm.core.shortened import brief
from gnode_orm.core.typed_json import decode, encode
from gnode_orm.errors import ValidationFailed
from gnode_orm.ids import encode_id
from gnode_orm.models import MODELS
from gnode_orm.units import unit_of
from gnode_orm.wire.delta import bare_id
from gnode_orm.wire.kinds import WireKind, default_unit, wire_kind
from gnode_orm.wire.rendering import WAITING_UNITS, array_ref, array_unit, own_values, waiting_units

Resolve = Callable[[str, Any, str], int]
"""Gives the id of a parent from kind, what was sent, and the name of the foreign key."""

TREE_DOCUMENT = "tree_document"
"""Name beside the columns of a section for the document at the top of its tree."""

_GERMAN_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


class BadRequest(ValidationFailed):
    """A value that the protocol answers with 400: a foreign key or a time that cannot be read."""


@dataclass
class Parsed:
    """What a JSON object asks for.

    Attributes:
        columns: write columns to set.
        groups: for a channel, the groups that it shall belong to; ``None`` leaves them.
    """

    columns: dict[str, Any] = field(default_factory=dict)
    groups: list[int] | None = None


def parse(kind: str, body: Any, now: Mapping[str, Any] | None, resolve: Resolve) -> Parsed:
    """Read a JSON object; ``now`` are the columns of the stored object, or ``None`` for a new one.

    Raises:
        ValidationFailed: a value that a field does not take.
    """
    wire = wire_kind(kind)
    if not isinstance(body, dict):
        raise ValidationFailed(f"A JSON object is needed, not {brief(body)}", entity=wire.spec.class_name, value=body)
    before = now if now is not None else no_columns(wire)
    shown = own_values(wire, before)
    parsed = Parsed()
    for item in wire.plain:
        if item.name in body and (now is None or body[item.name] != shown[item.name]):
            _set(parsed, kind, item, _plain(kind, item, body[item.name]))
    for item in wire.quantities:
        _take_quantity(parsed, wire, item, body, shown)
    _take_level(parsed, wire, body)
    _take_array_units(parsed, wire, body, before)
    _take_parents(parsed, wire, body, before, resolve)
    if kind == "spiketrain":
        _check_train({**before, **parsed.columns})
    return parsed


def no_columns(wire: WireKind) -> dict[str, Any]:
    """Give the columns of an object of which nothing is known."""
    return dict.fromkeys(wire.spec.write_columns)


def validated(kind: str, spec: FieldSpec, value: Any) -> Any:
    """Put a value through its field's own validator."""
    cls: Any = MODELS[kind]
    try:
        return cls.__validators__[spec.name](value)
    except ValidationError as error:
        raise translated(cls, error, field=spec.name) from None


def _set(parsed: Parsed, kind: str, spec: FieldSpec, value: Any) -> None:
    if value is None and kind == "section" and spec.name in ("tree_position", "is_template"):
        return  # null leaves what cannot be null
    columns = to_columns(spec, validated(kind, spec, value))
    parsed.columns.update(zip(spec.write_columns, columns, strict=True))


def _plain(kind: str, spec: FieldSpec, value: Any) -> Any:
    return None if value is None else _COERCE[spec.type](kind, spec, value)


def _text(kind: str, spec: FieldSpec, value: Any) -> Any:
    return str(value) if isinstance(value, int | float) else value


def _integer(kind: str, spec: FieldSpec, value: Any) -> Any:
    try:
        return int(value) if isinstance(value, str | int | float) else value
    except (ValueError, OverflowError):
        return value  # the validator says what is wrong with it


def _datetime(kind: str, spec: FieldSpec, value: Any) -> Any:
    try:
        return read_time(value)
    except (TypeError, ValueError, OverflowError):
        text = f"Datetime provided to '{spec.name}' field doesn't appear to be a valid datetime string: {brief(value)}"
        raise BadRequest(text, entity=MODELS[kind].__name__, field=spec.name, value=value) from None


def _date(kind: str, spec: FieldSpec, value: Any) -> Any:
    return _datetime(kind, spec, value).date()


def read_time(text: str) -> datetime:
    """Read a time in any form of ISO 8601, or a date."""
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not text")
    german = _GERMAN_DATE.fullmatch(text.strip())
    if german is not None:
        return datetime(int(german[3]), int(german[2]), int(german[1]))  # noqa: DTZ001 (the protocol has no zones)
    moment = datetime.fromisoformat(text.strip())
    # Columns count microseconds in UTC, which must exist at both ends of the calendar.
    (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return moment


_COERCE: dict[FieldType, Callable[[str, FieldSpec, Any], Any]] = {
    FieldType.TEXT: _text,
    FieldType.INTEGER: _integer,
    FieldType.BOOLEAN: lambda kind, spec, value: value,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
}


def _take_quantity(
    parsed: Parsed, wire: WireKind, spec: FieldSpec, body: Mapping[str, Any], shown: Mapping[str, Any]
) -> None:
    key = f"{spec.name}__unit"
    given = {name: body[name] for name in (spec.name, key) if name in body and not (name == key and not body[name])}
    if not given or all(_same(value, shown[name]) for name, value in given.items()):
        return
    kind = wire.spec.kind
    value = body.get(spec.name, shown[spec.name])
    if value is None:
        _set(parsed, kind, spec, None)
        return
    unit = given.get(key) or (shown[key] if shown[spec.name] is not None else None) or default_unit(kind, spec)
    _set(parsed, kind, spec, (_number(wire, spec, value), unit))


def _same(one: Any, other: Any) -> bool:
    return one is other or (type(one) is not bool and one == other) or (one != one and other != other)


def _number(wire: WireKind, spec: FieldSpec, value: Any) -> float:
    try:
        if not isinstance(value, bool | list | dict):
            return float(value)
    except (TypeError, ValueError, OverflowError):
        pass
    name = wire.spec.class_name
    raise ValidationFailed(
        f"{name}.{spec.name}: {brief(value)} is not a number", entity=name, field=spec.name, value=value
    )


def _take_level(parsed: Parsed, wire: WireKind, body: Mapping[str, Any]) -> None:
    level = body.get("safety_level")
    if not wire.is_root or level is None:
        return
    level = _integer(wire.spec.kind, wire.spec.by_name["safety_level"], level)
    if level not in (1, 2, 3) or isinstance(level, bool):
        name = wire.spec.class_name
        raise ValidationFailed(
            f"{name}.safety_level: {brief(level)} is not a level; use 1 (public), 2 (friendly) or 3 (private)",
            entity=name,
            field="safety_level",
            value=level,
        )
    parsed.columns["safety_level"] = level


def _take_array_units(parsed: Parsed, wire: WireKind, body: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    waiting = waiting_units(before)
    known = dict(waiting)
    for item in wire.arrays:
        text = body.get(f"{item.name}__unit")
        if not text or item.name == "labels" or text == array_unit(wire, before, item):
            continue
        unit = checked_unit(wire.spec.kind, item, text)
        ref = array_ref(before, item)
        if ref is None:
            waiting[item.name] = unit
        elif ref.unit != unit:
            parsed.columns[f"{item.name}_hash"] = ref.hash
            parsed.columns[f"{item.name}_type"] = type(ref)(ref.hash, ref.dtype, ref.shape, unit).type_text
    if waiting != known:
        parsed.columns["ext"] = with_waiting_units(before, waiting)


def checked_unit(kind: str, spec: FieldSpec, text: Any) -> str:
    """Give a unit in its canonical spelling, if the field can have it."""
    name = MODELS[kind].__name__
    try:
        unit = unit_of(text)
        quantity.check_dimension(unit, spec.dimension, text)
    except ValidationFailed as error:
        raise ValidationFailed(f"{name}.{spec.name}: {error}", entity=name, field=spec.name, value=text) from None
    return unit.text


def with_waiting_units(before: Mapping[str, Any], waiting: Mapping[str, str]) -> str | None:
    """Give the column ``ext`` with the units that wait for their arrays."""
    ext = dict(decode(before["ext"])) if before.get("ext") else {}
    ext.pop(WAITING_UNITS, None)
    if waiting:
        ext[WAITING_UNITS] = dict(waiting)
    return encode(ext) if ext else None


def _take_parents(
    parsed: Parsed, wire: WireKind, body: Mapping[str, Any], before: Mapping[str, Any], resolve: Resolve
) -> None:
    kind = wire.spec.kind
    for ref in wire.refs:
        sent = body.get(ref.name)
        # Clients send back what they read, also when what it leads to is not shared with them any more.
        if sent is not None and not (kind != "section" and _is_as_before(ref, sent, before)):
            parsed.columns[f"{ref.name}_id"] = resolve(ref.target or "", sent, ref.name)
    if kind == "section":
        _one_parent(parsed, before)
    groups = body.get("recordingchannelgroup") if kind == "recordingchannel" else None
    if groups is not None:
        listed = groups if isinstance(groups, list) else [groups]
        found = [resolve("recordingchannelgroup", item, "recordingchannelgroup") for item in listed]
        # Clients that never learned of the groups send an empty list.
        parsed.groups = list(dict.fromkeys(found)) or None


def _is_as_before(ref: FieldSpec, sent: Any, before: Mapping[str, Any]) -> bool:
    now = before[f"{ref.name}_id"]
    return now is not None and bare_id(ref.target or "", sent) == encode_id(now)


def _one_parent(parsed: Parsed, before: Mapping[str, Any]) -> None:
    # A section stands in a section or in a document; clients send back the document of the whole tree as well.
    columns = parsed.columns
    if "section_id" in columns:
        columns["document_id"] = None
    elif "document_id" in columns and before.get("section_id") is not None:
        if columns["document_id"] == before.get(TREE_DOCUMENT):
            del columns["document_id"]
        else:
            columns["section_id"] = None


def _check_train(columns: Mapping[str, Any]) -> None:
    start, stop = (quantity.from_columns(columns[name], columns[f"{name}_unit"]) for name in ("t_start", "t_stop"))
    if start is not None and stop is not None and stop < start:
        raise ValidationFailed(
            f"SpikeTrain.t_stop: {stop} is before t_start ({start})", entity="SpikeTrain", field="t_stop", value=stop
        )
