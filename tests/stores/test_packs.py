"""Small arrays stand many to a row, and each is read, shared and removed as if it stood alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import numpy as np
import pytest

from gnode_orm.core.changes import ArrayRef, ChangeSet
from gnode_orm.stores.local.store import LocalStore
from tests.stores.rows import create, inline, row

COUNT = 300
Open = Callable[[], LocalStore]


@pytest.fixture
def store(opened: Open) -> Iterator[LocalStore]:
    made = opened()
    yield made
    made.close()


def trains(count: int = COUNT) -> list[tuple[ArrayRef, dict[bytes, bytes]]]:
    numbers = np.random.default_rng(1)
    return [inline(np.sort(numbers.uniform(0, 100, size)), "s") for size in numbers.integers(0, 600, count)]


def commit(store: LocalStore, given: list[tuple[ArrayRef, dict[bytes, bytes]]]) -> list[int]:
    rows = [row("spiketrain", times=ref) for ref, _ in given]
    data = {hash_: content for _, arrays in given for hash_, content in arrays.items()}
    store.apply(ChangeSet(creates={"spiketrain": rows}, arrays=data), "ann")
    return [made[0] for made in rows]


def packs(store: LocalStore) -> dict[int, int]:
    with store._database.read() as transaction:
        return dict(transaction.query("SELECT id, length(data) FROM array_pack"))


def test_arrays_of_one_commit_share_rows_and_are_read_each_for_itself(store):
    given = trains()
    commit(store, given)
    assert len(packs(store)) < COUNT / 8
    assert sum(packs(store).values()) == sum(ref.nbytes for ref, _ in given)
    read = store.read_arrays([(ref, ...) for ref, _ in given])
    assert [array.tobytes() for array in read] == [data[ref.hash] for ref, data in given]
    ref, data = given[7]
    assert store.read_array(ref, slice(1, 3)).tobytes() == data[ref.hash][8:24]


def test_what_a_commit_names_again_is_not_written_again(store):
    given = trains()
    commit(store, given)
    before = packs(store)
    commit(store, given[:200])
    assert packs(store) == before


def test_packs_of_later_commits_stand_beside_those_before(store):
    given = trains()
    commit(store, given[:100])
    first = packs(store)
    commit(store, given[100:])
    assert first.items() <= packs(store).items()
    read = store.read_arrays([(ref, ...) for ref, _ in reversed(given)])
    assert [array.tobytes() for array in read] == [data[ref.hash] for ref, data in reversed(given)]


def test_what_nobody_names_leaves_its_pack_and_the_others_stay_readable(store, opened):
    given = trains()
    commit(store, given[::3])
    with store._database.write() as transaction:
        from gnode_orm.stores.local.array_packs import insert_arrays

        rest = [item for item in given if item not in given[::3]]
        insert_arrays(transaction, [(ref, data[ref.hash]) for ref, data in [*rest, *trains(400)[-50:]]])
    kept = [given[1], given[4], given[-1]]
    commit(store, kept)
    with store._database.write() as transaction:
        transaction.run('UPDATE "array" SET touched = 0')
    collector = store.collector(timedelta(hours=1))
    removed = collector.remove(collector.find())
    assert removed.arrays
    named = [*given[::3], *kept]
    sizes = {ref.hash: ref.nbytes for ref, _ in named}
    assert sum(packs(store).values()) == sum(sizes.values())
    other = opened()
    read = other.read_arrays([(ref, ...) for ref, _ in named])
    other.close()
    assert [array.tobytes() for array in read] == [data[ref.hash] for ref, data in named]
    create(store, "spiketrain", times=given[2][0], arrays=given[2][1])
    assert store.read_array(given[2][0]).tobytes() == given[2][1][given[2][0].hash]
