"""What API v1 shows of each kind: its keys, the units where none is given, and the names of its collections."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module

from gnode_orm.core.quantity import RATE, TIME
from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, KindSpec, Relation

import_module("gnode_orm.models")  # fills the schema

ROOT_KINDS = ("block", "document")

# Fields of ours that the protocol has no key for; they stay as they are when an object is changed through it.
_HIDDEN = frozenset(
    {"annotations", "array_annotations", "ext", "file_origin", "gain", "offset", "rec_datetime", "safety_level"}
)
_HIDDEN_OF = {"spiketrain": frozenset({"left_sweep", "sampling_rate"})}
# Text that is never null on the wire: nothing is shown as an empty text.
_NEVER_NULL = {
    **dict.fromkeys(("section", "property", "block", "segment"), ("name",)),
    **dict.fromkeys(("recordingchannelgroup", "recordingchannel", "unit"), ("name",)),
    **dict.fromkeys(("event", "epoch"), ("label",)),
    "value": ("data",),
}
_GROUPS = ("recordingchannel", "recordingchannelgroups")
_UNITS = {TIME: "ms", RATE: "Hz"}


@dataclass(frozen=True)
class WireKind:
    """One kind as the protocol shows it.

    Attributes:
        plain: fields that are one JSON value.
        quantities: fields with a key ``<name>__unit`` beside the number.
        arrays: fields that are files of their own.
        refs: foreign keys.
        sets: key of a collection, with the relation that it stands for.
        never_null: text fields that show nothing as an empty text.
    """

    spec: KindSpec
    plain: tuple[FieldSpec, ...]
    quantities: tuple[FieldSpec, ...]
    arrays: tuple[FieldSpec, ...]
    refs: tuple[FieldSpec, ...]
    sets: dict[str, Relation]
    never_null: tuple[str, ...]

    @property
    def path(self) -> str:
        """The address of the list."""
        return f"/api/v1/{self.spec.namespace}/{self.spec.kind}/"

    @property
    def is_root(self) -> bool:
        """Tell whether rights are kept on objects of this kind."""
        return self.spec.kind in ROOT_KINDS


@cache
def wire_kind(kind: str) -> WireKind:
    """Describe a kind."""
    spec = SCHEMA[kind]
    hidden = _HIDDEN | _HIDDEN_OF.get(kind, frozenset())
    shown = [field for field in spec.fields if field.name not in hidden]

    def of(*types: FieldType) -> tuple[FieldSpec, ...]:
        return tuple(field for field in shown if field.type in types)

    return WireKind(
        spec,
        plain=of(FieldType.TEXT, FieldType.INTEGER, FieldType.BOOLEAN, FieldType.DATE, FieldType.DATETIME),
        quantities=of(FieldType.QUANTITY),
        arrays=of(FieldType.ARRAY),
        refs=of(FieldType.REF),
        # A channel's groups are written at the channel, as a list under the name of the kind.
        sets={f"{item.kind}_set": item for item in spec.relations if (kind, item.name) != _GROUPS},
        never_null=_NEVER_NULL.get(kind, ()),
    )


def default_unit(kind: str, field: FieldSpec) -> str | None:
    """The unit of a number that comes without one; ``None`` for labels, which have none."""
    if field.name == "labels":
        return None
    return _UNITS.get(field.dimension or "", "mV")


def shown_unit(kind: str, field: FieldSpec) -> str | None:
    """The unit that is shown where nothing is stored."""
    if field.name == "waveforms" or (kind == "spike" and field.name in ("sampling_rate", "left_sweep")):
        return None
    return default_unit(kind, field)
