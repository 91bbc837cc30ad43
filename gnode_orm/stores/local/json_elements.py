"""Values inside annotations, in SQL: text, numbers, truth values, points in time and SI values of quantities.

Arguments are the JSON column, then one bound key for each level. Whatever is not of the type asked for is null. Keys
are bound, never part of the statement, so quotes, dots and brackets in them mean nothing.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from gnode_orm.stores.local.elements import POSTGRES, SQLITE
from gnode_orm.stores.local.tables import Real, Text


class JsonValue(FunctionElement[Any]):
    """Base of the elements below: each finds the node at the end of the keys, and reads it in its own way."""

    inherit_cache = True
    takes_more = False  # an argument behind the keys
    sqlite = ""
    postgres = ""


class JsonText(JsonValue):
    """Text, NumPy's included."""

    name = "json_text_value"
    type = Text
    inherit_cache = True
    sqlite = (
        "CASE WHEN {e}.type = 'text' THEN {e}.value "
        "WHEN {tag} = 'np' AND json_type({e}.value, '$.v') = 'text' THEN json_extract({e}.value, '$.v') END"
    )
    postgres = (
        "CASE WHEN jsonb_typeof(n) = 'string' THEN n #>> '{}' "
        "WHEN n ->> '$' = 'np' AND jsonb_typeof(n -> 'v') = 'string' THEN n ->> 'v' END COLLATE \"C\""
    )


class JsonNumber(JsonValue):
    """Integers of any size, floats, infinities and NumPy numbers, compared as numbers."""

    name = "json_number_value"
    type = sa.Numeric()
    inherit_cache = True
    sqlite = (
        "CASE WHEN {e}.type IN ('integer', 'real') THEN {e}.value "
        "WHEN {tag} = 'np' AND json_type({e}.value, '$.v') IN ('integer', 'real') THEN json_extract({e}.value, '$.v') "
        "WHEN {tag} = 'i' THEN CAST(json_extract({e}.value, '$.v') AS REAL) "
        "WHEN {tag} = 'f' THEN CASE json_extract({e}.value, '$.v') WHEN 'inf' THEN 9e999 WHEN '-inf' THEN -9e999 END "
        "END"
    )
    postgres = (
        "CASE WHEN jsonb_typeof(n) = 'number' THEN CAST(n #>> '{}' AS numeric) "
        "WHEN n ->> '$' = 'np' AND jsonb_typeof(n -> 'v') = 'number' THEN CAST(n ->> 'v' AS numeric) "
        # Integers beyond the range of floats count as infinite, as they do in SQLite.
        "WHEN n ->> '$' = 'i' AND length(n ->> 'v') <= 300 THEN CAST(n ->> 'v' AS numeric) "
        "WHEN n ->> '$' = 'i' THEN CAST(CASE left(n ->> 'v', 1) WHEN '-' THEN '-inf' ELSE 'inf' END AS numeric) "
        "WHEN n ->> '$' = 'f' AND n ->> 'v' <> 'nan' THEN CAST(n ->> 'v' AS numeric) END"
    )


class JsonTruth(JsonValue):
    """True and false as 1 and 0."""

    name = "json_truth_value"
    type = sa.SmallInteger()
    inherit_cache = True
    sqlite = (
        "CASE WHEN {e}.type = 'true' THEN 1 WHEN {e}.type = 'false' THEN 0 "
        "WHEN {tag} = 'np' THEN CASE json_type({e}.value, '$.v') WHEN 'true' THEN 1 WHEN 'false' THEN 0 END END"
    )
    postgres = (
        "CASE WHEN jsonb_typeof(n) = 'boolean' THEN CASE n #>> '{}' WHEN 'true' THEN 1 ELSE 0 END "
        "WHEN n ->> '$' = 'np' AND jsonb_typeof(n -> 'v') = 'boolean' "
        "THEN CASE n ->> 'v' WHEN 'true' THEN 1 ELSE 0 END END"
    )


class JsonSI(JsonValue):
    """The SI value of a quantity; the last argument is the dimension that it must have."""

    name = "json_si_value"
    type = Real
    inherit_cache = True
    takes_more = True
    sqlite = (
        "CASE WHEN {tag} = 'q' AND json_extract({e}.value, '$.d') = {last} THEN json_extract({e}.value, '$.si') END"
    )
    postgres = (
        "CASE WHEN n ->> '$' = 'q' AND n ->> 'd' = {last} AND jsonb_typeof(n -> 'si') = 'number' "
        "THEN CAST(n ->> 'si' AS double precision) END"
    )


class JsonAnySI(JsonValue):
    """The SI value of a quantity of any dimension, to sort by."""

    name = "json_any_si_value"
    type = Real
    inherit_cache = True
    sqlite = "CASE WHEN {tag} = 'q' THEN json_extract({e}.value, '$.si') END"
    postgres = (
        "CASE WHEN n ->> '$' = 'q' AND jsonb_typeof(n -> 'si') = 'number' THEN CAST(n ->> 'si' AS double precision) END"
    )


class JsonInstant(JsonValue):
    """The microseconds since 1970 of a date or datetime; the last argument says which of the two it must be."""

    name = "json_instant_value"
    type = sa.BigInteger()
    inherit_cache = True
    takes_more = True
    sqlite = "CASE WHEN {tag} = {last} THEN json_extract({e}.value, '$.us') END"
    postgres = "CASE WHEN n ->> '$' = {last} AND jsonb_typeof(n -> 'us') = 'number' THEN CAST(n ->> 'us' AS bigint) END"


class JsonAnyInstant(JsonValue):
    """The microseconds since 1970 of a date or a datetime, to sort by."""

    name = "json_any_instant_value"
    type = sa.BigInteger()
    inherit_cache = True
    sqlite = "CASE WHEN {tag} IN ('date', 'datetime') THEN json_extract({e}.value, '$.us') END"
    postgres = (
        "CASE WHEN n ->> '$' IN ('date', 'datetime') AND jsonb_typeof(n -> 'us') = 'number' "
        "THEN CAST(n ->> 'us' AS bigint) END"
    )


class JsonPresent(JsonValue):
    """1 where the keys lead to a value that is not null."""

    name = "json_present"
    type = sa.SmallInteger()
    inherit_cache = True
    sqlite = "CASE WHEN {e}.type <> 'null' THEN 1 END"
    postgres = "CASE WHEN jsonb_typeof(n) <> 'null' THEN 1 END"


@compiles(JsonValue, SQLITE)
def _(element: JsonValue, compiler: Any, **kw: Any) -> str:
    column, keys, last = _arguments(element, compiler, kw)
    sources, source = [], _without_nul(column)
    for level in range(len(keys)):
        sources.append(f"json_each({source}) AS e{level}")
        source = f"CASE WHEN e{level}.type = 'object' THEN e{level}.value END"
    found = " AND ".join(f"e{level}.key = {key}" for level, key in enumerate(keys))
    end = f"e{len(keys) - 1}"
    tag = f"""CASE WHEN {end}.type = 'object' THEN json_extract({end}.value, '$."$"') END"""
    value = element.sqlite.format(e=end, tag=tag, last=last)
    return f"(SELECT {value} FROM {', '.join(sources)} WHERE {found})"


@compiles(JsonValue, POSTGRES)
def _(element: JsonValue, compiler: Any, **kw: Any) -> str:
    column, keys, last = _arguments(element, compiler, kw)
    node = f"CAST({_without_nul(column)} AS jsonb)"
    for key in keys:
        node = f"({node} -> CAST({key} AS text))"
    value = element.postgres.replace("{last}", last)
    return f"(SELECT {value} FROM (SELECT {node} AS n) AS node)"


class NumbersOf(FunctionElement[Any]):
    """The numbers of a column that holds one or several, as rows of one column, ``value``."""

    name = "numbers_of"
    inherit_cache = True


@compiles(NumbersOf, SQLITE)
def _(element: NumbersOf, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.clauses, **kw)
    return f"json_each(CASE json_type({column}) WHEN 'object' THEN json_extract({column}, '$.v') ELSE {column} END)"


@compiles(NumbersOf, POSTGRES)
def _(element: NumbersOf, compiler: Any, **kw: Any) -> str:
    node = f"CAST({compiler.process(element.clauses, **kw)} AS jsonb)"
    several = f"CASE jsonb_typeof({node}) WHEN 'object' THEN {node} -> 'v' ELSE jsonb_build_array({node}) END"
    return f"(SELECT CAST(n AS double precision) AS value FROM jsonb_array_elements_text({several}) AS n)"


def without_nul(text: str) -> str:
    """Bring text into the form in which it is compared with text inside JSON."""
    return text.replace("\0", "\uffff")


def _without_nul(column: str) -> str:
    # jsonb takes no NUL character, and SQLite ends a text there; a noncharacter stands for it on both sides.
    return rf"replace({column}, '\u0000', '\uffff')"


def _arguments(element: JsonValue, compiler: Any, kw: Any) -> tuple[str, list[str], str]:
    column, *keys = (compiler.process(clause, **kw) for clause in element.clauses)
    return column, (keys[:-1] if element.takes_more else keys), keys[-1]
