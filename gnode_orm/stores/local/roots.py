"""Roots found anew where a reference that decides them changed, down the whole tree below; no version changes."""

from __future__ import annotations

from functools import cache

from gnode_orm.core.schema import SCHEMA, KindSpec
from gnode_orm.errors import CycleError
from gnode_orm.stores.local.work import Work, label


def propagate(work: Work) -> None:
    """Write the roots of everything that moved, parents before children."""
    if work.moved.get("section"):
        _check_rings(work)
    for kind, spec in SCHEMA.items():
        level = list(work.moved.get(kind, ()))
        while level:
            _write(work, spec, level)
            below = _below(work, kind, level)
            level = below.pop(kind, [])
            for child, ids in below.items():
                work.moved[child].update(ids)


def _check_rings(work: Work) -> None:
    rows = work.transaction.query(
        "WITH RECURSIVE up(first, above) AS ("
        f"SELECT id, section_id FROM section WHERE id {work.transaction.database.compiler.in_ids} "
        "UNION SELECT up.first, section.section_id FROM up JOIN section ON section.id = up.above) "
        "SELECT first FROM up WHERE first = above",
        ids=work.transaction.ids(list(work.moved["section"])),
    )
    if rows:
        ring = sorted(label("section", id_) for (id_,) in rows)
        raise CycleError(f"{ring[0]} would stand inside itself; nothing was written", ring)


def _write(work: Work, spec: KindSpec, ids: list[int]) -> None:
    work.transaction.run(
        f'UPDATE "{spec.kind}" SET root = {_root_of(spec)} WHERE id {work.transaction.database.compiler.in_ids}',
        ids=work.transaction.ids(ids),
    )


def _root_of(spec: KindSpec) -> str:
    if spec.kind == "recordingchannel":
        return (
            "(SELECT g.root FROM recordingchannel_group AS l JOIN recordingchannelgroup AS g ON g.id = l.grp "
            "WHERE l.channel = recordingchannel.id ORDER BY l.born, l.n LIMIT 1)"
        )
    ways = [
        f'(SELECT p.root FROM "{spec.by_name[name].target}" AS p WHERE p.id = "{spec.kind}"."{name}_id")'
        for name in spec.roots
    ]
    return f"coalesce({', '.join([*ways, 'NULL'])})"


@cache
def _children(kind: str) -> list[tuple[str, str]]:
    return [
        (spec.kind, f'SELECT id FROM "{spec.kind}" WHERE "{name}_id"')
        for spec in SCHEMA.values()
        for name in spec.roots
        if spec.by_name[name].target == kind
    ]


def _below(work: Work, kind: str, ids: list[int]) -> dict[str, list[int]]:
    ways = list(_children(kind))
    if kind == "recordingchannelgroup":
        ways.append(("recordingchannel", "SELECT channel FROM recordingchannel_group WHERE grp"))
    bound, in_ids = work.transaction.ids(ids), work.transaction.database.compiler.in_ids
    below: dict[str, list[int]] = {}
    for child, query in ways:
        found = work.transaction.query(f"{query} {in_ids}", ids=bound)
        below.setdefault(child, []).extend(id_ for (id_,) in found)
    return below
