"""Eager paths: the records along collections and foreign keys, one statement for each step of a path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from gnode_orm.core.schema import SCHEMA, FieldType, KindSpec
from gnode_orm.core.select import EagerRows, Select
from gnode_orm.errors import QueryError, did_you_mean
from gnode_orm.stores.local.compile_conditions import link_columns
from gnode_orm.stores.local.compile_select import kind_spec, record_columns
from gnode_orm.stores.local.database import Compiler, Row, Transaction
from gnode_orm.stores.local.elements import is_among
from gnode_orm.stores.local.rights import link_source, source


@dataclass(frozen=True)
class Step:
    """One step of an eager path: from the rows at ``parent`` over ``name`` to the rows at ``path``."""

    path: str
    parent: str
    spec: KindSpec
    name: str

    @property
    def is_reference(self) -> bool:
        return self.name not in self.spec.relation_by_name

    @property
    def is_many_to_many(self) -> bool:
        return not self.is_reference and self.spec.relation_by_name[self.name].many_to_many

    @property
    def kind(self) -> str:
        if self.is_reference:
            return self.spec.by_name[self.name].target or ""
        return self.spec.relation_by_name[self.name].kind


def steps_of(query: Select) -> list[Step]:
    """The steps of all eager paths, prefixes first, each once."""
    steps: dict[str, Step] = {}
    for path in query.eager:
        spec, parent = kind_spec(query.kind), ""
        for name in path.split("."):
            _check(spec, name)
            here = f"{parent}.{name}" if parent else name
            step = steps.setdefault(here, Step(here, parent, spec, name))
            spec, parent = SCHEMA[step.kind], here
    return list(steps.values())


def _check(spec: KindSpec, name: str) -> None:
    field = spec.by_name.get(name)
    if name in spec.relation_by_name or (field is not None and field.type is FieldType.REF):
        return
    known = [*spec.relation_by_name, *(ref.name for ref in spec.refs)]
    raise QueryError(
        f"{spec.class_name} has no collection or foreign key {name!r}{did_you_mean(name, known)}", field=name
    )


def read_eager(transaction: Transaction, query: Select, ids: Sequence[int], actor: str) -> list[EagerRows]:
    """Read the rows along every eager path of a page whose ids are given."""
    found: dict[str, Sequence[int]] = {"": ids}
    answer = []
    for step in steps_of(query):
        parents = found[step.parent]
        text = _text(transaction.database.compiler, step, query.at is not None, len(parents) == 1)
        params = {"ids": transaction.one_or_more(parents), "actor": actor, "at": query.at}
        rows = transaction.rows(text, params)
        links = None
        if step.is_many_to_many:
            rows, links = _split(rows)
        found[step.path] = [row[0] for row in rows]
        answer.append(EagerRows(step.path, step.kind, rows, links))
    return answer


def eager_texts(compiler: Compiler, query: Select) -> list[str]:
    """The statements that the eager paths of a query run."""
    return [_text(compiler, step, query.at is not None, False) for step in steps_of(query)]


def _text(compiler: Compiler, step: Step, past: bool, one: bool) -> str:
    return compiler.cached(("eager", step.spec.kind, step.name, past, one), lambda: _statement(step, past, one))


def _statement(step: Step, past: bool, one: bool) -> sa.Select[Any]:
    rows = source(step.kind, past)
    columns = record_columns(SCHEMA[step.kind], rows)
    if step.is_reference:
        parents = source(step.spec.kind, past)
        named = sa.select(parents.c[f"{step.name}_id"]).where(is_among(parents.c.id, "ids", one))
        return sa.select(*columns).where(rows.c.id.in_(named)).order_by(rows.c.born, rows.c.id)
    relation = step.spec.relation_by_name[step.name]
    if not relation.many_to_many:
        ours = is_among(rows.c[f"{relation.fk}_id"], "ids", one)
        return sa.select(*columns).where(ours).order_by(rows.c.born, rows.c.id)
    links = link_source(past)
    ours_name, theirs = link_columns(relation)
    return (
        sa.select(*columns, links.c[ours_name].label("linked_from"))
        .join(links, links.c[theirs] == rows.c.id)
        .where(is_among(links.c[ours_name], "ids", one))
        .order_by(links.c.born, links.c.n)
    )


def _split(rows: list[Row]) -> tuple[list[Row], list[tuple[int, int]]]:
    records = {row[0]: row[:-1] for row in rows}
    return list(records.values()), [(row[-1], row[0]) for row in rows]
