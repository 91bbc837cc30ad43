"""SQL expressions that the two databases spell differently, and mean alike."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import FunctionElement

from gnode_orm.stores.local.tables import Integer, Text

SQLITE, POSTGRES = "sqlite", "postgresql"
SQLITE_IN_IDS = "IN (SELECT value FROM json_each(:ids))"
# Unlike a nested query, this reaches both halves of a union, so reading the past uses its indexes too.
POSTGRES_IN_IDS = "= ANY(CAST(:ids AS bigint[]))"


class InIds(FunctionElement[Any]):
    """True where a column is among the ids of one bound list, whatever its length."""

    name = "in_ids"
    # Not declared boolean: SQLite would be asked whether the condition equals 1, and no longer use an index for it.
    type = sa.types.NullType()
    inherit_cache = True


@compiles(InIds, SQLITE)
def _(element: InIds, compiler: Any, **kw: Any) -> str:
    column, ids = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} {SQLITE_IN_IDS.replace(':ids', ids)}"


@compiles(InIds, POSTGRES)
def _(element: InIds, compiler: Any, **kw: Any) -> str:
    column, ids = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"{column} {POSTGRES_IN_IDS.replace(':ids', ids)}"


def in_ids(column: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """True where ``column`` is among the ids bound to ``name``."""
    return cast(ColumnElement[bool], InIds(column, sa.bindparam(name, type_=sa.types.NullType())))


def is_among(column: ColumnElement[Any], name: str, one: bool) -> ColumnElement[bool]:
    """True where ``column`` is among the ids bound to ``name``, or is the one id bound there.

    A database is faster with an id than with a set of one, and has the rows of one parent in order without sorting.
    """
    return column == sa.bindparam(name, type_=sa.BigInteger()) if one else in_ids(column, name)


class Fold(FunctionElement[Any]):
    """Text without regard to case, for the whole of Unicode: capitals, then small letters, with one sigma."""

    name = "fold"
    type = Text
    inherit_cache = True


@compiles(Fold, SQLITE)
def _(element: Fold, compiler: Any, **kw: Any) -> str:
    return f"fold({compiler.process(element.clauses, **kw)})"


@compiles(Fold, POSTGRES)
def _(element: Fold, compiler: Any, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    # The cast keeps a bound value from being of unknown type.
    small = f'lower(upper(CAST({text} AS text) COLLATE "und-x-icu") COLLATE "und-x-icu")'
    return f"""(replace({small}, 'ς', 'σ') COLLATE "C")"""


class Contains(FunctionElement[Any]):
    """``contains(text, part)``, literally."""

    name = "contains"
    type = sa.Boolean()
    inherit_cache = True


@compiles(Contains, SQLITE)
def _(element: Contains, compiler: Any, **kw: Any) -> str:
    return f"(instr({compiler.process(element.clauses, **kw)}) > 0)"


@compiles(Contains, POSTGRES)
def _(element: Contains, compiler: Any, **kw: Any) -> str:
    return f"(strpos({compiler.process(element.clauses, **kw)}) > 0)"


class EndsWith(FunctionElement[Any]):
    """``endswith(text, part)``, literally; ``part`` is not empty."""

    name = "endswith"
    type = sa.Boolean()
    inherit_cache = True


@compiles(EndsWith, SQLITE)
def _(element: EndsWith, compiler: Any, **kw: Any) -> str:
    text, part = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(substr({text}, -length({part})) = {part})"


@compiles(EndsWith, POSTGRES)
def _(element: EndsWith, compiler: Any, **kw: Any) -> str:
    text, part = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(right({text}, length({part})) = {part})"


class Matches(FunctionElement[Any]):
    """``matches(text, pattern)``: a regular expression found anywhere; Python's on SQLite, POSIX on PostgreSQL."""

    name = "matches"
    type = sa.Boolean()
    inherit_cache = True


@compiles(Matches, SQLITE)
def _(element: Matches, compiler: Any, **kw: Any) -> str:
    return f"{element.name}({compiler.process(element.clauses, **kw)})"


@compiles(Matches, POSTGRES)
def _(element: Matches, compiler: Any, **kw: Any) -> str:
    text, pattern = (compiler.process(clause, **kw) for clause in element.clauses)
    return f'({text} COLLATE "und-x-icu" ~ {pattern})'


class IMatches(Matches):
    """The same without regard to case."""

    name = "imatches"
    inherit_cache = True


@compiles(IMatches, POSTGRES)
def _(element: IMatches, compiler: Any, **kw: Any) -> str:
    text, pattern = (compiler.process(clause, **kw) for clause in element.clauses)
    return f'({text} COLLATE "und-x-icu" ~* {pattern})'


class InstantPart(FunctionElement[Any]):
    """A part of an instant in microseconds since 1970, in UTC."""

    type = Integer
    inherit_cache = True

    def __init__(self, part: str, *clauses: Any) -> None:
        self.name = f"instant_{part}"
        self.part = part
        super().__init__(*clauses)


class DatePart(InstantPart):
    """A part of a date given as ISO text."""

    inherit_cache = True


_STRFTIME = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "week_day": "%w"}
_EXTRACT = {"year": "year", "month": "month", "day": "day", "hour": "hour", "week_day": "dow"}


@compiles(InstantPart, SQLITE)
def _(element: InstantPart, compiler: Any, **kw: Any) -> str:
    us = compiler.process(element.clauses, **kw)
    # Integer division rounds towards zero; years before 1970 need it rounded down.
    seconds = f"(({us}) - ((({us}) % 1000000) + 1000000) % 1000000) / 1000000"
    return _sqlite_part(element.part, f"{seconds}, 'unixepoch'")


@compiles(DatePart, SQLITE)
def _(element: DatePart, compiler: Any, **kw: Any) -> str:
    return _sqlite_part(element.part, compiler.process(element.clauses, **kw))


def _sqlite_part(part: str, arguments: str) -> str:
    number = f"CAST(strftime('{_STRFTIME[part]}', {arguments}) AS INTEGER)"
    return f"({number} + 1)" if part == "week_day" else number


@compiles(InstantPart, POSTGRES)
def _(element: InstantPart, compiler: Any, **kw: Any) -> str:
    us = compiler.process(element.clauses, **kw)
    return _postgres_part(element.part, f"timestamp '1970-01-01' + ({us}) * interval '1 microsecond'")


@compiles(DatePart, POSTGRES)
def _(element: DatePart, compiler: Any, **kw: Any) -> str:
    return _postgres_part(element.part, f"CAST({compiler.process(element.clauses, **kw)} AS date)")


def _postgres_part(part: str, instant: str) -> str:
    number = f"CAST(extract({_EXTRACT[part]} FROM {instant}) AS integer)"
    return f"({number} + 1)" if part == "week_day" else number
