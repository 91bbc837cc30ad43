"""The tables of a lab, built from the schema.

Each kind has a table of current rows and a table ``<kind>_past`` of what they were: a row there held from version
``rev`` for ``held`` (a difference takes fewer bytes than the version at its end). ``rev`` and ``born`` are versions of
commits, so reading the past compares numbers and joins nothing.

The order of creation is kept by the run: the objects of one kind with consecutive ids that one commit made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, KindSpec
from gnode_orm.stores.local.imported_content import ImportedContent

META = ("id", "rev", "born", "owner", "root")
READ_META = ("id", "rev", "born", "owner")
ROOT_KIND = {"electrophysiology": "block", "metadata": "document"}

# Marks the indexes that a database needs unless it reads the order of creation from the runs.
UNLESS_WALKED = "unless walked"

# Text is compared by code point, as SQLite does.
Text: sa.types.TypeEngine[Any] = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
# A bound value takes the collation of the column that it is compared with.
BoundText = sa.Text()
# A column named INTEGER PRIMARY KEY is SQLite's own row number; every SQLite integer has 64 bits.
Integer: sa.types.TypeEngine[Any] = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
Bytes = sa.LargeBinary()
Real: sa.types.TypeEngine[Any] = sa.Double()

_TYPES: dict[FieldType, tuple[sa.types.TypeEngine[Any], ...]] = {
    FieldType.TEXT: (Text,),
    FieldType.INTEGER: (Integer,),
    FieldType.BOOLEAN: (sa.SmallInteger(),),
    FieldType.DATE: (Text,),
    FieldType.DATETIME: (Text, Integer),
    FieldType.QUANTITY: (Real, Text, Real),
    FieldType.ARRAY: (Bytes, Text),
    FieldType.JSON: (Text,),
    FieldType.NUMBERS: (Text,),
    FieldType.REF: (Integer,),
}


@dataclass(frozen=True)
class KindTables:
    """The two tables of a kind; ``columns`` names those that both have, ``insert`` those of a row to create."""

    spec: KindSpec
    live: sa.Table
    past: sa.Table

    @property
    def columns(self) -> tuple[str, ...]:
        return META + self.spec.write_columns

    @property
    def insert(self) -> tuple[str, ...]:
        return ("id", *self.spec.write_columns, "rev", "born", "owner", "root")


@dataclass(frozen=True)
class LabTables:
    """Every table of a lab."""

    metadata: sa.MetaData
    kinds: dict[str, KindTables]
    run: sa.Table
    link: sa.Table
    link_past: sa.Table
    change_set: sa.Table
    root: sa.Table
    access: sa.Table
    account: sa.Table
    token: sa.Table
    login_failure: sa.Table
    array: sa.Table
    array_pack: sa.Table
    array_part: sa.Table
    array_sender: sa.Table
    lab: sa.Table


def root_kind(kind: str) -> str:
    """The kind of the roots of a kind: blocks or documents."""
    return ROOT_KIND[SCHEMA[kind].namespace]


def owning_refs(spec: KindSpec) -> tuple[FieldSpec, ...]:
    """The references whose target has this kind as its children; every other reference is an optional link."""
    # A section stands in a section or in a document; all other kinds have one kind of parent.
    names = spec.roots if spec.kind == "section" else spec.roots[:1]
    return tuple(spec.by_name[name] for name in names if name in spec.by_name)


def optional_refs(spec: KindSpec) -> tuple[FieldSpec, ...]:
    """The references that become null when their target is deleted."""
    owning = owning_refs(spec)
    return tuple(ref for ref in spec.refs if ref not in owning)


@cache
def lab_tables() -> LabTables:
    """Build the tables; the models must have been imported."""
    metadata = sa.MetaData()
    return LabTables(
        metadata,
        {kind: _kind_tables(metadata, spec) for kind, spec in SCHEMA.items()},
        **_change_set_tables(metadata),
        **_rights_tables(metadata),
        **_account_tables(metadata),
        **_array_tables(metadata),
        lab=sa.Table(
            "lab",
            metadata,
            sa.Column("format", sa.Integer, nullable=False),
            sa.Column("uuid", Text, nullable=False),
            sa.Column("created", Integer, nullable=False),
            # What a block or document gets whose maker names no level; private where this is null.
            sa.Column("default_level", sa.SmallInteger),
            # The version of this package that gave the lab its format.
            sa.Column("package", Text),
        ),
    )


def _change_set_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """The commits, and the order of creation and linking that they give."""
    return {
        # Runs outlive their objects, of which the past is read in order too.
        "run": sa.Table(
            "run",
            metadata,
            sa.Column("kind", Text, primary_key=True),
            sa.Column("born", Integer, primary_key=True, autoincrement=False),
            sa.Column("first", Integer, primary_key=True, autoincrement=False),
            sa.Column("last", Integer, nullable=False),
            sqlite_with_rowid=False,
        ),
        "link": _link(metadata, "recordingchannel_group", past=False),
        "link_past": _link(metadata, "recordingchannel_group_past", past=True),
        "change_set": sa.Table(
            "change_set",
            metadata,
            sa.Column("seq", Integer, primary_key=True, autoincrement=False),
            sa.Column("id", Text, nullable=False, unique=True),
            sa.Column("digest", Bytes, nullable=False),
            sa.Column("actor", Text, nullable=False),
            sa.Column("message", Text),
        ),
    }


def _rights_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """Who owns what at the top, and with whom it is shared."""
    return {
        "root": sa.Table(
            "root",
            metadata,
            sa.Column("kind", Text, primary_key=True),
            sa.Column("id", Integer, primary_key=True, autoincrement=False),
            sa.Column("owner", Text, nullable=False),
            sa.Column("level", sa.SmallInteger, nullable=False),
            sqlite_with_rowid=False,
        ),
        "access": sa.Table(
            "access",
            metadata,
            sa.Column("root_kind", Text, primary_key=True),
            sa.Column("root_id", Integer, primary_key=True, autoincrement=False),
            sa.Column("account", Text, primary_key=True),
            sa.Column("level", Text, nullable=False),
            sqlite_with_rowid=False,
        ),
    }


def _account_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """Users, and how they log in."""
    return {
        # Users of an embedded lab have no password; they cannot log in until one is set.
        "account": sa.Table(
            "account", metadata, sa.Column("name", Text, primary_key=True), sa.Column("password", Text)
        ),
        # Cookies and bearer tokens; of each the hash alone.
        "token": sa.Table(
            "token",
            metadata,
            sa.Column("hash", Bytes, primary_key=True),
            sa.Column("account", Text, nullable=False),
            sa.Column("purpose", Text, nullable=False),
            sa.Column("created", Integer, nullable=False),
            sa.Column("expires", Integer, nullable=False),
        ),
        "login_failure": sa.Table(
            "login_failure",
            metadata,
            sa.Column("subject", Bytes, primary_key=True),
            sa.Column("count", Integer, nullable=False),
            sa.Column("last", Integer, nullable=False),
        ),
    }


def _array_tables(metadata: sa.MetaData) -> dict[str, sa.Table]:
    """Arrays, where their bytes are, and who sent them."""
    return {
        "array": _array_table(metadata),
        "array_pack": sa.Table(
            "array_pack",
            metadata,
            sa.Column("id", Integer, primary_key=True, autoincrement=False),
            sa.Column("data", Bytes, nullable=False),
            # The file that holds the bytes, then, and how many these are; null for a pack in the database.
            sa.Column("file", Text),
            sa.Column("size", Integer),
            # When its last arrays were moved elsewhere: the file goes some time after that.
            sa.Column("freed", Integer),
            # The bytes stand before the name, so that looking for names would read them all.
            _index_given("array_pack_file", "file"),
        ),
        "array_part": sa.Table(
            "array_part",
            metadata,
            sa.Column("series", Integer, primary_key=True, autoincrement=False),
            sa.Column("n", Integer, primary_key=True, autoincrement=False),
            sa.Column("file", Text, nullable=False),
            sa.Column("rows", Integer, nullable=False),
        ),
        # Who sent an array may name it, before any object does.
        "array_sender": sa.Table(
            "array_sender",
            metadata,
            sa.Column("array", Bytes, primary_key=True),
            sa.Column("account", Text, primary_key=True),
            # The digest of its first bytes; null for one that was not sent in pieces.
            sa.Column("beginning", Bytes),
            _index_given("array_sender_beginning", "beginning"),
        ),
    }


def _array_table(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "array",
        metadata,
        sa.Column("hash", Bytes, primary_key=True),
        sa.Column("dtype", Text, nullable=False),
        sa.Column("shape", Text, nullable=False),
        sa.Column("nbytes", Integer, nullable=False),
        # Where its bytes stand among those of others; null for one in files of its own.
        sa.Column("pack", Integer),
        sa.Column("start", Integer),
        # When it was last sent or named: what nobody names may be removed some time after that.
        sa.Column("touched", Integer, nullable=False, server_default=sa.text("0")),
        # It is the first so many files of a series; null for one in a pack.
        sa.Column("series", Integer),
        sa.Column("parts", Integer),
        _index_given("array_series", "series", "parts"),
        sqlite_with_rowid=False,
    )


def _index_given(name: str, column: str, *behind: str) -> sa.Index:
    """An index of the rows that have a column."""
    given = sa.text(f"{column} IS NOT NULL")
    return sa.Index(name, column, *behind, sqlite_where=given, postgresql_where=given)


def _kind_tables(metadata: sa.MetaData, spec: KindSpec) -> KindTables:
    live = sa.Table(
        spec.kind,
        metadata,
        sa.Column("id", Integer, primary_key=True, autoincrement=False),
        *_meta_columns(),
        *_field_columns(spec, foreign_keys=True),
    )
    # Without a key: old versions are appended as they come, which keeps the table dense, and found by object.
    past = sa.Table(
        f"{spec.kind}_past",
        metadata,
        sa.Column("id", Integer, nullable=False),
        *_meta_columns(),
        *_field_columns(spec, foreign_keys=False),
        sa.Column("held", Integer, nullable=False),
    )
    sa.Index(f"{past.name}_id", past.c.id)
    for table in (live, past):
        sa.Index(f"{table.name}_born", table.c.born, info={UNLESS_WALKED: True})
    owning = owning_refs(spec)
    for ref in spec.refs:
        # Behind the parent stands ``born``, so that the children of one are read in order.
        _index_reference(live, ref, (live.c.born,), owning=ref in owning)
        _index_reference(past, ref, (), owning=ref in owning)
    if spec.kind in ROOT_KIND.values():
        sa.Index(f"{spec.kind}_content", ImportedContent(live.c.ext))
    return KindTables(spec, live, past)


def _meta_columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("rev", Integer, nullable=False),
        sa.Column("born", Integer, nullable=False),
        sa.Column("owner", Text, nullable=False),
        sa.Column("root", Integer),
    ]


def _field_columns(spec: KindSpec, foreign_keys: bool) -> list[sa.Column[Any]]:
    columns: list[sa.Column[Any]] = []
    for field in spec.fields:
        for name, type_ in zip(field.write_columns, _TYPES[field.type], strict=True):
            keys = []
            if foreign_keys and field.type is FieldType.REF:
                keys.append(sa.ForeignKey(f"{field.target}.id", deferrable=True, initially="DEFERRED"))
            columns.append(sa.Column(name, type_, *keys))
    return columns


def _index_reference(table: sa.Table, ref: FieldSpec, behind: tuple[sa.Column[Any], ...], owning: bool) -> None:
    column = table.c[f"{ref.name}_id"]
    # Optional links are mostly null; leaving nulls out keeps inserts fast and loses no search.
    given = None if owning else column.is_not(None)
    sa.Index(f"{table.name}_{ref.name}", column, *behind, sqlite_where=given, postgresql_where=given)


def _link(metadata: sa.MetaData, name: str, past: bool) -> sa.Table:
    # ``n`` is the place within the commit that linked them: together with ``born`` the order of linking.
    def key(kind: str) -> list[sa.ForeignKey]:
        return [] if past else [sa.ForeignKey(f"{kind}.id", deferrable=True, initially="DEFERRED")]

    table = sa.Table(
        name,
        metadata,
        sa.Column("channel", Integer, *key("recordingchannel"), primary_key=True, autoincrement=False),
        sa.Column("grp", Integer, *key("recordingchannelgroup"), primary_key=True, autoincrement=False),
        sa.Column("born", Integer, nullable=False, primary_key=past, autoincrement=False),
        sa.Column("n", Integer, nullable=False),
        sa.Column("owner", Text, nullable=False),
        *([sa.Column("until", Integer, nullable=False)] if past else []),
        sqlite_with_rowid=False,
    )
    sa.Index(f"{name}_grp", table.c.grp, table.c.born)
    return table
