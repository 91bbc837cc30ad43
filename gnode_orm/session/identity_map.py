"""The identity map: one instance for each stored object, held weakly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from typing import Any

from gnode_orm.core.state import State


class IdentityMap:
    """Instances by kind and id. An instance that nobody else holds leaves the map by itself: its state says so."""

    def __init__(self) -> None:
        self._kinds: defaultdict[str, dict[int, State]] = defaultdict(dict)

    def get(self, kind: str, id: int) -> Any:
        """Give the instance, or ``None``."""
        state = self._kinds[kind].get(id)
        return None if state is None else state()

    def of(self, kind: str) -> dict[int, State]:
        """Give the states of one kind by id; some of their instances may just have gone."""
        return self._kinds[kind]

    def add(self, state: State) -> None:
        """Enter an instance by its state."""
        self._kinds[state.kind][state.id] = state

    def add_all(self, states: Iterable[State]) -> None:
        """Enter many instances, those of a kind together."""
        for kind, group in groupby(states, attrgetter("kind")):
            self._kinds[kind].update((state.id, state) for state in group)

    def remove(self, kind: str, id: int) -> None:
        """Take an instance out."""
        self._kinds[kind].pop(id, None)

    def forget(self, state: State) -> None:
        """Take out an instance that is gone, unless another has come in its place."""
        if self._kinds[state.kind].get(state.id) is state:
            del self._kinds[state.kind][state.id]

    def of_kind(self, kind: str) -> list[Any]:
        """Give the instances of one kind that are alive."""
        found = [state() for state in list(self._kinds[kind].values())]
        return [entity for entity in found if entity is not None]

    def __iter__(self) -> Iterator[Any]:
        for kind in list(self._kinds):
            yield from self.of_kind(kind)

    def __len__(self) -> int:
        return sum(map(len, self._kinds.values()))

    def clear(self) -> None:
        """Forget every instance."""
        self._kinds.clear()
