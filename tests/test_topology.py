from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm.errors import CycleError, IntegrityError
from gnode_orm.topology import topological_order

DEEP = 20_000


def test_a_chain_of_20000_in_reverse_order_is_sorted() -> None:
    order = topological_order(range(DEEP, -1, -1), lambda item: [item - 1] if item else [])
    assert order == list(range(DEEP + 1))


def test_where_nothing_depends_the_given_order_stays() -> None:
    assert topological_order(["c", "a", "b"], lambda _: ()) == ["c", "a", "b"]


def test_parents_outside_the_items_do_not_matter() -> None:
    assert topological_order([2, 1], lambda item: [item + 10]) == [2, 1]


@pytest.mark.parametrize("parents", [{"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, {"a": ["a"]}])
def test_a_ring_is_named(parents: dict[str, list[str]]) -> None:
    with pytest.raises(CycleError, match="form a ring") as caught:
        topological_order(list(parents), parents.__getitem__)
    cycle = caught.value.cycle
    assert isinstance(caught.value, IntegrityError)
    assert all(nearer in parents[item] for item, nearer in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
    assert str(caught.value).count("->") == len(cycle)


def test_a_ring_below_a_long_chain_is_found() -> None:
    parents = {0: DEEP} | {item: item - 1 for item in range(1, DEEP + 1)}
    with pytest.raises(CycleError) as caught:
        topological_order(list(parents), lambda item: [parents[item]])
    assert len(caught.value.cycle) == DEEP + 1


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[int], dict[int, list[int]]]:
    """Items in any order, each with parents of a smaller number."""
    count = draw(st.integers(0, 30))
    parents = {item: draw(st.lists(st.integers(0, item - 1), max_size=4)) if item else [] for item in range(count)}
    return draw(st.permutations(range(count))), parents


@given(graphs())
def test_each_item_stands_once_and_after_its_parents(graph: tuple[list[int], dict[int, list[int]]]) -> None:
    items, parents = graph
    order = topological_order(items, parents.__getitem__)
    place = {item: number for number, item in enumerate(order)}
    assert sorted(order) == sorted(items)
    assert all(place[parent] < place[item] for item in items for parent in parents[item])


@given(graphs(), st.data())
def test_any_ring_is_refused(graph: tuple[list[int], dict[int, list[int]]], data: st.DataObject) -> None:
    items, parents = graph
    if not items:
        return
    last = max(items)
    first = data.draw(st.sampled_from(sorted(items)))
    ring = {**parents, first: [*parents[first], last], last: [*parents[last], first]}
    with pytest.raises(CycleError):
        topological_order(items, ring.__getitem__)
