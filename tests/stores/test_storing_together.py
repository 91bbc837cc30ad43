"""The large arrays of one commit are stored together: few steps, and whole files before any row names them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnode_orm import AnalogSignal, Segment, Session
from gnode_orm.core.arrayhash import array_hash
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.errors import StoreUnavailable
from gnode_orm.stores.local import array_drafts, durable, open_local
from gnode_orm.stores.local.store import LocalStore
from gnode_orm.testing import FaultyStore
from tests.stores.test_arrays import Pieces

COUNT = 12


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LocalStore]:
    opened = open_local(tmp_path / "lab")
    yield opened
    opened.close()


def segment(count: int = COUNT) -> Segment:
    made = Segment("s")
    for number in range(count):
        AnalogSignal((np.full(20_000, float(number)), "mV"), sampling_rate=(1, "kHz"), segment=made)
    return made


def test_a_commit_takes_one_step_for_its_large_arrays_and_one_for_its_rows(store: LocalStore) -> None:
    faulty = FaultyStore(store)
    session = Session(store=faulty)
    made = session.add(segment())
    session.commit()
    assert faulty.calls == ["put_arrays", "apply"]
    assert [float(signal.signal[0]) for signal in made.analogsignals] == [float(n) for n in range(COUNT)]


@pytest.mark.parametrize("count", [1, COUNT])
def test_every_file_is_synced_under_its_first_name_and_every_folder_once_it_has_the_files(
    count: int, store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "lab" / "arrays"
    synced: list[Path] = []
    found: dict[Path, set[str]] = {}
    sync, replace = durable.sync, os.replace

    def noted(path: Path) -> None:
        sync(path)
        synced.append(path)
        if path.is_dir():
            found[path] = {item.name for item in path.iterdir()}

    def renamed(old: Any, new: Any) -> None:
        assert ".leaves." in str(new) or Path(old) in synced
        replace(old, new)

    monkeypatch.setattr(durable, "sync", noted)
    monkeypatch.setattr(os, "replace", renamed)
    refs = store.put_arrays([(Pieces(np.full(20_000, float(n)), 7_000), "mV") for n in range(count)])
    assert len(synced) == len(set(synced))
    for ref in refs:
        assert f"{ref.hash.hex()}.npy" in found[folder / ref.hash.hex()[:2]]
    assert {ref.hash.hex()[:2] for ref in refs} <= found[folder]


def test_an_array_that_cannot_be_read_leaves_nothing_of_the_others(store: LocalStore, tmp_path: Path) -> None:
    faulty = FaultyStore(store)
    session = Session(store=faulty)
    session.add(segment())
    faulty.break_off()
    with pytest.raises(StoreUnavailable, match="No space"):
        session.commit()
    assert not list((tmp_path / "lab" / "arrays").rglob("*.npy"))
    assert not list((tmp_path / "lab" / "arrays").glob("tmp-*"))
    session.commit()
    assert Session(store=store).query(AnalogSignal).count() == COUNT


def test_equal_arrays_of_one_call_are_stored_once(store: LocalStore, tmp_path: Path) -> None:
    array = np.arange(20_000.0)
    first, second = store.put_arrays([(Pieces(array, 20_000), "mV"), (Pieces(array, 3_000), "s")])
    assert (first.hash, first.unit, second.unit) == (second.hash, "mV", "s")
    assert len(list((tmp_path / "lab" / "arrays").rglob("*.npy"))) == 1


def test_a_commit_is_synced_by_itself_again_after_rows_that_were_not(store: LocalStore) -> None:
    levels = []
    for durable_ in (False, True):
        with store._database.write(durable=durable_) as transaction:
            levels += transaction.query("PRAGMA synchronous")
    assert levels == [(1,), (2,)]


def temporary(folder: Path) -> list[Path]:
    return list((folder / "lab" / "arrays").glob("tmp-*"))


def test_what_is_written_ahead_is_the_file_that_is_stored(store: LocalStore, tmp_path: Path) -> None:
    array = np.arange(300_000.0)
    with store.writing_ahead([array]):
        (file,) = temporary(tmp_path)
        begun = file.stat().st_ino
        ref, small = store.put_arrays(
            [(ArrayHandle.in_memory(array, None), "mV"), (Pieces(array[:20_000], 7_000), None)]
        )
        assert temporary(tmp_path) == []
    assert (tmp_path / "lab" / "arrays" / ref.hash.hex()[:2] / f"{ref.hash.hex()}.npy").stat().st_ino == begun
    assert (ref.hash, ref.unit) == (array_hash(array), "mV")
    assert np.array_equal(store.read_array(ref), array)
    assert np.array_equal(store.read_array(small), array[:20_000])


def test_what_is_written_ahead_and_not_stored_leaves_nothing(store: LocalStore, tmp_path: Path) -> None:
    with store.writing_ahead([np.arange(300_000.0)]):
        assert temporary(tmp_path)
    assert temporary(tmp_path) == []
    assert not list((tmp_path / "lab" / "arrays").rglob("*.npy"))


def test_what_was_written_ahead_in_another_shape_is_written_anew(store: LocalStore, tmp_path: Path) -> None:
    array = np.arange(300_000.0)
    with store.writing_ahead([array.reshape(-1, 2)]):
        (ref,) = store.put_arrays([(ArrayHandle.in_memory(array, None), None)])
    assert (ref.hash, ref.shape) == (array_hash(array), (300_000,))
    assert np.array_equal(store.read_array(ref), array)
    assert temporary(tmp_path) == []


def test_a_full_disk_is_told_of_what_is_written_ahead(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: Any, data: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(array_drafts, "write_along", full)
    with pytest.raises(StoreUnavailable, match="No space left"), store.writing_ahead([np.arange(300_000.0)]):
        pass
    assert temporary(tmp_path) == []
