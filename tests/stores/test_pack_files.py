"""The small arrays of a large commit stand in files, durable, shared and looked after as larger arrays are."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnode_orm.cli.doctor import BAD
from gnode_orm.cli.doctor_lab import lab_checks
from gnode_orm.core.arrayhash import array_hash
from gnode_orm.core.changes import ArrayRef, ChangeSet
from gnode_orm.errors import FormatError, IntegrityError, StoreUnavailable
from gnode_orm.stores.local import apply as applying
from gnode_orm.stores.local import array_bucket, open_local, pack_files
from gnode_orm.stores.local.array_files import Packed
from gnode_orm.stores.local.array_packs import ref_of
from gnode_orm.stores.local.backup import backup
from gnode_orm.stores.local.formats import FORMAT
from gnode_orm.stores.local.packed_runs import runs_of
from gnode_orm.stores.local.restoring import restore
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.local.upgrading import upgrade
from tests.stores.old_labs import make_older
from tests.stores.rest.serving import served
from tests.stores.rows import new_id, row
from tests.stores.test_arrays import Pieces

Small = tuple[ArrayRef, bytes]
NOW = timedelta(0)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files for what is tiny, so that no test has to move megabytes."""
    monkeypatch.setattr(pack_files, "ENOUGH", 20_000)
    monkeypatch.setattr(pack_files, "_FILE", 80_000)


@pytest.fixture(params=["folder", "memory", "postgres", "s3"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], LocalStore]]:
    """Opens a lab, as often as it is called."""
    target, options = str(tmp_path / "lab"), dict[str, Any]()
    if request.param == "memory":
        target = ":memory:"
    elif request.param != "folder":
        target = request.getfixturevalue("emptied_postgres")
        options = {"arrays": request.getfixturevalue("bucket") if request.param == "s3" else tmp_path / "arrays"}
    made: list[LocalStore] = []

    def opening() -> LocalStore:
        if not made or target != ":memory:":
            made.append(open_local(target, **options))
        return made[-1]

    yield opening
    for store in made:
        store.close()


@pytest.fixture
def store(opened: Callable[[], LocalStore]) -> LocalStore:
    return opened()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[LocalStore]:
    """A lab in a folder."""
    made = open_local(tmp_path / "lab")
    yield made
    made.close()


def trains(count: int, seed: int = 1) -> list[Small]:
    numbers = np.random.default_rng(seed)
    return [small(np.sort(numbers.uniform(0, 100, size))) for size in numbers.integers(10, 500, count)]


def small(array: Any) -> Small:
    values = np.asarray(array)
    return ArrayRef(array_hash(values), values.dtype.str, values.shape, "s"), values.tobytes()


def commit(store: Any, items: list[Small], **fields: Any) -> None:
    rows = [row("spiketrain", times=ref, **fields) for ref, _ in items]
    store.apply(ChangeSet(creates={"spiketrain": rows}, arrays={ref.hash: data for ref, data in items}), "ann")


def files(store: LocalStore) -> dict[str, int]:
    return {file.name: file.size for file in store._arrays.files.listed(lambda name: name.endswith(".pack"))}


def rows(store: LocalStore) -> dict[str, int]:
    """The files that rows name, with their sizes."""
    with store._database.read() as transaction:
        return dict(transaction.query("SELECT file, size FROM array_pack WHERE file IS NOT NULL"))


def check(store: Any, items: list[Small]) -> None:
    read = store.read_arrays([(ref, ...) for ref, _ in items])
    assert [array.tobytes() for array in read] == [data for _, data in items]


def collect(store: LocalStore, older_than: timedelta = NOW) -> dict[str, int]:
    collector = store.collector(older_than)
    return {name: count for name, count in collector.remove(collector.find()).counts.items() if count}


def test_arrays_of_a_large_commit_stand_in_files_and_are_read_each_for_itself(store, opened):
    items = trains(120)
    commit(store, items)
    assert len(rows(store)) > 2
    assert files(store) == rows(store)
    assert sum(files(store).values()) == sum(ref.nbytes for ref, _ in items)
    for reader in (store, opened()):
        check(reader, items)
        check(reader, items[::-7])
        ref, data = items[77]
        assert reader.read_array(ref, slice(2, 5)).tobytes() == data[16:40]
        assert reader.read_array(ref, 3) == np.frombuffer(data)[3]
        with pytest.raises(ValueError, match="read-only"):
            reader.read_array(ref)[0] = 1.0


def test_arrays_of_a_small_commit_stand_in_the_database(store):
    items = trains(5)
    commit(store, items)
    assert files(store) == {}
    check(store, items)


def test_arrays_of_every_kind_share_a_file(store):
    odd = [
        np.arange(3, dtype="i1"),
        np.array(["ab", "c"]),
        np.empty(0),
        np.empty((0, 4), "<f4"),
        np.array(2.5),
        np.arange(5.0),
    ]
    items = [*map(small, odd), *trains(40)]
    commit(store, items)
    check(store, items)
    read = store.read_arrays([(ref, ...) for ref, _ in items])
    assert all(array.flags.aligned for array in read)
    for array, expected in zip(read, odd, strict=False):
        assert (array.shape, array.dtype) == (expected.shape, expected.dtype)


def test_only_what_is_new_is_written(store):
    items = trains(120)
    commit(store, items[:60])
    before = files(store)
    commit(store, items)
    assert sum(files(store).values()) == sum(ref.nbytes for ref, _ in items)
    assert before.items() < files(store).items()
    after = files(store)
    commit(store, items)
    assert files(store) == after
    check(store, items)


def test_arrays_that_are_stored_ahead_stand_in_a_file(store):
    arrays = [np.full(400, float(number)) for number in range(20)]
    refs = store.put_arrays([(Pieces(array, 100), "s") for array in arrays])
    assert sum(files(store).values()) == 20 * 3_200
    for read, array in zip(store.read_arrays([(ref, ...) for ref in refs]), arrays, strict=True):
        assert np.array_equal(read, array)


def test_arrays_that_a_server_takes_in_stand_in_files(store):
    items = trains(120)
    with served(store) as server:
        client = server.by("ann")
        client._sender.put_small(items)
        assert sum(files(store).values()) == sum(ref.nbytes for ref, _ in items)
        rows_ = [row("spiketrain", times=ref) for ref, _ in items]
        client.apply(ChangeSet(creates={"spiketrain": rows_}), "ann")
        check(client, items)


def test_a_commit_that_is_refused_leaves_no_file(store):
    items = trains(120)
    with pytest.raises(IntegrityError, match="does not exist"):
        commit(store, items, segment=new_id())
    assert files(store) == {}
    commit(store, items)
    check(store, items)


def test_a_step_that_cannot_begin_leaves_no_file(store, monkeypatch):
    items = trains(120)

    @contextmanager
    def locked(*, durable: bool = True) -> Iterator[Any]:
        assert len(files(store)) > 1
        raise StoreUnavailable("database is locked")
        yield

    for step in (
        lambda: commit(store, items),
        lambda: store.uploads.put_small(items, "ann"),
        lambda: store.put_arrays([(Pieces(np.arange(5000.0) + n, 100), "s") for n in range(30)]),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(store._database, "write", locked)
            with pytest.raises(StoreUnavailable, match="database is locked"):
                step()
        assert files(store) == {}
        step()
        assert files(store) == rows(store) != {}
        collect(store)
        with store._database.write() as transaction:
            transaction.run("DELETE FROM spiketrain")
        collect(store)
        assert files(store) == {}


def test_bytes_that_are_not_those_of_their_hash_leave_no_file(store):
    items = trains(120)
    wrong = [*items[:-1], (items[-1][0], items[-1][1][::-1])]
    with pytest.raises(IntegrityError, match="do not match its hash"):
        commit(store, wrong)
    assert files(store) == {}


def test_a_crash_between_file_and_rows_leaves_what_is_found_as_of_no_use(store, monkeypatch):
    items = trains(120)

    def crash(*given: Any) -> Any:
        pack_files.write_ahead(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(applying, "write_ahead", crash)
        with pytest.raises(KeyboardInterrupt):
            commit(store, items)
    left = files(store)
    assert left
    assert rows(store) == {}
    commit(store, items)
    assert collect(store, DAY) == {}
    assert collect(store) == {"files": len(left)}
    assert files(store) == rows(store)
    check(store, items)


def test_a_file_that_is_removed_on_its_way_to_its_row_is_said_and_the_second_try_works(store, monkeypatch):
    items = trains(120)

    def collecting(*given: Any) -> Any:
        drafts = pack_files.write_ahead(*given)
        assert collect(store)["files"] == len(drafts)
        return drafts

    with monkeypatch.context() as patch:
        patch.setattr(applying, "write_ahead", collecting)
        with pytest.raises(StoreUnavailable, match="was removed while it was stored; commit again"):
            commit(store, items)
    commit(store, items)
    check(store, items)


def test_an_array_that_was_stored_by_another_meanwhile_stands_there_once(store, opened, monkeypatch):
    items = trains(120)
    other = opened()

    def late(*given: Any) -> Any:
        drafts = pack_files.write_ahead(*given)
        monkeypatch.undo()
        commit(other, items[:5])
        return drafts

    monkeypatch.setattr(applying, "write_ahead", late)
    commit(store, items)
    check(store, items)
    assert collect(store, DAY) == {}


def test_an_array_that_went_meanwhile_is_stored_all_the_same(store, monkeypatch):
    items = trains(120)
    store.uploads.put_small(items[:5], "ann")

    def collecting(*given: Any) -> Any:
        drafts = pack_files.write_ahead(*given)
        with store._database.write() as transaction:
            transaction.run('DELETE FROM "array"')
        return drafts

    with monkeypatch.context() as patch:
        patch.setattr(applying, "write_ahead", collecting)
        commit(store, items)
    check(store, items)


def test_a_file_of_which_nothing_is_named_goes_as_a_whole(store):
    items = trains(120)
    store.uploads.put_small(items, "ann")
    count = len(files(store))
    assert collect(store, DAY) == {}
    assert collect(store) == {"arrays": 120, "files": count}
    assert (files(store), rows(store)) == ({}, {})


def test_a_crash_while_files_are_removed_leaves_no_row_that_names_one(store, monkeypatch):
    store.uploads.put_small(trains(20), "ann")
    collector = store.collector(NOW)
    found = collector.find()
    assert len(found.files) == 1

    def crash(*given: Any) -> Any:
        removed(*given)
        raise KeyboardInterrupt

    removed = store._arrays.files.remove
    with monkeypatch.context() as patch:
        patch.setattr(store._arrays.files, "remove", crash)
        with pytest.raises(KeyboardInterrupt):
            collector.remove(found)
    assert files(store) == rows(store) == {}


@pytest.mark.parametrize("count", [3, 20])
def test_what_is_named_of_a_file_with_much_of_no_use_moves_and_the_file_goes_later(store, opened, count):
    items = trains(60)
    store.uploads.put_small(items, "ann")
    before = files(store)
    named = items[:: len(items) // count]
    commit(store, named)
    reader = opened()
    check(reader, named)
    found = store.collector(NOW).find()
    assert found.counts["packs"] == len(before)
    assert sum(found.packs.values()) == sum(before.values()) - sum(ref.nbytes for ref, _ in named)
    assert collect(store) == {"arrays": 60 - len(named), "packs": len(before)}
    # Who found arrays there before, reads on.
    assert before.items() <= files(store).items()
    check(reader, named)
    assert collect(store, DAY) == {}
    assert collect(store) == {"files": len(before)}
    assert not before.keys() & files(store).keys()
    assert files(store) == rows(store)
    for each in (store, reader, opened()):
        check(each, named)


def test_a_file_of_which_most_is_named_stays(store):
    items = trains(60)
    store.uploads.put_small(items, "ann")
    before = files(store)
    named = [item for number, item in enumerate(items) if number % 5]
    commit(store, named)
    assert collect(store) == {"arrays": 12}
    assert files(store) == before
    check(store, named)


def test_a_file_whose_arrays_come_to_be_named_between_finding_and_removing_stays(store, opened):
    items = trains(60)
    store.uploads.put_small(items, "ann")
    before = files(store)
    collector = store.collector(NOW)
    found = collector.find()
    assert found.counts["files"] == len(before)
    commit(opened(), items)
    assert not collector.remove(found)
    assert files(store) == rows(store) == before
    check(store, items)


def test_who_holds_an_array_of_a_file_that_goes_keeps_it(lab):
    items = trains(60)
    lab.uploads.put_small(items, "ann")
    held = lab.read_arrays([(ref, ...) for ref, _ in items])
    assert collect(lab)["files"] > 0
    assert [array.tobytes() for array in held] == [data for _, data in items]


def test_a_file_that_is_missing_or_cut_is_said(store):
    items = trains(20)
    commit(store, items)
    place = store._arrays.files
    (name,) = files(store)
    with place.content(name) as content:
        whole = content.read()
    short = place.scratch / "short"
    short.write_bytes(whole[:-8])
    place.remove([name], 1 << 62)
    with pytest.raises(FormatError, match=rf"{name} cannot be read .*; restore it from a backup"):
        store.read_array(items[0][0])
    place.place({name: short})
    with pytest.raises(FormatError, match=rf"it has {len(whole) - 8} bytes, not {len(whole)}\); restore it from"):
        store.read_array(items[0][0])


def test_a_file_in_a_bucket_is_read_with_few_requests(emptied_postgres, bucket, monkeypatch):
    store = open_local(emptied_postgres, arrays=bucket)
    items = trains(60)
    commit(store, items)
    asked = []
    get = array_bucket.obstore.get

    def noted(store: Any, name: str, *, options: Any) -> Any:
        asked.append(options["range"])
        return get(store, name, options=options)

    monkeypatch.setattr(array_bucket.obstore, "get", noted)
    check(store, items)
    assert len(asked) == len(files(store))
    del asked[:]
    check(store, items[10:11])
    assert [stop - start for start, stop in asked] == [items[10][0].nbytes]
    store.close()


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40 << 20), st.integers(0, 64 << 10)), max_size=40),
)
def test_runs_of_bytes_hold_every_array_and_are_bounded(given_places):
    wanted = [Packed(f"{file}.pack", 1 << 30, start, nbytes) for file, start, nbytes in given_places]
    found = runs_of(wanted)
    assert sorted(number for run in found for number in run.members) == list(range(len(wanted)))
    for run in found:
        assert run.stop - run.start <= 8 << 20
        for place in (wanted[number] for number in run.members):
            assert (place.file, run.start <= place.start, place.start + place.nbytes <= run.stop) == (
                run.file,
                True,
                True,
            )


def test_a_backup_holds_the_files_and_is_checked(store, opened, tmp_path):
    items = trains(120)
    commit(store, items)
    count = len(files(store))
    store.uploads.put_small(trains(40, seed=2), "ann")
    target, arrays = store.target, store._arrays.files
    if target == ":memory:":
        pytest.skip("a lab in memory has no backup")
    where = getattr(arrays, "shown", arrays.scratch) if "://" in target else None
    assert backup(target, tmp_path / "lab.tar", arrays=where).arrays == count
    restore(tmp_path / "lab.tar", str(tmp_path / "restored"))
    again = open_local(tmp_path / "restored")
    check(again, items)
    assert files(again) == rows(again)
    again.close()


def test_a_backup_with_a_damaged_file_is_refused(lab, tmp_path):
    items = trains(20)
    commit(lab, items)
    backup(lab.target, tmp_path / "lab.tar")
    whole = (tmp_path / "lab.tar").read_bytes()
    assert whole.count(items[7][1]) == 1
    (tmp_path / "bad.tar").write_bytes(whole.replace(items[7][1], bytes(len(items[7][1]))))
    with pytest.raises(FormatError, match=r"\.pack in the backup is damaged .*do not match its hash"):
        restore(tmp_path / "bad.tar", str(tmp_path / "restored"))
    assert not (tmp_path / "restored").exists()


def test_a_backup_that_lacks_a_file_is_refused(lab, tmp_path):
    commit(lab, trains(20))
    backup(lab.target, tmp_path / "lab.tar")
    with tarfile.open(tmp_path / "lab.tar") as whole, tarfile.open(tmp_path / "less.tar", "w") as less:
        for member in whole:
            if not member.name.endswith(".pack"):
                less.addfile(member, whole.extractfile(member))
    with pytest.raises(FormatError, match="1 array files are missing"):
        restore(tmp_path / "less.tar", str(tmp_path / "restored"))


def test_a_backup_that_was_begun_before_a_file_is_emptied_is_whole(lab, tmp_path, monkeypatch):
    from gnode_orm.stores.local import backup as backups

    items = trains(20)
    lab.uploads.put_small(items, "ann")
    commit(lab, items[:3])
    copy = backups.copy_database

    def copied(*given: Any) -> None:
        copy(*given)
        assert collect(lab)["packs"] == 1
        assert collect(lab, DAY) == {}

    monkeypatch.setattr(backups, "copy_database", copied)
    backup(lab.target, tmp_path / "lab.tar")
    restore(tmp_path / "lab.tar", str(tmp_path / "restored"))
    again = open_local(tmp_path / "restored")
    check(again, items[:3])
    again.close()


def test_backups_beside_commits_and_collecting_are_whole(lab, tmp_path):
    seeds = itertools.count()
    named: list[Small] = []

    def work(older_than: timedelta) -> None:
        """Commit files of arrays, one of them with little of use, and collect."""
        for count in (30, 4):
            items = trains(30, seed=next(seeds))
            lab.uploads.put_small(items, "ann")
            commit(lab, items[:count])
            named.extend(items[:count])
        collect(lab, older_than)

    def step(ages: list[timedelta], *_: Any) -> None:
        if ages:
            work(ages.pop(0))

    for number in range(4):
        work(NOW)
        before = list(named)
        # The first step is before the tables are copied; what they name then stays for as long as is asked for.
        ages = [NOW, DAY, DAY]
        backup(lab.target, tmp_path / f"{number}.tar", progress=partial(step, ages))
        restore(tmp_path / f"{number}.tar", str(tmp_path / str(number)))
        again = open_local(tmp_path / str(number))
        check(again, before)
        with again._database.read() as transaction:
            found = transaction.query('SELECT hash, dtype, shape FROM "array"')
        for found_ref in (ref_of(bytes(hash_), dtype, shape) for hash_, dtype, shape in found):
            assert array_hash(again.read_array(found_ref)) == found_ref.hash
        again.close()
        assert [item for item in lab_checks(str(tmp_path / str(number))) if item.state == BAD] == []


def test_a_lab_of_format_7_is_brought_up_and_reads_the_same(tmp_path):
    lab, items = tmp_path / "lab", trains(20)
    store = open_local(lab)
    commit(store, items[:3])
    store.close()
    with closing(sqlite3.connect(lab / "lab.sqlite")) as database:
        make_older(database, 7)
    with pytest.raises(FormatError, match="has format 7"):
        open_local(lab)
    assert (upgrade(str(lab)).before, upgrade(str(lab)).after) == (7, FORMAT)
    store = open_local(lab)
    check(store, items[:3])
    commit(store, items)
    check(store, items)
    assert sum(files(store).values()) == sum(ref.nbytes for ref, _ in items[3:])
    store.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.booleans(), st.sets(st.integers(0, 29), min_size=1), st.booleans()),
        min_size=1, max_size=6,
    )
)  # fmt: skip
def test_whatever_is_sent_named_and_collected_what_is_named_stays(tmp_path, steps):
    items = trains(30)
    store = open_local(tmp_path / "lab")
    named: set[int] = set()
    for names, numbers, collecting in steps:
        chosen = [items[number] for number in sorted(numbers)]
        if names:
            commit(store, chosen)
            named |= numbers
        else:
            store.uploads.put_small(chosen, "ann")
        if collecting:
            collect(store)
        check(store, [items[number] for number in sorted(named)])
    for _ in range(2):
        collect(store)
    assert files(store) == rows(store)
    check(store, [items[number] for number in sorted(named)])
    with store._database.read() as transaction:
        ((left,),) = transaction.query('SELECT count(*) FROM "array"')
    assert left == len(named)
    store.close()
    shutil.rmtree(tmp_path / "lab")
