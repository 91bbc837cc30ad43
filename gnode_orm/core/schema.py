"""The schema as plain data: what the declared classes say, in the form that stores and converters read.

A *record* is a tuple: the four meta columns, then its *fields*: each field's read columns in declared order. A *row to
create* is a tuple: the id, then each field's write columns. Both orders come from here, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from gnode_orm.errors import ValidationFailed, did_you_mean


class FieldType(Enum):
    """How a field's value is kept. The columns of a field ``x`` stand beside each type."""

    TEXT = "text"  # x: text
    INTEGER = "integer"  # x: int64
    BOOLEAN = "boolean"  # x: 0 or 1
    DATE = "date"  # x: ISO text
    DATETIME = "datetime"  # x: ISO text, with offset when aware; x_us: microseconds since 1970 UTC, for comparison
    QUANTITY = "quantity"  # x: float64; x_unit: unit, with the exact value where float64 cannot say it; x_si: SI value
    ARRAY = "array"  # x_hash: 32 bytes; x_type: "<f4 1000,2 mV" (dtype, shape, unit)
    JSON = "json"  # x: JSON text with tagged types
    NUMBERS = "numbers"  # x: JSON text: one number, or one for each channel
    REF = "ref"  # x_id: id of the parent


_WRITE_SUFFIXES = {
    FieldType.DATETIME: ("", "_us"),
    FieldType.QUANTITY: ("", "_unit", "_si"),
    FieldType.ARRAY: ("_hash", "_type"),
    FieldType.REF: ("_id",),
}
_READ_SUFFIXES = {**_WRITE_SUFFIXES, FieldType.DATETIME: ("",), FieldType.QUANTITY: ("", "_unit")}

META_COLUMNS = ("id", "version", "created", "owner")
META = len(META_COLUMNS)
"""Where the fields begin in a record."""


def late(name: str) -> str:
    """Give the name under which an object keeps what it was given for a field and nobody read yet."""
    return "~" + name


@dataclass(frozen=True)
class FieldSpec:
    """One field of a kind.

    Attributes:
        dimension: for quantities and arrays, the SI dimension demanded (``"s"``, ``"1/s"``), or ``None`` for any.
        target: for references, the parent's kind.
        related: for references, the name of the collection on the parent.
    """

    name: str
    type: FieldType
    dimension: str | None = None
    target: str | None = None
    related: str | None = None

    @cached_property
    def late_name(self) -> str:
        return late(self.name)

    @cached_property
    def write_columns(self) -> tuple[str, ...]:
        return tuple(self.name + suffix for suffix in _WRITE_SUFFIXES.get(self.type, ("",)))

    @cached_property
    def no_value(self) -> tuple[None, ...]:
        """What the write columns hold for ``None``."""
        return (None,) * len(self.write_columns)

    @cached_property
    def read_columns(self) -> tuple[str, ...]:
        return tuple(self.name + suffix for suffix in _READ_SUFFIXES.get(self.type, ("",)))


@dataclass(frozen=True)
class Relation:
    """A collection on the "one" side: the children of ``kind`` whose ``fk`` names this object.

    ``fk`` is the name of the other side's collection, and ``many_to_many`` true, for channels and channel groups.
    """

    name: str
    kind: str
    fk: str
    many_to_many: bool = False


@dataclass(frozen=True)
class KindSpec:
    """One of the 18 kinds.

    Attributes:
        roots: the references through which an object finds its root (the block or document whose owner and access
            list decide who may read it), best first; empty for the two root kinds.
    """

    kind: str
    namespace: str
    class_name: str
    fields: tuple[FieldSpec, ...]
    relations: tuple[Relation, ...]
    roots: tuple[str, ...] = ()
    by_name: dict[str, FieldSpec] = field(default_factory=dict, repr=False, compare=False)
    relation_by_name: dict[str, Relation] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.by_name.update({item.name: item for item in self.fields})
        self.relation_by_name.update({item.name: item for item in self.relations})

    @cached_property
    def refs(self) -> tuple[FieldSpec, ...]:
        return tuple(item for item in self.fields if item.type is FieldType.REF)

    @cached_property
    def ways_up(self) -> tuple[tuple[str, str, str | None], ...]:
        """The references with their late names, and the collection that the target has of this kind, if any."""
        return tuple((item.name, item.late_name, item.related or None) for item in self.refs)

    @cached_property
    def late_names(self) -> dict[str, str]:
        """The fields whose values a new object keeps under their late names, with these."""
        late_ones = [item for item in self.fields if item.type is FieldType.QUANTITY or item.name in self.documents]
        return {item.name: item.late_name for item in late_ones}

    @cached_property
    def documents(self) -> tuple[str, ...]:
        """The dictionaries that users edit in place."""
        return tuple(name for name in ("annotations", "array_annotations") if name in self.by_name)

    @cached_property
    def arrays(self) -> tuple[FieldSpec, ...]:
        return tuple(item for item in self.fields if item.type is FieldType.ARRAY)

    @cached_property
    def write_columns(self) -> tuple[str, ...]:
        """Columns of a row to create, after the id."""
        return tuple(column for item in self.fields for column in item.write_columns)

    @cached_property
    def record_columns(self) -> tuple[str, ...]:
        """Columns of a record: the meta columns, then the read columns."""
        return META_COLUMNS + tuple(column for item in self.fields for column in item.read_columns)


SCHEMA: dict[str, KindSpec] = {}
"""Every kind, parents before children; filled when ``gnode_orm.models`` is imported."""


def known_kind(kind: object) -> KindSpec:
    """Give the schema of a kind that a change set or a message names.

    Raises:
        ValidationFailed: there is no such kind.
    """
    if not isinstance(kind, str) or kind not in SCHEMA:
        hint = did_you_mean(kind, SCHEMA) if isinstance(kind, str) else ""
        raise ValidationFailed(f"There is no kind {kind!r}{hint}", value=kind)
    return SCHEMA[kind]
