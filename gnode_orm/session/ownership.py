"""Which references own an object: with those it stands and falls; the others become null when their target goes."""

from __future__ import annotations

from functools import cache

from gnode_orm.core.schema import SCHEMA


@cache
def owners(kind: str) -> tuple[str, ...]:
    """The references that own an object of a kind: a section may hang below a section or a document."""
    roots = SCHEMA[kind].roots
    return roots[:2] if kind == "section" else roots[:1]


@cache
def owned(kind: str) -> tuple[tuple[str, str], ...]:
    """Kinds whose objects hang below one of ``kind``, each with the reference."""
    return tuple(
        (child, name) for child, spec in SCHEMA.items() for name in owners(child) if spec.by_name[name].target == kind
    )
