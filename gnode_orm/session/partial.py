"""Commits of which a store could write a part alone: what is done is settled, and what is left stays pending."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from gnode_orm.core.changes import PartlyWritten
from gnode_orm.errors import PartialCommit
from gnode_orm.session.plan import Plan, PlanItem


def written_part(plan: Plan, stopped: PartlyWritten) -> Plan:
    """Give the part of a plan that is written: everything but the deletes that are not done."""
    left = {*stopped.failed, *stopped.untried}
    return replace(plan, deletes=[planned for planned in plan.deletes if _key(planned.obj) not in left])


def partial_commit(plan: Plan, stopped: PartlyWritten) -> PartialCommit:
    """Build the error that says what of a plan is done, failed and untried."""
    failed, untried = _deletes(plan, stopped.failed), _deletes(plan, stopped.untried)
    left = {id(item.obj) for item in [*failed, *untried]}
    done = [item for item in plan.items if item.op != "delete" or id(item.obj) not in left]
    return PartialCommit(
        f"{len(done)} of {len(plan.items)} changes are written; {failed[0].obj!r} could not be deleted "
        f"({stopped.cause}), and {len(untried)} deletes behind it were not tried. Commit again to go on with what is "
        "left, or roll back to keep these objects",
        done=done,
        failed=failed,
        untried=untried,
    )


def _deletes(plan: Plan, keys: Iterable[tuple[str, int]]) -> list[PlanItem]:
    wanted = set(keys)
    return [item for item in plan.items if item.op == "delete" and _key(item.obj) in wanted]


def _key(entity: Any) -> tuple[str, int]:
    return entity.kind, entity._state.id
