"""Changed rows: what they were is kept, then they are written with the commit's version."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from gnode_orm.core.changes import Update
from gnode_orm.core.schema import SCHEMA, KindSpec
from gnode_orm.errors import IntegrityError, ValidationFailed, did_you_mean
from gnode_orm.stores.local.creates import ROOT_KINDS, check_reference
from gnode_orm.stores.local.rights import PRIVATE
from gnode_orm.stores.local.tables import owning_refs
from gnode_orm.stores.local.work import Work, label


def update_rows(work: Work) -> None:
    """Write the updates, one batch for each kind and set of columns."""
    batches: dict[tuple[str, tuple[str, ...]], list[Update]] = defaultdict(list)
    by_kind: dict[str, list[int]] = defaultdict(list)
    for update in work.changes.updates:
        _check(work, SCHEMA[update.kind], update)
        batches[update.kind, tuple(update.values)].append(update)
        by_kind[update.kind].append(update.id)
    for kind, ids in by_kind.items():
        work.copy_to_past(kind, ids)
    for (kind, columns), updates in batches.items():
        _write(work, kind, columns, updates)


def _check(work: Work, spec: KindSpec, update: Update) -> None:
    unknown = set(update.values) - set(spec.write_columns)
    if unknown:
        name = min(unknown)
        raise ValidationFailed(
            f"{spec.class_name} has no column {name!r}{did_you_mean(name, spec.write_columns)}", field=name
        )
    for ref in spec.refs:
        column = f"{ref.name}_id"
        if column not in update.values:
            continue
        if update.values[column] is not None:
            check_reference(work, spec, ref, update.values[column], decides=_decides(spec, ref.name))
        if ref.name in spec.roots:
            work.moved[spec.kind].add(update.id)


def _decides(spec: KindSpec, name: str) -> bool:
    return any(ref.name == name for ref in owning_refs(spec))


def _write(work: Work, kind: str, columns: tuple[str, ...], updates: list[Update]) -> None:
    # The columns' names may be those of the other parameters, so values are bound by number.
    settings = "".join(f'"{column}" = :c{number}, ' for number, column in enumerate(columns))
    written = work.transaction.run_many(
        f'UPDATE "{kind}" SET {settings}rev = :seq WHERE id = :id AND rev = :base',
        [_params(work, update) for update in updates],
    )
    if written != len(updates):
        raise IntegrityError(
            f"{len(updates) - written} updates of {kind}, from {label(kind, updates[0].id)}, found no row"
        )
    if kind in ROOT_KINDS and "safety_level" in columns:
        _set_levels(work, kind, updates)


def _params(work: Work, update: Update) -> dict[str, Any]:
    values = {f"c{number}": value for number, value in enumerate(update.values.values())}
    return {**values, "seq": work.seq, "id": update.id, "base": update.base}


def _set_levels(work: Work, kind: str, updates: list[Update]) -> None:
    work.transaction.run_many(
        "UPDATE root SET level = :level WHERE kind = :kind AND id = :id",
        [{"kind": kind, "id": item.id, "level": item.values["safety_level"] or PRIVATE} for item in updates],
    )
