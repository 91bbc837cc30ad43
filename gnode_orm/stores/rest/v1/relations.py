"""The foreign keys and collections that lead from one kind to another."""

from __future__ import annotations

from gnode_orm.core.schema import SCHEMA, FieldSpec, FieldType, Relation
from gnode_orm.core.select import Select
from gnode_orm.errors import QueryError, did_you_mean


def relation_of(kind: str, name: str) -> FieldSpec | Relation:
    """Give a foreign key or a collection of a kind by its name.

    Raises:
        QueryError: it has neither.
    """
    spec = SCHEMA[kind]
    field = spec.by_name.get(name)
    if field is not None and field.type is FieldType.REF:
        return field
    relation = spec.relation_by_name.get(name)
    if relation is None:
        known = [*spec.relation_by_name, *(item.name for item in spec.refs)]
        text = f"{spec.class_name} has no collection or foreign key {name!r}{did_you_mean(name, known)}"
        raise QueryError(text, field=name)
    return relation


def kind_at(relation: FieldSpec | Relation) -> str:
    """Give the kind that a foreign key or a collection leads to."""
    return (relation.target or "") if isinstance(relation, FieldSpec) else relation.kind


def eager_paths(select: Select) -> list[str]:
    """Give the eager paths of a query with what leads to them, parents first."""
    found: dict[str, None] = {}
    for path in select.eager:
        kind, steps = select.kind, list[str]()
        for name in path.split("."):
            kind = kind_at(relation_of(kind, name))
            steps.append(name)
            found[".".join(steps)] = None
    return list(found)
