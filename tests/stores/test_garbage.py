"""What is of no use is removed, and nothing else, whatever commits do at the same time."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnode_orm.core.arrayhash import LEAF, array_hash
from gnode_orm.core.changes import ArrayRef, ChangeSet, Delete, Update
from gnode_orm.core.overview import FACTORS
from gnode_orm.core.select import Select
from gnode_orm.errors import AccessDenied, IntegrityError, NotFound, StoreUnavailable
from gnode_orm.stores.local.array_writing import ArrayWriter
from gnode_orm.stores.local.garbage import Garbage
from gnode_orm.stores.local.store import LocalStore
from tests.stores.rows import columns, create, field, row
from tests.stores.test_arrays import Pieces

NOW = timedelta(0)
Open = Callable[[], LocalStore]


@pytest.fixture
def store(opened: Open) -> Iterator[LocalStore]:
    made = opened()
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lab" / "arrays"


def put(store: LocalStore, count: int = 10_000, value: float = 1.0) -> ArrayRef:
    return store.put_arrays([(Pieces(np.full(count, value), 4_000), "mV")])[0]


def collect(store: LocalStore, older_than: timedelta = NOW) -> Garbage:
    collector = store.collector(older_than)
    return collector.remove(collector.find())


def age(store: LocalStore, folder: Path) -> None:
    """Make everything look as if it had been left alone for days."""
    with store._database.write() as transaction:
        transaction.run('UPDATE "array" SET touched = 0')
    for path in folder.rglob("*"):
        if path.is_file():
            os.utime(path, (0, 0))


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file() and path.name != "lock"}


@pytest.mark.parametrize("count", [10, 10_000])
def test_an_array_that_no_version_names_is_removed(store, folder, count):
    ref = put(store, count)
    gone = collect(store)
    assert gone.counts == {"arrays": 1, "files": int(count > 10), "packs": 0, "beside": 0, "uploads": 0, "temporary": 0}
    assert gone.nbytes >= ref.nbytes
    assert files(folder) == set()
    with pytest.raises(NotFound):
        store.read_array(ref)


def test_finding_removes_nothing(store, folder):
    ref = put(store)
    before = files(folder)
    assert store.collector(NOW).find().counts["arrays"] == 1
    assert files(folder) == before
    assert store.read_array(ref)[0] == 1.0


def test_arrays_of_every_version_stay(store, folder):
    refs = [put(store, value=value) for value in (1.0, 2.0, 3.0)]
    segment = create(store, "segment")
    signal = row("analogsignal", signal=refs[0], segment=segment)
    first = store.apply(ChangeSet(creates={"analogsignal": [signal]}), "ann")
    values = columns("analogsignal", signal=refs[1])
    second = store.apply(ChangeSet(updates=[Update("analogsignal", signal[0], first.version, values)]), "ann")
    store.apply(ChangeSet(deletes=[Delete("analogsignal", signal[0], second.version)]), "ann")
    assert collect(store).counts["arrays"] == 1
    for ref, value in zip(refs[:2], (1.0, 2.0), strict=True):
        assert store.read_array(ref)[-1] == value
    versions = store.history("analogsignal", signal[0], "ann")
    assert [version.row is None for version in versions] == [False, False, True]


def test_what_was_sent_a_short_time_ago_stays(store):
    ref = put(store)
    assert not store.collector(timedelta(hours=1)).find()
    create(store, "analogsignal", signal=ref)
    assert store.read_array(ref)[0] == 1.0


def test_sending_an_orphan_again_makes_it_new(store, folder):
    put(store)
    age(store, folder)
    ref = put(store)
    assert not collect(store, timedelta(hours=1))
    create(store, "analogsignal", signal=ref)


@pytest.mark.parametrize("count", [10, 10_000])
def test_an_orphan_that_a_commit_names_between_finding_and_removing_stays(opened, store, folder, count):
    ref = put(store, count)
    age(store, folder)
    collector = store.collector(NOW)
    found = collector.find()
    other = opened()
    create(other, "analogsignal", signal=ref)
    assert not collector.remove(found)
    assert other.read_array(ref)[0] == 1.0
    other.close()
    again = opened()
    assert again.read_array(ref)[0] == 1.0
    again.close()


def test_an_orphan_that_is_sent_between_finding_and_removing_stays(opened, store, folder):
    put(store)
    age(store, folder)
    collector = store.collector(timedelta(hours=1))
    found = collector.find()
    other = opened()
    ref = put(other)
    assert not collector.remove(found)
    create(other, "analogsignal", signal=ref)
    assert other.read_array(ref)[0] == 1.0
    other.close()


def test_an_orphan_that_was_named_and_deleted_again_in_between_stays_for_its_history(opened, store, folder):
    ref = put(store)
    age(store, folder)
    collector = store.collector(NOW)
    found = collector.find()
    other = opened()
    made = row("analogsignal", signal=ref)
    receipt = other.apply(ChangeSet(creates={"analogsignal": [made]}), "ann")
    other.apply(ChangeSet(deletes=[Delete("analogsignal", made[0], receipt.version)]), "ann")
    other.close()
    assert not collector.remove(found)
    assert store.read_array(ref)[0] == 1.0


def test_a_commit_whose_array_was_removed_before_is_refused_whole_and_its_second_try_works(opened, store, folder):
    ref = put(store)
    age(store, folder)
    other = opened()
    assert collect(other)
    other.close()
    with pytest.raises(IntegrityError, match="store it with put_arrays first"):
        create(store, "analogsignal", signal=ref)
    again = put(store)
    create(store, "analogsignal", signal=again)
    assert store.read_array(again)[0] == 1.0


def test_a_file_that_is_on_its_way_to_its_row_stays_or_the_put_is_refused(opened, store, folder, monkeypatch):
    register = ArrayWriter._register

    def collecting(self: ArrayWriter, *drafts: Any) -> None:
        other = opened()
        gone.append(collect(other, older))
        other.close()
        register(self, *drafts)

    gone: list[Garbage] = []
    monkeypatch.setattr(ArrayWriter, "_register", collecting)
    older = timedelta(hours=1)
    ref = put(store)
    assert not gone[0]
    create(store, "analogsignal", signal=ref)
    older = NOW
    with pytest.raises(StoreUnavailable, match="removed while it was stored"):
        put(store, value=2.0)
    assert gone[1].counts["files"] == 1


def test_a_file_that_was_left_without_a_row_is_removed(store, folder, monkeypatch):
    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ArrayWriter, "_register", crash)
        with pytest.raises(KeyboardInterrupt):
            put(store)
    assert len(files(folder)) == 1
    assert not collect(store, timedelta(hours=1))
    assert collect(store).counts["files"] == 1
    assert files(folder) == set()


def test_a_file_that_arrays_share_stays_while_one_of_them_is_named(store):
    from gnode_orm.core.arrays import ArrayHandle
    from gnode_orm.core.streamed import ExtendedArray
    from gnode_orm.units import unit_of

    base = put(store)
    handle = ArrayHandle.stored(store, base)
    more = ArrayHandle.in_memory(np.full(10_000, 2.0), unit_of("mV"))
    longer = store.put_arrays([(ExtendedArray(handle, more), "mV")])[0]
    create(store, "analogsignal", signal=longer)
    assert collect(store).counts["files"] == 0
    assert store.read_array(longer)[[0, -1]].tolist() == [1.0, 2.0]


def test_overviews_of_arrays_that_are_gone_and_of_former_resolutions_are_removed(store, folder):
    kept, gone = (put(store, 1 << 19, value) for value in (1.0, 2.0))
    create(store, "analogsignal", signal=kept)
    for ref in (kept, gone):
        store.read_extremes(ref, FACTORS[0])
    stem = folder / kept.hash.hex()[:2] / kept.hash.hex()
    stem.with_suffix(".minmax-7.npy").touch()
    age(store, folder)
    removed = collect(store)
    assert removed.counts == {
        "arrays": 1,
        "files": 1,
        "packs": 0,
        "beside": len(FACTORS) + 1,
        "uploads": 0,
        "temporary": 0,
    }
    assert {name[:64] for name in files(folder)} == {kept.hash.hex()}
    assert store.read_extremes(kept, FACTORS[0]) is not None


def test_files_whose_writing_was_cut_short_are_removed(store, folder):
    put(store)
    (folder / f"tmp-{'0' * 16}").write_bytes(b"half")
    (folder / "notes.txt").write_text("not ours")
    assert collect(store, timedelta(hours=1)).counts["temporary"] == 0
    age(store, folder)
    assert collect(store).counts["temporary"] == 1
    assert files(folder) == {"notes.txt"}


UPLOAD = "5" * 48
TWO_PIECES = np.arange(1, LEAF / 8 * 2 + 1)
DIGESTS = b"".join(hashlib.sha256(half).digest() for half in np.split(TWO_PIECES, 2))


def begin(store: LocalStore) -> ArrayRef:
    assert store.uploads.begin(UPLOAD, TWO_PIECES.dtype, TWO_PIECES.shape, "ann") == [0, 1]
    return ArrayRef(array_hash(TWO_PIECES), TWO_PIECES.dtype.str, TWO_PIECES.shape, None)


def put_piece(store: LocalStore, number: int) -> None:
    data = TWO_PIECES.tobytes()[number * LEAF : (number + 1) * LEAF]
    store.uploads.put(UPLOAD, number, data, hashlib.sha256(data).digest(), "ann")


def test_an_upload_that_was_given_up_is_removed_and_can_be_begun_again(store, folder):
    ref = begin(store)
    put_piece(store, 0)
    assert not collect(store, timedelta(hours=1))
    age(store, folder)
    assert collect(store).counts["uploads"] == 2
    assert files(folder) == set()
    assert begin(store) == ref
    for number in (0, 1):
        put_piece(store, number)
    assert store.read_array(ref)[-1] == TWO_PIECES[-1]


def test_an_upload_that_is_gone_on_with_between_finding_and_removing_stays(store, folder):
    ref = begin(store)
    age(store, folder)
    collector = store.collector(timedelta(hours=1))
    found = collector.find()
    assert found.counts["uploads"] == 2
    assert begin(store) == ref
    assert not collector.remove(found)
    for number in (0, 1):
        put_piece(store, number)
    assert store.read_array(ref)[0] == 1.0


def test_an_upload_that_waited_for_long_and_is_finished_stays(store, folder, monkeypatch):
    ref = begin(store)
    with monkeypatch.context() as patch:
        patch.setattr(type(store.uploads), "_finish", lambda *_: None)
        for number in (0, 1):
            put_piece(store, number)
    age(store, folder)
    register = ArrayWriter._register

    def collecting(self: ArrayWriter, *drafts: Any) -> None:
        assert collect(store, timedelta(hours=1)).counts["files"] == 0
        register(self, *drafts)

    monkeypatch.setattr(ArrayWriter, "_register", collecting)
    found = store.uploads.go_on(UPLOAD, TWO_PIECES.dtype, TWO_PIECES.shape, DIGESTS, "ann")
    assert found == (UPLOAD, [])
    assert store.read_array(ref)[0] == 1.0


def test_a_lab_that_is_only_read_is_looked_at_and_not_changed(opened, store):
    put(store)
    store.readonly = True
    collector = store.collector(NOW)
    found = collector.find()
    assert found.counts["arrays"] == 1
    with pytest.raises(AccessDenied, match="readonly=True"):
        collector.remove(found)


def _commit_orphans(opened: Open, number: int, ready: Any, rounds: int) -> None:
    """Send arrays that others send as well, and name them; what was removed in between is sent again."""
    store = opened()
    ready.wait()
    for count in range(rounds):
        for _ in range(100):
            try:
                put(store, value=-1.0 - count)
                create(store, "analogsignal", signal=put(store, value=float(count)), by=f"user{number}")
            except (IntegrityError, StoreUnavailable):
                continue  # said, nothing written
            break
    store.close()


def test_collecting_without_patience_beside_committing_processes_loses_nothing(opened, store):
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(3)
    others = [context.Process(target=_commit_orphans, args=(opened, number, ready, 15)) for number in (1, 2)]
    for other in others:
        other.start()
    ready.wait(60)
    removed, seen = 0, None
    while any(other.is_alive() for other in others):
        with store._database.read() as transaction:
            ((last,),) = transaction.query("SELECT max(seq) FROM change_set")
        # A collector that waits for nobody, and never rests, would take every array before it is named.
        if last != seen:
            removed += collect(store).counts["arrays"]
        seen = last
    assert [other.exitcode for other in others] == [0, 0]
    assert removed > 0
    named = 0
    fresh = opened()
    for user in ("user1", "user2"):
        for record in fresh.select(Select("analogsignal"), user).rows:
            hash_, type_text = (field("analogsignal", record, name) for name in ("signal_hash", "signal_type"))
            values = fresh.read_array(ArrayRef.from_columns(hash_, type_text))
            assert (values == values[0]).all()
            assert 0 <= values[0] < 15
            named += 1
    fresh.close()
    assert named == 30
