"""Deleting: children stand in the way or go too, optional references become null, everything is kept as past."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache, partial

import orjson

from gnode_orm.core.changes import DeletePreview
from gnode_orm.core.kind_counts import counts_in_words
from gnode_orm.core.schema import SCHEMA, FieldSpec, KindSpec
from gnode_orm.errors import IntegrityError
from gnode_orm.stores.local.database import Transaction
from gnode_orm.stores.local.links import remove_links
from gnode_orm.stores.local.rights import states
from gnode_orm.stores.local.tables import optional_refs, owning_refs
from gnode_orm.stores.local.work import Work, label

Ids = dict[str, set[int]]


def preview(transaction: Transaction, kind: str, id_: int, actor: str) -> DeletePreview:
    """Say what deleting an object touches of that which the actor may read."""
    doomed = _with_descendants(transaction, {kind: {id_}})
    below = {name: ids - {id_} if name == kind else ids for name, ids in doomed.items()}
    below = _readable(transaction, below, actor)
    children = {name: len(ids) for name, ids in below.items() if ids}
    owners: dict[str, int] = defaultdict(int)
    state: list[object] = []
    for name, ids in below.items():
        for owner, count, last in _summary(transaction, name, ids):
            owners[owner] += count
            state.append((name, owner, count, last))
    unlinked = {name: set[int]() for name in SCHEMA}
    for spec, _, ids in _linked(transaction, doomed):
        unlinked[spec.kind] |= ids
    counts = {name: len(ids) for name, ids in _readable(transaction, unlinked, actor).items() if ids}
    token = hashlib.sha256(orjson.dumps([sorted(state, key=repr), counts], option=orjson.OPT_SORT_KEYS)).hexdigest()
    return DeletePreview(children, counts, dict(owners), token[:32])


def _readable(transaction: Transaction, found: Ids, actor: str) -> Ids:
    readable: Ids = {}
    for kind, ids in found.items():
        text = transaction.database.compiler.cached(("states", kind), partial(states, kind))
        rows = transaction.rows(text, {"ids": transaction.ids(list(ids)), "actor": actor}) if ids else ()
        readable[kind] = {id_ for id_, _, _, may_read, _ in rows if may_read}
    return readable


def _summary(transaction: Transaction, kind: str, ids: set[int]) -> list[tuple[str, int, int]]:
    # Every change below gives a row a higher version, and every removal a lower count, so these two tell all.
    if not ids:
        return []
    rows = transaction.query(
        f'SELECT owner, count(*), max(rev) FROM "{kind}" WHERE id {transaction.database.compiler.in_ids} '
        "GROUP BY owner ORDER BY owner",
        ids=transaction.ids(list(ids)),
    )
    return [(owner, count, last) for owner, count, last in rows]


def check_previews(work: Work) -> None:
    """Refuse a cascading delete whose tree changed since its preview."""
    for delete in work.changes.deletes:
        if delete.cascade is None:
            continue
        now = preview(work.transaction, delete.kind, delete.id, work.actor)
        if now.state != delete.cascade.state:
            raise IntegrityError(
                f"What stands below {label(delete.kind, delete.id)} changed since the preview "
                f"({counts_in_words(delete.cascade.children)} then, {counts_in_words(now.children)} now); look again, "
                "then delete",
                counts=now.children,
            )


def delete_rows(work: Work) -> None:
    """Carry out the deletes of a change set together."""
    if not work.changes.deletes:
        return
    doomed: Ids = defaultdict(set)
    cascading: Ids = defaultdict(set)
    for delete in work.changes.deletes:
        doomed[delete.kind].add(delete.id)
        if delete.cascade is not None:
            cascading[delete.kind].add(delete.id)
    for kind, ids in _with_descendants(work.transaction, cascading).items():
        doomed[kind] |= ids
    _protect(work, doomed)
    _unlink(work, doomed)
    for kind, column in (("recordingchannel", "channel"), ("recordingchannelgroup", "grp")):
        if doomed.get(kind):
            remove_links(work, column, list(doomed[kind]))
    _remove(work, doomed)


def _with_descendants(transaction: Transaction, tops: Ids) -> Ids:
    """Everything below some objects, themselves included, by owning references."""
    found: Ids = defaultdict(set, {kind: set(ids) for kind, ids in tops.items()})
    for spec in SCHEMA.values():
        for ref in _owning_elsewhere(spec):
            if found.get(ref.target or ""):
                found[spec.kind] |= _naming(transaction, spec, ref, found[ref.target or ""])
        for ref in owning_refs(spec):
            level = found.get(spec.kind) if ref.target == spec.kind else None
            while level:
                level = _naming(transaction, spec, ref, level) - found[spec.kind]
                found[spec.kind] |= level
    return found


def _owning_elsewhere(spec: KindSpec) -> list[FieldSpec]:
    return [ref for ref in owning_refs(spec) if ref.target != spec.kind]


def _naming(transaction: Transaction, spec: KindSpec, ref: FieldSpec, targets: set[int]) -> set[int]:
    rows = transaction.query(
        f'SELECT id FROM "{spec.kind}" WHERE "{ref.name}_id" {transaction.database.compiler.in_ids}',
        ids=transaction.ids(list(targets)),
    )
    return {id_ for (id_,) in rows}


def _protect(work: Work, doomed: Ids) -> None:
    left: Ids = defaultdict(set)
    for spec in SCHEMA.values():
        for ref in owning_refs(spec):
            targets = doomed.get(ref.target or "")
            left[spec.kind] |= _naming(work.transaction, spec, ref, targets) - doomed[spec.kind] if targets else set()
    if any(left.values()):
        readable = _readable(work.transaction, left, work.actor)
        counts = {kind: len(ids) for kind, ids in readable.items() if ids}
        first = work.changes.deletes[-1]
        there = counts_in_words(counts) if counts else "what others made"
        raise IntegrityError(
            f"{label(first.kind, first.id)} still has {there} below it; "
            "delete that too (cascade=True), or move it elsewhere first",
            counts=counts,
        )


@cache
def _optional(kind: str) -> list[tuple[KindSpec, FieldSpec]]:
    return [(spec, ref) for spec in SCHEMA.values() for ref in optional_refs(spec) if ref.target == kind]


def _linked(transaction: Transaction, doomed: Ids) -> Iterator[tuple[KindSpec, FieldSpec, set[int]]]:
    """Objects that stay, with the optional reference that names something doomed."""
    for kind, targets in list(doomed.items()):
        for spec, ref in _optional(kind) if targets else ():
            ids = _naming(transaction, spec, ref, targets) - doomed[spec.kind]
            if ids:
                yield spec, ref, ids


def _unlink(work: Work, doomed: Ids) -> None:
    for spec, ref, ids in _linked(work.transaction, doomed):
        work.copy_to_past(spec.kind, ids)
        work.transaction.run(
            f'UPDATE "{spec.kind}" SET "{ref.name}_id" = NULL, rev = :seq '
            f"WHERE id {work.transaction.database.compiler.in_ids}",
            seq=work.seq,
            ids=work.transaction.ids(list(ids)),
        )
        if ref.name in spec.roots:
            work.moved[spec.kind] |= ids


def _remove(work: Work, doomed: Ids) -> None:
    for kind, ids in doomed.items():
        if ids:
            work.copy_to_past(kind, ids)
            work.transaction.run(
                f'DELETE FROM "{kind}" WHERE id {work.transaction.database.compiler.in_ids}',
                ids=work.transaction.ids(list(ids)),
            )
            work.moved[kind] -= ids
