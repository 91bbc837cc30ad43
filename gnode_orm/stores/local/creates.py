"""New rows: their roots are found from the change set itself and the stored parents that it names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

from gnode_orm.core.changes import IdTaken
from gnode_orm.core.schema import SCHEMA, FieldSpec, KindSpec
from gnode_orm.errors import AccessDenied, IntegrityError, ValidationFailed
from gnode_orm.ids import encode_id
from gnode_orm.stores.local.database import Row
from gnode_orm.stores.local.rights import PRIVATE
from gnode_orm.stores.local.runs import record_runs
from gnode_orm.stores.local.tables import ROOT_KIND, owning_refs
from gnode_orm.stores.local.work import Work, label

ROOT_KINDS = frozenset(ROOT_KIND.values())


def create_rows(work: Work) -> None:
    """Insert the rows to create, one batch for each kind."""
    for kind, spec in SCHEMA.items():
        rows = work.changes.creates.get(kind)
        if rows:
            _check_refs(work, spec, rows)
            _insert(work, spec, rows)
            if kind in ROOT_KINDS:
                _register_roots(work, spec, rows)


def check_width(spec: KindSpec, rows: Sequence[Row]) -> None:
    """Refuse rows that do not have one value for each column."""
    width = 1 + len(spec.write_columns)
    if any(len(row) != width for row in rows):
        raise ValidationFailed(
            f"A row to create of {spec.kind} has {width} columns: id, {', '.join(spec.write_columns)}"
        )


def _place(spec: KindSpec, ref: FieldSpec) -> int:
    return 1 + spec.write_columns.index(f"{ref.name}_id")


def _check_refs(work: Work, spec: KindSpec, rows: Sequence[Row]) -> None:
    owning = owning_refs(spec)
    for ref in spec.refs:
        place = _place(spec, ref)
        for parent in {row[place] for row in rows} - {None}:
            check_reference(work, spec, ref, parent, decides=ref in owning)
    # An object without a parent may belong to a root through another reference.
    for ref in (spec.by_name[name] for name in spec.roots if spec.by_name[name] not in owning):
        place = _place(spec, ref)
        first = [_place(spec, item) for item in owning]
        for parent in {row[place] for row in rows if all(row[at] is None for at in first)} - {None}:
            check_reference(work, spec, ref, parent, decides=True)


def check_reference(work: Work, spec: KindSpec, ref: FieldSpec, parent: int, decides: bool) -> None:
    """Refuse a reference to what the actor cannot see, or below a root that he may not write."""
    target = ref.target or ""
    state = work.states[target].get(parent)
    if state is None:
        # Within one kind alone: created parents of another kind are in ``roots`` by then.
        if parent in work.roots[target] or parent in work.created(target):
            return
    elif state.readable:
        if decides and not state.writable:
            raise AccessDenied(
                f"{spec.class_name}.{ref.name}: {label(target, parent)} can be read but not changed by {work.actor}; "
                "nothing can be added to it"
            )
        return
    raise IntegrityError(
        f"{spec.class_name}.{ref.name} names {target}/{_spelled(parent)}, which does not exist; nothing was written"
    )


def _spelled(id_: Any) -> str:
    return encode_id(id_) if isinstance(id_, int) else repr(id_)


def _roots(work: Work, spec: KindSpec, rows: Sequence[Row]) -> list[int | None]:
    """Find the root of each row, and note it for the rows below."""
    own = work.roots[spec.kind]
    if spec.kind in ROOT_KINDS:
        own.update((row[0], row[0]) for row in rows)
    elif spec.kind == "recordingchannel":
        own.update(_roots_by_group(work, rows))
    else:
        _note_roots_of_parents(work, spec, rows)
    return [own[row[0]] for row in rows]


def _note_roots_of_parents(work: Work, spec: KindSpec, rows: Sequence[Row]) -> None:
    ways = [(_place(spec, ref), work.roots[ref.target or ""]) for ref in map(spec.by_name.__getitem__, spec.roots)]
    own = work.roots[spec.kind]
    itself = next((place for place, known in ways if known is own), None)
    for row in rows:
        if itself is not None and row[itself] is not None and row[itself] not in own:
            raise IntegrityError(f"{label(spec.kind, row[0])} stands before its parent in the change set")
        own[row[0]] = None
        for place, known in ways:
            root = known.get(row[place])
            if root is not None:
                own[row[0]] = root
                break


def _roots_by_group(work: Work, rows: Sequence[Row]) -> dict[int, int | None]:
    groups = work.roots["recordingchannelgroup"]
    roots: dict[int, int | None] = {row[0]: None for row in rows}
    for link in reversed(work.changes.links):
        if link.added and link.channel in roots:
            roots[link.channel] = groups.get(link.group)
    return roots


def _insert(work: Work, spec: KindSpec, rows: Sequence[Row]) -> None:
    """Insert rows with their meta columns; columns that are empty in all of them are left out, since binding costs."""
    given = zip(("id", *spec.write_columns), zip(*rows, strict=True), strict=True)
    columns = {name: values for name, values in given if values.count(None) < len(values)}
    every: dict[str, Iterable[Any]] = {
        **columns,
        "rev": repeat(work.seq),
        "born": repeat(work.seq),
        "owner": repeat(work.actor),
    }
    every["root"] = _roots(work, spec, rows)
    try:
        work.transaction.insert(spec.kind, tuple(every), zip(*every.values(), strict=False))
    except Exception as error:
        if work.transaction.database.is_duplicate(error):
            raise IdTaken(f"An id of a new {spec.class_name} is in use") from error
        raise
    record_runs(work.transaction, spec.kind, work.seq, columns["id"])


def _register_roots(work: Work, spec: KindSpec, rows: Sequence[Row]) -> None:
    place = 1 + spec.write_columns.index("safety_level")
    work.transaction.run_many(
        "INSERT INTO root (kind, id, owner, level) VALUES (:kind, :id, :owner, :level) "
        "ON CONFLICT (kind, id) DO UPDATE SET owner = excluded.owner, level = excluded.level",
        [{"kind": spec.kind, "id": row[0], "owner": work.actor, "level": row[place] or PRIVATE} for row in rows],
    )
