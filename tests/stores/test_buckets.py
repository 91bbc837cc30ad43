"""Large arrays in a bucket: read by byte ranges, written whole, looked after, and clear about what goes wrong."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from gnode_orm import AnalogSignalArray, Session
from gnode_orm.cli.app import app
from gnode_orm.core.arrayhash import array_hash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.core.changes import ArrayRef
from gnode_orm.core.overview import minimum_maximum
from gnode_orm.errors import FormatError, NotFound, StoreUnavailable, ValidationFailed
from gnode_orm.stores.local import bucket_array, open_local
from gnode_orm.stores.local.backup import backup
from gnode_orm.stores.local.restoring import restore
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.stores.row_runs import read_by_runs
from tests.stores.rest.serving import served
from tests.stores.rows import create
from tests.stores.test_arrays import Pieces

NOW = timedelta(0)
KEYS = [
    np.s_[...],
    np.s_[:],
    np.s_[()],
    np.s_[3],
    np.s_[-1],
    np.s_[5:17],
    np.s_[17:5],
    np.s_[:, 1],
    np.s_[..., 1],
    np.s_[2:90:7],
    np.s_[::-1],
    np.s_[90:2:-7, ::2],
    np.s_[3, [0, 2]],
    np.s_[4:60, [2, 0]],
    np.s_[::50, 1:],
    np.s_[[5, 3, 5, -1]],
    np.s_[[5, 3, 99], 1],
    np.s_[[]],
    np.s_[[1, 2], [0, 1]],
    np.s_[np.arange(100) % 7 == 0],
    np.s_[np.arange(300).reshape(100, 3) % 7 == 0],
    np.s_[[[1, 2], [3, 4]]],
    np.s_[None, 4],
]


@pytest.fixture
def place(emptied_postgres: str, bucket: str) -> tuple[str, str]:
    """Address of a lab, and of its arrays."""
    return emptied_postgres, bucket


@pytest.fixture
def store(place: tuple[str, str]) -> Iterator[LocalStore]:
    opened = open_local(place[0], arrays=place[1])
    yield opened
    opened.close()


@pytest.fixture
def asked(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The byte ranges that are asked for."""
    from gnode_orm.stores.local import array_bucket

    ranges: list[tuple[int, int]] = []
    get = array_bucket.obstore.get

    def noted(store: Any, name: str, *, options: Any = None) -> Any:
        ranges.append(options["range"] if options else (0, -1))
        return get(store, name, options=options)

    monkeypatch.setattr(array_bucket.obstore, "get", noted)
    return ranges


def objects(store: LocalStore) -> dict[str, int]:
    return {file.name: file.size for file in store._arrays.files.listed(lambda name: True)}


def put(store: LocalStore, array: Any, rows: int = 10_000) -> ArrayRef:
    return store.put_arrays([(Pieces(array, rows), "mV")])[0]


def samples(rows: int = 40_000, channels: int = 4) -> Any:
    return np.random.default_rng(rows).integers(-1000, 1000, (rows, channels), dtype=np.int16)


@pytest.mark.parametrize("key", KEYS, ids=str)
@pytest.mark.parametrize("most", [1, 8, 1000])
def test_what_runs_of_rows_give_is_what_numpy_gives(key: Any, most: int) -> None:
    array = np.arange(300).reshape(100, 3)
    sizes: list[int] = []

    def fetch(start: int, stop: int) -> Any:
        sizes.append(stop - start)
        return array[start:stop]

    def spread(function: Any, runs: Any) -> None:
        for run in runs:
            function(run)

    found = read_by_runs(fetch, array.shape, array.dtype, key, most, spread)
    assert np.array_equal(found, array[key])
    assert max(sizes, default=0) <= most


@pytest.mark.parametrize("key", [np.s_[100], np.s_[-101], np.s_[[1, 100]], np.s_[:, 3], np.s_[0, 0, 0], np.s_["a"]])
def test_what_is_not_there_is_refused_as_numpy_refuses_it(key: Any) -> None:
    array = np.arange(300).reshape(100, 3)
    with pytest.raises(IndexError):
        array[key]
    with pytest.raises(IndexError):
        read_by_runs(lambda start, stop: array[start:stop], array.shape, array.dtype, key, 8, lambda *_: None)


def test_a_slice_of_all_channels_is_one_range_of_just_its_bytes(store, asked):
    array = samples()
    ref = put(store, array)
    assert np.array_equal(store.read_array(ref, np.s_[1000:2000]), array[1000:2000])
    assert asked == [(128 + 1000 * 8, 128 + 2000 * 8)]


def test_a_whole_array_comes_in_ranges_and_a_channel_too(store, asked, monkeypatch):
    monkeypatch.setattr(bucket_array, "_RUN", 80_000)
    array = samples()
    ref = put(store, array)
    assert np.array_equal(store.read_array(ref), array)
    assert np.array_equal(store.read_array(ref, np.s_[:, 2]), array[:, 2])
    assert len(asked) == 8
    assert all(stop - start == 80_000 for start, stop in asked)


def test_slices_of_many_arrays_are_read_together(store):
    arrays = [samples(20_000 + n) for n in range(20)]
    refs = store.put_arrays([(Pieces(array, 9_000), "mV") for array in arrays])
    found = store.read_arrays([(ref, np.s_[10:20]) for ref in refs])
    assert all(np.array_equal(part, array[10:20]) for part, array in zip(found, arrays, strict=True))


def test_text_without_an_axis_is_stored_and_read(store):
    array = np.array("long" * 20_000)
    assert store.read_array(put(store, array)).tolist() == array.tolist()


def test_an_array_of_many_parts_of_an_upload_is_written_whole(store):
    array = samples(3_000_000)  # 24 MB, of which S3 takes 8 at a time
    ref = put(store, array, 100_000)
    assert ref.hash == array_hash(array)
    assert objects(store)[f"{ref.hash.hex()[:2]}/{ref.hash.hex()}.npy"] == array.nbytes + 128
    assert np.array_equal(store.read_array(ref, np.s_[-5:]), array[-5:])
    assert [path for path in store._arrays.files.scratch.rglob("*") if path.is_file()] == []


def test_an_array_that_grows_shares_its_parts_and_an_overview_reads_what_was_added(store, asked, monkeypatch):
    monkeypatch.setattr("gnode_orm.core.overview._LONG", 0)
    whole = samples(2_500_000)
    first = ArrayHandle.stored(store, put(store, whole[:2_400_000]))
    assert np.array_equal(minimum_maximum(first, 50)[0], minimum_maximum(_held(whole[:2_400_000]), 50)[0])
    before = objects(store)
    asked.clear()
    ref = store.put_arrays([(first.extended(_held(whole[2_400_000:])), "mV")])[0]
    assert ref.hash == array_hash(whole)
    longer = ArrayHandle.stored(store, ref)
    assert np.array_equal(minimum_maximum(longer, 50)[1], minimum_maximum(_held(whole), 50)[1])
    assert sum(stop - start for start, stop in asked) < 10e6
    assert np.array_equal(store.read_array(ref, np.s_[2_399_990:2_400_010]), whole[2_399_990:2_400_010])
    added = {name: size for name, size in objects(store).items() if name not in before and name.count(".") == 1}
    assert list(added.values()) == [100_000 * 8 + 128]


def _held(array: Any) -> ArrayHandle:
    return ArrayHandle.in_memory(array, None).with_unit("mV")


def test_what_is_written_twice_stands_there_once(store):
    array = samples()
    assert put(store, array) == put(store, array)
    ref = put(store, array)
    with store._database.write() as transaction:
        transaction.run("DELETE FROM array_part")
        transaction.run('DELETE FROM "array"')
    assert put(store, array) == ref
    assert list(objects(store)) == [f"{ref.hash.hex()[:2]}/{ref.hash.hex()}.npy"]


def test_arrays_come_and_go_over_a_server(store):
    array = samples(2_500_000)
    with served(store) as server:
        remote = server.open("ann")
        ref = put(remote, array, 100_000)
        create(remote, "analogsignalarray", signal=ref)
        assert np.array_equal(remote.read_array(ref, np.s_[100:200]), array[100:200])
    assert np.array_equal(store.read_array(ref), array)


def test_what_is_of_no_use_is_removed_unless_it_is_young(store, place):
    kept, gone = put(store, samples(40_000)), put(store, samples(700_000))
    create(store, "analogsignalarray", signal=kept)
    store.read_extremes(gone, 64)
    assert len(objects(store)) == 5
    assert not store.collector(timedelta(hours=1)).find()
    collector = store.collector(timedelta(seconds=-5))  # the server tells whole seconds
    removed = collector.remove(collector.find())
    assert removed.counts == {"arrays": 1, "files": 1, "packs": 0, "beside": 3, "uploads": 0, "temporary": 0}
    assert list(objects(store)) == [f"{kept.hash.hex()[:2]}/{kept.hash.hex()}.npy"]
    again = open_local(place[0], arrays=place[1])
    with pytest.raises(NotFound):
        again.read_array(gone)
    again.close()


def test_a_lab_moves_from_a_bucket_to_a_folder_and_back(place, store, new_postgres, tmp_path):
    array = samples(3_000_000)
    ref = put(store, array)
    create(store, "analogsignalarray", signal=ref)
    backup(place[0], tmp_path / "one.tar", arrays=place[1])
    restore(tmp_path / "one.tar", str(tmp_path / "lab"))
    name = f"{ref.hash.hex()[:2]}/{ref.hash.hex()}.npy"
    assert np.array_equal(np.load(tmp_path / "lab" / "arrays" / name), array)
    backup(str(tmp_path / "lab"), tmp_path / "two.tar")
    restore(tmp_path / "two.tar", new_postgres, arrays=f"{place[1]}/again")
    again = open_local(new_postgres, arrays=f"{place[1]}/again", create=False)
    assert np.array_equal(again.read_array(ref), array)
    again.close()


def test_the_command_line_makes_serves_and_examines_a_lab_of_a_bucket(new_postgres, bucket, monkeypatch):
    def run(*arguments: str) -> str:
        return CliRunner().invoke(app, arguments, input="pass-word\n").stdout

    assert run("init", new_postgres, "--arrays", bucket).startswith("Made a lab at")
    assert "Made the account" in run("user", "add", new_postgres, "ann", "--password-stdin", "--arrays", bucket)
    monkeypatch.setenv("GNODE_ORM_ARRAYS", bucket)
    assert f"{bucket} answers" in run("doctor", "--lab", new_postgres, "--json")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert "http://127.0.0.1:1 does not answer" in run("doctor", "--lab", new_postgres, "--json")


def test_no_lab_is_made_whose_bucket_is_not_there(new_postgres, bucket):
    with pytest.raises(StoreUnavailable, match=r"s3://no-such-bucket at http.*no such bucket; make it"):
        open_local(new_postgres, arrays="s3://no-such-bucket")
    with pytest.raises(NotFound):
        open_local(new_postgres, arrays=bucket, create=False)


def test_a_bucket_that_is_lost_stops_a_commit_which_can_be_tried_again(place, monkeypatch):
    with Session(place[0], arrays=place[1]) as made:
        made.commit()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with Session(place[0], arrays=place[1]) as session:
        session.add(AnalogSignalArray((samples(), "mV"), sampling_rate=(1, "kHz")))
        with pytest.raises(StoreUnavailable, match=r"s3://arrays-.* at http://127\.0\.0\.1:1 does not answer"):
            session.commit()
        assert len(session.new) == 1
        assert session.query(AnalogSignalArray).count() == 0
        session.rollback()


def test_credentials_that_are_refused_are_named(store, object_store, monkeypatch):
    import urllib.request

    def ask(action: str, body: bytes) -> None:
        address, kind = f"{object_store}/moto-api/{action}", {"Content-Type": "text/plain"}
        urllib.request.urlopen(urllib.request.Request(address, data=body, headers=kind)).close()

    ask("reset-auth", b"0")
    try:
        with pytest.raises(StoreUnavailable, match=r"refuses these credentials .*AWS_ACCESS_KEY_ID"):
            put(store, samples())
    finally:
        ask("reset-auth", b"inf")


def test_an_object_that_is_lost_or_cut_is_said(store):
    from gnode_orm.stores.local import array_bucket

    files: Any = store._arrays.files
    ref = put(store, samples())
    (name,) = objects(store)
    array_bucket.obstore.put(files._store, name, b"x" * 5000)
    for key in (np.s_[:10], np.s_[-10:]):
        with pytest.raises(FormatError, match="restore it from a backup"):
            store.read_array(ref, key)
    array_bucket.obstore.delete(files._store, name)
    with pytest.raises(FormatError, match=rf"{name} cannot be read \(it is not there\); restore it from a backup"):
        store.read_array(ref, np.s_[:10])
    with pytest.raises(FormatError, match="is missing; the lab is damaged"):
        files.sizes([name])


def test_a_store_without_tls_has_to_be_allowed(emptied_postgres, bucket, monkeypatch):
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    with pytest.raises(ValidationFailed, match="AWS_ALLOW_HTTP=true"):
        open_local(emptied_postgres, arrays=bucket)


def _read(store: LocalStore, ref: ArrayRef, answers: Any) -> None:
    try:
        store.read_array(ref, np.s_[:1])
    except StoreUnavailable as error:
        answers.put(str(error))
    answers.close()
    answers.join_thread()
    os._exit(0)


def test_a_forked_process_is_told_to_be_spawned(store):
    ref = put(store, samples())
    store.read_array(ref, np.s_[:1])
    forking = multiprocessing.get_context("fork")
    answers = forking.Queue()
    process = forking.Process(target=_read, args=[store, ref, answers])
    process.start()
    assert "'spawn'" in answers.get()
    process.join()
