"""New rows: their roots are found from the change set itself and the stored parents that it names."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Any

from gnode_orm.core.changes import ChangeSet, IdTaken
from gnode_orm.core.schema import SCHEMA, FieldSpec, KindSpec, known_kind
from gnode_orm.errors import AccessDenied, IntegrityError, ValidationFailed
from gnode_orm.ids import encode_id
from gnode_orm.stores.local.rights import PRIVATE
from gnode_orm.stores.local.runs import record_runs
from gnode_orm.stores.local.tables import ROOT_KIND, owning_refs
from gnode_orm.stores.local.work import NewColumns, Work, label

ROOT_KINDS = frozenset(ROOT_KIND.values())


def new_columns(changes: ChangeSet) -> NewColumns:
    """Give the rows to create by their columns.

    Raises:
        ValidationFailed: a kind that is none, or a row that has not one value for each column.
    """
    new = {}
    for kind, rows in changes.creates.items():
        names = ("id", *known_kind(kind).write_columns)
        if set(map(len, rows)) - {len(names)}:
            raise ValidationFailed(f"A row to create of {kind} has {len(names)} columns: {', '.join(names)}")
        if rows:
            new[kind] = dict(zip(names, zip(*rows, strict=True), strict=True))
    return new


def create_rows(work: Work) -> None:
    """Insert the rows to create, one batch for each kind."""
    for kind, spec in SCHEMA.items():
        if kind in work.new:
            _check_refs(work, spec)
            _insert(work, spec)
            if kind in ROOT_KINDS:
                _register_roots(work, spec)


def _check_refs(work: Work, spec: KindSpec) -> None:
    columns = work.new[spec.kind]
    owning = owning_refs(spec)
    for ref in spec.refs:
        for parent in set(columns[f"{ref.name}_id"]) - {None}:
            check_reference(work, spec, ref, parent, decides=ref in owning)
    # An object without a parent may belong to a root through another reference.
    for ref in (spec.by_name[name] for name in spec.roots if spec.by_name[name] not in owning):
        pairs = zip(columns[f"{ref.name}_id"], columns[f"{owning[0].name}_id"], strict=True)
        for other in {other for other, parent in pairs if parent is None} - {None}:
            check_reference(work, spec, ref, other, decides=True)


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


def _roots(work: Work, spec: KindSpec) -> list[int | None]:
    """Find the root of each row, and note it for the rows below."""
    own, ids = work.roots[spec.kind], work.new[spec.kind]["id"]
    if spec.kind in ROOT_KINDS:
        own.update(zip(ids, ids, strict=True))
    elif spec.kind == "recordingchannel":
        own.update(_roots_by_group(work, ids))
    elif spec.kind == "section":
        _note_roots_of_sections(work, spec)
    else:
        own.update(zip(ids, _roots_of_parents(work, spec), strict=True))
    return [own[id_] for id_ in ids]


def _roots_of_parents(work: Work, spec: KindSpec) -> list[int | None]:
    roots: list[int | None] = [None] * len(work.new[spec.kind]["id"])
    for ref in map(spec.by_name.__getitem__, spec.roots):
        known, parents = work.roots[ref.target or ""], work.new[spec.kind][f"{ref.name}_id"]
        roots = [known.get(one) if root is None else root for root, one in zip(roots, parents, strict=True)]
    return roots


def _note_roots_of_sections(work: Work, spec: KindSpec) -> None:
    """Find the roots of sections one after another: they stand in documents, and in sections before them."""
    columns, own, documents = work.new[spec.kind], work.roots[spec.kind], work.roots["document"]
    for id_, section, document in zip(columns["id"], columns["section_id"], columns["document_id"], strict=True):
        root = None
        if section is not None:
            if section not in own:
                raise IntegrityError(f"{label(spec.kind, id_)} stands before its parent in the change set")
            root = own[section]
        own[id_] = documents.get(document) if root is None else root


def _roots_by_group(work: Work, channels: Iterable[int]) -> dict[int, int | None]:
    groups = work.roots["recordingchannelgroup"]
    roots: dict[int, int | None] = dict.fromkeys(channels)
    for link in reversed(work.changes.links):
        if link.added and link.channel in roots:
            roots[link.channel] = groups.get(link.group)
    return roots


def _insert(work: Work, spec: KindSpec) -> None:
    """Insert rows with their meta columns; columns that are empty in all of them are left out, since binding costs."""
    columns = {name: values for name, values in work.new[spec.kind].items() if not _is_empty(values)}
    every: dict[str, Iterable[Any]] = {
        **columns,
        "rev": repeat(work.seq),
        "born": repeat(work.seq),
        "owner": repeat(work.actor),
    }
    every["root"] = _roots(work, spec)
    try:
        work.transaction.insert(spec.kind, tuple(every), zip(*every.values(), strict=False))
    except Exception as error:
        if work.transaction.database.is_duplicate(error):
            raise IdTaken(f"An id of a new {spec.class_name} is in use") from error
        raise
    record_runs(work.transaction, spec.kind, work.seq, columns["id"])


def _is_empty(values: tuple[Any, ...]) -> bool:
    return values[0] is None and values.count(None) == len(values)


def _register_roots(work: Work, spec: KindSpec) -> None:
    columns = work.new[spec.kind]
    work.transaction.run_many(
        "INSERT INTO root (kind, id, owner, level) VALUES (:kind, :id, :owner, :level) "
        "ON CONFLICT (kind, id) DO UPDATE SET owner = excluded.owner, level = excluded.level",
        [
            {"kind": spec.kind, "id": id_, "owner": work.actor, "level": level or PRIVATE}
            for id_, level in zip(columns["id"], columns["safety_level"], strict=True)
        ],
    )
