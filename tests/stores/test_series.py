"""Arrays that grow many times: what each append costs, versions that branch, and what is left when some are removed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm import AnalogSignalArray, Session
from gnode_orm.core.arrayhash import array_hash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import NotFound, StoreUnavailable
from gnode_orm.stores.local import array_folder, open_local
from gnode_orm.stores.local.array_writing import ArrayWriter
from gnode_orm.stores.local.backup import backup
from gnode_orm.stores.local.restoring import restore
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.local.upgrading import upgrade
from tests.stores.old_labs import make_older
from tests.stores.rows import create

ROWS = 20_000
Open = Callable[[], LocalStore]


def samples(rows: int = ROWS, seed: int = 0) -> Any:
    return np.random.default_rng(seed).integers(-1000, 1000, (rows, 4), dtype=np.int16)


def held(array: Any) -> ArrayHandle:
    return ArrayHandle.in_memory(array, None).with_unit("uV")


def first(store: LocalStore, array: Any) -> ArrayRef:
    return store.put_arrays([(held(array), "uV")])[0]


def longer(store: LocalStore, ref: ArrayRef, more: Any) -> ArrayRef:
    return store.put_arrays([(ArrayHandle.stored(store, ref).extended(held(more)), "uV")])[0]


def part_rows(store: LocalStore) -> int:
    with store._database.read() as transaction:
        ((count,),) = transaction.query("SELECT count(*) FROM array_part")
    return int(count)


@pytest.fixture
def store(opened: Open) -> Iterator[LocalStore]:
    made = opened()
    yield made
    made.close()


def test_each_append_adds_one_row_and_every_version_stays_readable(store):
    whole = samples(30_000)
    refs = [first(store, whole[:ROWS])]
    for end in range(ROWS + 500, 30_001, 500):
        refs.append(longer(store, refs[-1], whole[end - 500 : end]))
    assert part_rows(store) == len(refs) == 21
    for ref in refs:
        assert ref.hash == array_hash(whole[: ref.shape[0]])
        assert np.array_equal(store.read_array(ref), whole[: ref.shape[0]])


def test_versions_that_begin_alike_go_their_own_ways(store):
    whole, other = samples(30_000), samples(30_000, seed=1)
    trunk = longer(store, first(store, whole[:ROWS]), whole[ROWS:25_000])
    left, right = longer(store, trunk, whole[25_000:]), longer(store, trunk, other[25_000:])
    both = store.put_arrays(
        [(ArrayHandle.stored(store, ref).extended(held(other[:100])), "uV") for ref in (left, right)]
    )
    beginning = whole[:25_000]
    for ref, wanted in [
        (left, whole),
        (right, np.concatenate([beginning, other[25_000:]])),
        (both[0], np.concatenate([whole, other[:100]])),
        (both[1], np.concatenate([beginning, other[25_000:], other[:100]])),
    ]:
        assert ref.hash == array_hash(wanted)
        assert np.array_equal(store.read_array(ref), wanted)
    assert part_rows(store) == 2 + 1 + 3 + 2


def test_two_arrays_appended_to_one_in_one_step_are_both_there(store):
    base = first(store, samples())
    more = [samples(600, seed=1), samples(600, seed=2)]
    refs = store.put_arrays([(ArrayHandle.stored(store, base).extended(held(rows)), "uV") for rows in more])
    for ref, rows in zip(refs, more, strict=True):
        assert np.array_equal(store.read_array(ref, np.s_[ROWS - 10 :]), np.concatenate([samples()[-10:], rows]))


@pytest.mark.parametrize("program", ["this", "another"])
def test_another_program_goes_on_where_one_stopped(opened, store, program):
    """One that did not write what was there reads the unfinished leaf of it."""
    whole = samples(2_200_000)
    ref = longer(store, first(store, whole[:2_000_000]), whole[2_000_000:2_000_100])
    other = store if program == "this" else opened()
    assert longer(other, ref, whole[2_000_100:]).hash == array_hash(whole)
    if other is not store:
        other.close()


@given(
    cuts=st.lists(st.integers(1, 999), max_size=8, unique=True).map(sorted),
    key=st.one_of(
        st.slices(1000),
        st.integers(-1000, 999),
        st.tuples(st.slices(1000), st.integers(0, 3)),
        st.tuples(st.integers(-1000, 999), st.slices(4)),
        st.lists(st.integers(0, 999), min_size=1, max_size=5),
    ),
    start=st.integers(0, 1000),
)
def test_an_array_in_many_files_reads_like_one_in_memory(grown, cuts, key, start):
    store, whole = grown
    ref = first(store, whole[:ROWS])
    ends = [ROWS + cut for cut in [*cuts, 1000]]
    for low, high in zip([ROWS, *ends], ends, strict=False):
        ref = longer(store, ref, whole[low:high])
    tail = np.s_[ROWS:]
    assert np.array_equal(store.read_array(ref, tail)[key], whole[tail][key])
    assert np.array_equal(store.read_array(ref, key), whole[key])
    array = store._arrays._known([ref])[ref.hash]
    assert np.array_equal(np.concatenate([whole[:0], *array.rows_from(ROWS - 5 + start)]), whole[ROWS - 5 + start :])


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalStore, Any]]:
    kept = array_folder._PARTS
    array_folder._PARTS = 3  # fewer than there are files, so that they come and go
    store = open_local(tmp_path_factory.mktemp("grown") / "lab")
    yield store, samples(ROWS + 1000)
    store.close()
    array_folder._PARTS = kept


def collect(store: LocalStore) -> dict[str, int]:
    collector = store.collector(timedelta(0))
    return collector.remove(collector.find()).counts


def test_removing_a_longer_version_leaves_the_files_of_the_shorter_one(store):
    whole = samples(30_000)
    short = first(store, whole[:ROWS])
    create(store, "analogsignalarray", signal=short)
    long = longer(store, longer(store, short, whole[ROWS:25_000]), whole[25_000:])
    assert collect(store)["arrays"] == 2
    assert part_rows(store) == 1
    assert np.array_equal(store.read_array(short), whole[:ROWS])
    with pytest.raises(NotFound):
        store.read_array(long)
    again = longer(store, short, whole[ROWS:])
    assert again.hash == array_hash(whole)
    assert np.array_equal(store.read_array(again), whole)


def test_removing_a_shorter_version_leaves_what_the_longer_one_shares(store):
    whole = samples(30_000)
    short = first(store, whole[:ROWS])
    long = longer(store, short, whole[ROWS:])
    create(store, "analogsignalarray", signal=long)
    assert collect(store) == {"arrays": 1, "files": 0, "packs": 0, "beside": 0, "uploads": 0, "temporary": 0}
    assert np.array_equal(store.read_array(long), whole)
    assert first(store, whole[:ROWS]) == short
    assert np.array_equal(store.read_array(short), whole[:ROWS])


def test_a_reader_finds_what_was_removed_and_stored_again_in_one_file(store, opened):
    whole = samples(30_000)
    ref = longer(store, first(store, whole[:ROWS]), whole[ROWS:])
    reader = opened()
    assert np.array_equal(reader.read_array(ref, np.s_[:10]), whole[:10])
    collect(store)
    assert first(store, whole) == ref
    assert np.array_equal(reader.read_array(ref), whole)
    reader.close()


def test_what_is_removed_while_rows_are_appended_to_it_is_said(store, monkeypatch):
    ref = first(store, samples())
    register = ArrayWriter._register

    def late(self: ArrayWriter, *drafts: Any) -> None:
        collect(store)
        register(self, *drafts)

    monkeypatch.setattr(ArrayWriter, "_register", late)
    with pytest.raises(StoreUnavailable, match="commit again"):
        longer(store, ref, samples(600, seed=1))


def test_a_backup_has_what_versions_name_of_a_series_and_no_more(tmp_path):
    whole = samples(30_000)
    store = open_local(tmp_path / "lab")
    short = first(store, whole[:ROWS])
    middle = longer(store, short, whole[ROWS:25_000])
    create(store, "analogsignalarray", signal=middle)
    longer(store, middle, whole[25_000:])
    store.close()
    assert backup(str(tmp_path / "lab"), tmp_path / "lab.tar").arrays == 2
    restore(tmp_path / "lab.tar", str(tmp_path / "restored"))
    restored = open_local(tmp_path / "restored")
    assert part_rows(restored) == 2
    assert np.array_equal(restored.read_array(middle), whole[:25_000])
    assert np.array_equal(restored.read_array(longer(restored, middle, whole[25_000:])), whole)
    restored.close()


def test_a_lab_that_repeats_the_files_of_each_version_is_brought_up(tmp_path):
    """As format 5 kept them."""
    whole = samples(30_000)
    with Session(tmp_path / "lab") as session:
        signal = session.add(AnalogSignalArray((whole[:ROWS], "uV"), sampling_rate=(1, "kHz")))
        begin = session.commit()
        signal.signal = signal.signal.extended((whole[ROWS:], "uV"))
        session.commit()
    with closing(sqlite3.connect(tmp_path / "lab" / "lab.sqlite")) as database:
        make_older(database, 6)
        database.executescript(
            'CREATE TABLE old ("array" BLOB NOT NULL, n INTEGER NOT NULL, file TEXT NOT NULL, rows INTEGER NOT NULL, '
            'PRIMARY KEY ("array", n)); '
            'INSERT INTO old SELECT hash, n, file, rows FROM "array" JOIN array_part USING (series) WHERE n < parts; '
            "DROP TABLE array_part; ALTER TABLE old RENAME TO array_part; DROP INDEX array_series; "
            'ALTER TABLE "array" DROP COLUMN series; ALTER TABLE "array" DROP COLUMN parts; '
            "UPDATE lab SET format = 5"
        )
    assert upgrade(str(tmp_path / "lab")).before == 5
    with Session(tmp_path / "lab") as session:
        signal = session.query(AnalogSignalArray).one()
        assert np.array_equal(signal.signal.magnitude, whole)
        signal.signal = signal.signal.extended((whole[:700], "uV"))
        session.commit()
        assert np.array_equal(signal.signal.magnitude, np.concatenate([whole, whole[:700]]))
        then = session.lab.session(at=begin.id).query(AnalogSignalArray).one()
        assert np.array_equal(then.signal.magnitude, whole[:ROWS])
