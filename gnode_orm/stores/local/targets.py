"""What a change set updates and deletes must exist, be writable, and be as it was when it was read."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from gnode_orm.core.changes import Delete, Stale, StaleRows, Update, Version
from gnode_orm.errors import AccessDenied, IntegrityError, NotFound
from gnode_orm.stores.local.reading import record_of
from gnode_orm.stores.local.rights import readable
from gnode_orm.stores.local.tables import lab_tables
from gnode_orm.stores.local.work import Work, label


def check_targets(work: Work) -> None:
    """Check every update and delete; all that are stale are told at once."""
    stale: list[Stale] = []
    seen: set[tuple[str, int]] = set()
    items: list[Update | Delete] = [*work.changes.updates, *work.changes.deletes]
    for item in items:
        if (item.kind, item.id) in seen:
            raise IntegrityError(f"{label(item.kind, item.id)} is changed twice in one change set")
        seen.add((item.kind, item.id))
        found = _check(work, item)
        if found is not None:
            stale.append(found)
    if stale:
        raise StaleRows(stale)


def _check(work: Work, item: Update | Delete) -> Stale | None:
    state = work.states[item.kind].get(item.id)
    if state is None:
        return _deleted(work, item)
    if not state.readable:
        raise _not_found(item)
    if not state.writable:
        raise AccessDenied(f"{label(item.kind, item.id)} can be read but not changed by {work.actor}")
    if state.rev == item.base:
        return None
    row = record_of(work.transaction, item.kind, item.id, work.actor)
    return Stale(item.kind, item.id, item.base, row, user_of(work, state.rev), state.rev)


def _deleted(work: Work, item: Update | Delete) -> Stale:
    compiler = work.transaction.database.compiler
    text = compiler.cached(("deleted", item.kind), lambda: _last_past(item.kind))
    ((until,),) = work.transaction.rows(text, {"id": item.id, "actor": work.actor})
    if until is None:
        raise _not_found(item)
    return Stale(item.kind, item.id, item.base, None, user_of(work, until), until)


def _last_past(kind: str) -> sa.Select[Any]:
    past = lab_tables().kinds[kind].past
    return sa.select(sa.func.max(past.c.rev + past.c.held)).where(past.c.id == sa.bindparam("id"), readable(past, kind))


def _not_found(item: Update | Delete) -> NotFound:
    return NotFound(f"{label(item.kind, item.id)} does not exist; nothing was written")


def user_of(work: Work, version: Version) -> str | None:
    """Who wrote a version."""
    rows = work.transaction.query("SELECT actor FROM change_set WHERE seq = :seq", seq=version)
    return str(rows[0][0]) if rows else None
