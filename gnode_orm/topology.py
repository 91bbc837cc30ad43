"""Topological order of items that depend on each other; knows only items and pairs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

from gnode_orm.errors import CycleError

T = TypeVar("T", bound=Hashable)


def topological_order(items: Sequence[T], parents_of: Callable[[T], Iterable[T]]) -> list[T]:
    """Sort ``items`` so that each stands after its parents, keeping the given order where it is free.

    Parents that are not among the items are ignored. Iterative, so depth is no limit.

    Raises:
        CycleError: some items depend on each other in a ring; ``cycle`` lists one.
    """
    known = dict.fromkeys(items)
    waiting: dict[T, int] = {}
    children: dict[T, list[T]] = {}
    for item in known:
        parents = [parent for parent in dict.fromkeys(parents_of(item)) if parent in known]
        waiting[item] = len(parents)
        for parent in parents:
            children.setdefault(parent, []).append(item)
    ready = deque(item for item, count in waiting.items() if count == 0)
    order: list[T] = []
    while ready:
        item = ready.popleft()
        order.append(item)
        for child in children.get(item, ()):
            waiting[child] -= 1
            if waiting[child] == 0:
                ready.append(child)
    if len(order) < len(known):
        done = set(order)
        cycle = _one_cycle([item for item in known if item not in done], parents_of)
        raise CycleError("References form a ring: " + " -> ".join(map(repr, [*cycle, cycle[0]])), cycle)
    return order


def _one_cycle(items: Sequence[T], parents_of: Callable[[T], Iterable[T]]) -> list[T]:
    # Every item left over has a parent that is left over too, so walking up must meet itself.
    left = set(items)
    seen: dict[T, int] = {}
    path: list[T] = []
    item = items[0]
    while item not in seen:
        seen[item] = len(path)
        path.append(item)
        item = next(parent for parent in parents_of(item) if parent in left)
    return path[seen[item] :]
