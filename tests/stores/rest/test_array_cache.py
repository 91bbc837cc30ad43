"""Arrays that came from a server are kept on disk: bounded, private, checked, and shown to their readers alone."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnode_orm.core.arrayhash import array_hash
from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import NotFound, ValidationFailed
from gnode_orm.stores.rest import array_cache
from gnode_orm.stores.rest.array_cache import ArrayCache, cache_limit, usage
from tests.stores.rest.serving import Served
from tests.stores.rows import create
from tests.stores.test_arrays import Pieces

SIZE = 20_000


@pytest.fixture
def shared(server: Served) -> tuple[ArrayRef, int]:
    """An array of ann in a block that ben may read."""
    ann = server.by("ann")
    server.token("ben")
    ref = ann.put_arrays([(Pieces(np.arange(float(SIZE)), 9_000), "mV")])[0]
    block = create(ann, "block")
    segment = create(ann, "segment", block=block)
    create(ann, "analogsignal", segment=segment, signal=ref)
    ann.set_access("block", block, {"ben": "read"}, "ann")
    return ref, block


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def array(value: float, count: int = SIZE) -> tuple[ArrayRef, np.ndarray[Any, Any]]:
    made = np.full(count, value)
    return ArrayRef(array_hash(made), made.dtype.str, made.shape, None), made


def test_an_array_comes_once_and_is_read_from_disk_then(folder, server, shared):
    ref, _ = shared
    with_ben = server.open("ben")
    first = with_ben.read_array(ref)
    sent = server.sent
    again = server.open("ben")
    second = again.read_array(ref)
    assert np.array_equal(first, second)
    assert not second.flags.writeable
    assert server.sent - sent < 5_000
    with_ben.close()
    again.close()


def test_slices_and_picked_rows_are_taken_from_what_is_kept(folder, server, shared):
    ref, _ = shared
    ben = server.open("ben")
    ben.read_array(ref)
    sent = server.sent
    keys: list[Any] = [slice(5, 9), -1, slice(None, None, 7_000), [3, 1], np.arange(SIZE) % 9_000 == 1]
    found = ben.read_arrays([(ref, key) for key in keys])
    for key, values in zip(keys, found, strict=True):
        assert np.array_equal(values, np.arange(float(SIZE))[key])
    assert server.sent - sent < 5_000
    ben.close()


def test_what_is_kept_is_refused_as_soon_as_the_server_refuses_it(folder, server, shared):
    ref, block = shared
    ben = server.open("ben")
    ben.read_array(ref)
    server.by("ann").set_access("block", block, {}, "ann")
    for key in (..., slice(0, 5)):
        with pytest.raises(NotFound):
            ben.read_array(ref, key)
    assert len(files(folder)) == 1
    ben.close()


def test_each_user_of_each_server_has_a_part_of_his_own(folder, server, shared):
    ref, _ = shared
    for user in ("ann", "ben"):
        server.open(user).read_array(ref)
    assert len(files(folder)) == 2
    eve = server.open("eve")
    with pytest.raises(NotFound):
        eve.read_array(ref)
    eve.close()


def test_slices_and_small_arrays_are_not_kept(folder, server):
    ann = server.open("ann")
    for count, key in ((SIZE, slice(0, 9_000)), (100, ...)):
        ref = ann.put_arrays([(Pieces(np.arange(float(count)), count), "mV")])[0]
        ann.read_array(ref, key)
    assert files(folder) == []
    ann.close()


def test_the_cache_is_for_its_user_alone(folder, server, shared):
    server.open("ben").read_array(shared[0])
    (path,) = files(folder)
    assert path.stat().st_mode & 0o777 == 0o600
    assert {parent.stat().st_mode & 0o777 for parent in path.parents if folder in (parent, *parent.parents)} == {0o700}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-8]),
        lambda path: path.write_bytes(path.read_bytes()[:-8] + b"otherbyt"),
        lambda path: path.write_bytes(b""),
        lambda path: np.save(path, np.zeros(SIZE, "<i8")),
        lambda path: np.save(path, np.array([{}], object), allow_pickle=True),
    ],
)
def test_a_file_that_was_cut_or_changed_is_as_good_as_none(folder, server, shared, spoil: Callable[[Path], Any]):
    ref, _ = shared
    server.open("ben").read_array(ref)
    (path,) = files(folder)
    spoil(path)
    assert np.array_equal(server.open("ben").read_array(ref), np.arange(float(SIZE)))
    assert np.array_equal(np.load(path), np.arange(float(SIZE)))


def test_the_least_lately_used_go_when_there_is_no_room(tmp_path):
    cache = ArrayCache(tmp_path, "ben", 10 * SIZE * 8)
    made = [array(float(number)) for number in range(30)]
    for number, (ref, values) in enumerate(made):
        cache.put(ref, values)
        os.utime(cache._path(ref), (number, number))
        assert cache.get(made[0][0]) is not None  # in use all the time
        assert usage(tmp_path).nbytes <= 10 * SIZE * 8 + 30 * 128
    assert cache.get(made[1][0]) is None
    assert cache.get(made[-1][0]) is not None


def test_an_array_that_takes_too_large_a_share_is_not_kept(tmp_path):
    cache = ArrayCache(tmp_path, "ben", 3 * SIZE * 8)
    cache.put(*array(1.0))
    assert files(tmp_path) == []


def test_a_disk_that_takes_nothing_ends_the_keeping_and_not_the_reading(folder, server, shared, monkeypatch, caplog):
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    caplog.set_level("INFO", "gnode_orm")
    monkeypatch.setattr(array_cache.os, "replace", full)
    ben = server.open("ben")
    for _ in range(2):
        assert np.array_equal(ben.read_array(shared[0]), np.arange(float(SIZE)))
    assert [record.getMessage() for record in caplog.records if "are not kept" in record.getMessage()] == [
        f"Arrays are not kept in {folder}: No space left on device"
    ]
    assert files(folder) == []
    ben.close()


def _keep(folder: Path, numbers: range) -> None:
    cache = ArrayCache(folder, "ben", 20 * SIZE * 8)
    for number in numbers:
        ref, values = array(float(number))
        cache.put(ref, values)
        found = cache.get(ref)
        assert found is None or (found == number).all()


def test_processes_share_the_cache(tmp_path):
    context = multiprocessing.get_context("spawn")
    work = [context.Process(target=partial(_keep, tmp_path, range(start, start + 20))) for start in (0, 10)]
    for process in work:
        process.start()
    for process in work:
        process.join(60)
    assert [process.exitcode for process in work] == [0, 0]
    assert not list(tmp_path.rglob("tmp-*"))


def test_the_limit_is_a_whole_number(monkeypatch):
    monkeypatch.setenv("GNODE_ORM_CACHE_MB", "5")
    assert cache_limit() == 5_000_000
    monkeypatch.delenv("GNODE_ORM_CACHE_MB")
    assert cache_limit() == 2_048_000_000
    monkeypatch.setenv("GNODE_ORM_CACHE_MB", "much")
    with pytest.raises(ValidationFailed, match="GNODE_ORM_CACHE_MB is 'much'"):
        cache_limit()
