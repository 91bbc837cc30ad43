"""Backups of labs in use, and labs made from them: as the lab was at one commit, checked, never over another one."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import re
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnode_orm.core.changes import ArrayRef, ChangeSet
from gnode_orm.core.select import Select
from gnode_orm.errors import FormatError, NotFound, StoreUnavailable, ValidationFailed
from gnode_orm.stores.local import open_local, restoring
from gnode_orm.stores.local.backup import MANIFEST, backup
from gnode_orm.stores.local.formats import FORMAT
from gnode_orm.stores.local.restoring import restore
from tests.stores.old_labs import old_folder
from tests.stores.rows import change, create, field, inline, row
from tests.stores.test_arrays import Pieces

Place = tuple[str, dict[str, Any]]
KINDS = ("block", "segment", "analogsignal")
_FORMAT = b'"format": %d' % FORMAT

_FORMAT = b'"format": %d' % FORMAT


@pytest.fixture(params=["folder", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Target and options of a lab."""
    if request.param == "folder":
        return str(tmp_path / "lab"), {}
    return request.getfixturevalue("emptied_postgres"), {"arrays": tmp_path / "arrays"}


@pytest.fixture(params=["folder", "postgres"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Target and options for a lab that is not there yet."""
    if request.param == "folder":
        return str(tmp_path / "restored"), {}
    return request.getfixturevalue("new_postgres"), {"arrays": tmp_path / "restored"}


@pytest.fixture
def filled(place: Place) -> Place:
    """A lab with objects, their past, small and large arrays, one in parts, access and an account."""
    target, options = place
    store = open_local(target, **options)
    small, data = inline(np.arange(5.0), "mV")
    large = store.put_arrays([(Pieces(np.arange(20_000.0), 5_000), "mV")])[0]
    block = create(store, "block", name="Ünïcode", annotations={"nested": {"list": [1, 2.5, None]}})
    segment = create(store, "segment", block=block, name="before")
    change(store, "segment", segment, name="after")
    create(store, "analogsignal", segment=segment, signal=small, arrays=data)
    create(store, "analogsignal", segment=segment, signal=large)
    store.put_arrays([(Pieces(np.full(20_000, 7.0), 5_000), "mV")])[0]  # named by nothing
    store.set_access("block", block, {"ben": "read"}, "ann")
    store.accounts.add("eve", "pass-word")
    store.close()
    return place


def content(place: Place, at: int | None = None, users: tuple[str, ...] = ("ann",)) -> dict[str, Any]:
    """Every record and array that some users see, and the history of segments."""
    target, options = place
    store = open_local(target, create=False, **options)
    try:
        found: dict[str, Any] = {}
        for user in users:
            for kind in KINDS:
                rows = sorted(store.select(Select(kind, at=at), user).rows)
                found[f"{user} {kind}"] = rows
                if kind == "analogsignal":
                    refs = [ArrayRef.from_columns(*(field(kind, item, name) for name in ("signal_hash", "signal_type")))
                            for item in rows]  # fmt: skip
                    found["arrays"] = [store.read_array(ref).tolist() for ref in refs]
        if at is None:
            for item in store.select(Select("segment"), "ann").rows:
                found[f"history {item[0]}"] = store.history("segment", item[0], "ann")
        return found
    finally:
        store.close()


def test_a_restored_lab_is_the_lab_that_was_backed_up(filled, new_place, tmp_path):
    made = backup(filled[0], tmp_path / "lab.tar", **filled[1])
    assert (made.format, made.arrays) == (FORMAT, 1)
    again = restore(tmp_path / "lab.tar", new_place[0], **new_place[1])
    assert again == made
    assert content(new_place) == content(filled)
    assert content(new_place, users=("ben",))["ben block"] == content(filled, users=("ben",))["ben block"] != []
    store = open_local(new_place[0], **new_place[1])
    assert store.accounts.check_password("eve", "pass-word")
    (block,) = [record[0] for record in store.select(Select("block"), "ann").rows]
    change(store, "block", block, name="written on")
    store.close()


def test_a_backup_of_a_backup_is_the_same(filled, new_place, tmp_path):
    backup(filled[0], tmp_path / "one.tar", **filled[1])
    restore(tmp_path / "one.tar", new_place[0], **new_place[1])
    backup(new_place[0], tmp_path / "two.tar", **new_place[1])
    restore(tmp_path / "two.tar", str(tmp_path / "third"))
    assert content((str(tmp_path / "third"), {})) == content(filled)


def _commit_pairs(place: Place, ready: Any, stop: Any) -> None:
    store = open_local(place[0], **place[1])
    count = 0
    while not stop.is_set():
        ref = store.put_arrays([(Pieces(np.full(9_000, float(count)), 9_000), "mV")])[0]
        segment = row("segment", name=str(count))
        signal = row("analogsignal", segment=segment[0], signal=ref)
        store.apply(ChangeSet(creates={"segment": [segment], "analogsignal": [signal]}), "ann")
        count += 1
        if count == 5:
            ready.set()
    store.close()


def test_a_backup_beside_commits_is_the_lab_at_one_commit(place, new_place, tmp_path):
    open_local(place[0], **place[1]).close()
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    other = context.Process(target=_commit_pairs, args=(place, ready, stop))
    other.start()
    try:
        assert ready.wait(120)
        made = backup(place[0], tmp_path / "lab.tar", **place[1])
    finally:
        stop.set()
        other.join(60)
    assert other.exitcode == 0
    restore(tmp_path / "lab.tar", new_place[0], **new_place[1])
    store = open_local(new_place[0], **new_place[1])
    segments, signals = (store.select(Select(kind), "ann").rows for kind in ("segment", "analogsignal"))
    store.close()
    assert len(segments) == len(signals) == made.arrays >= 5
    then = content(place, at=made.version)
    assert content(new_place, at=made.version) == then
    assert then["arrays"]


def test_a_backup_leaves_out_arrays_that_nothing_names(filled, tmp_path):
    backup(filled[0], tmp_path / "lab.tar", **filled[1])
    with tarfile.open(tmp_path / "lab.tar") as archive:
        names = archive.getnames()
    assert names[:2] == [MANIFEST, "lab.sqlite"]
    assert len(names) == 3


def test_a_backup_is_for_its_maker_alone_and_never_over_another_file(filled, tmp_path):
    file = tmp_path / "lab.tar"
    backup(filled[0], file, **filled[1])
    assert file.stat().st_mode & 0o777 == 0o600
    before = file.read_bytes()
    with pytest.raises(ValidationFailed, match=r"lab\.tar is there already"):
        backup(filled[0], file, **filled[1])
    assert file.read_bytes() == before


def test_a_lab_that_is_there_is_never_restored_over(filled, place, tmp_path):
    backup(filled[0], tmp_path / "lab.tar", **filled[1])
    before = content(place)
    with pytest.raises(ValidationFailed, match="already"):
        restore(tmp_path / "lab.tar", place[0], **place[1])
    assert content(place) == before


def test_a_folder_with_other_files_is_not_restored_into(tmp_path):
    open_local(tmp_path / "lab").close()
    backup(str(tmp_path / "lab"), tmp_path / "lab.tar")
    with pytest.raises(ValidationFailed, match="is there already"):
        restore(tmp_path / "lab.tar", str(tmp_path))
    with pytest.raises(ValidationFailed, match="in memory"):
        restore(tmp_path / "lab.tar", ":memory:")
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "lab.tar", str(tmp_path / "empty"))
    open_local(tmp_path / "empty", create=False).close()


def _replaced(file: Path, name: str, change: Callable[[bytes], bytes | None]) -> None:
    """Change, or leave out, one member of an archive."""
    copy = file.with_suffix(".new")
    with tarfile.open(file) as old, tarfile.open(copy, "w") as new:
        for member in old:
            data = old.extractfile(member).read()  # type: ignore[union-attr]
            if name in member.name:
                changed = change(data)
                if changed is None:
                    continue
                data = changed
            member.size = len(data)
            new.addfile(member, io.BytesIO(data))
    copy.replace(file)


def _one_bit(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (".npy", _one_bit, "The array .* is damaged"),
        (".npy", lambda data: data[:-8], "The array .* is damaged"),
        (".npy", lambda data: b"", "The array .* is damaged"),
        (".npy", lambda data: None, "1 array files are missing"),
        ("lab.sqlite", _one_bit, r"lab\.sqlite in the backup is damaged"),
        ("lab.sqlite", lambda data: None, r"lab\.sqlite is missing"),
        (MANIFEST, lambda data: None, "is no backup of a lab"),
        (MANIFEST, lambda data: b"{}", "is no backup of a lab"),
        (MANIFEST, lambda data: data.replace(_FORMAT, b'"format": 99'), "format 99; .* Install gnode-orm"),
    ],
)
def test_a_damaged_backup_is_refused_and_leaves_nothing(filled, tmp_path, name, change, said):
    backup(filled[0], tmp_path / "lab.tar", **filled[1])
    _replaced(tmp_path / "lab.tar", name, change)
    before = set(tmp_path.iterdir())
    with pytest.raises(FormatError, match=said):
        restore(tmp_path / "lab.tar", str(tmp_path / "restored"))
    assert set(tmp_path.iterdir()) == before


def test_a_backup_that_ends_in_the_middle_is_refused_and_leaves_nothing(filled, tmp_path):
    backup(filled[0], tmp_path / "lab.tar", **filled[1])
    with (tmp_path / "lab.tar").open("r+b") as file:
        file.truncate(file.seek(0, 2) // 2)
    before = set(tmp_path.iterdir())
    with pytest.raises(FormatError):
        restore(tmp_path / "lab.tar", str(tmp_path / "restored"))
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["../outside.npy", "/etc/outside", "arrays/../../outside.npy", "arrays/ab/short.npy"])
def test_a_backup_with_a_file_that_belongs_to_no_lab_is_refused(tmp_path, name):
    open_local(tmp_path / "lab").close()
    backup(str(tmp_path / "lab"), tmp_path / "lab.tar")
    with tarfile.open(tmp_path / "lab.tar", "a") as archive:
        member = tarfile.TarInfo(name)
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    with pytest.raises(FormatError, match="belongs to no lab"):
        restore(tmp_path / "lab.tar", str(tmp_path / "restored"))
    assert {item.name for item in tmp_path.iterdir()} == {"lab", "lab.tar"}


def test_what_is_no_backup_is_said(tmp_path):
    (tmp_path / "text").write_text("hello")
    with pytest.raises(FormatError, match="no backup of a lab"):
        restore(tmp_path / "text", str(tmp_path / "restored"))
    with pytest.raises(StoreUnavailable, match="cannot be read: No such file"):
        restore(tmp_path / "none", str(tmp_path / "restored"))
    with pytest.raises(NotFound, match="No lab at"):
        backup(str(tmp_path / "none"), tmp_path / "lab.tar")


def test_a_backup_of_a_damaged_lab_is_not_made(filled, tmp_path):
    folder = filled[1].get("arrays") or Path(filled[0]) / "arrays"
    shutil.rmtree(folder)
    with pytest.raises(FormatError, match="is missing; the lab is damaged"):
        backup(filled[0], tmp_path / "lab.tar", **filled[1])
    assert not list(tmp_path.glob("lab.tar*"))


def test_a_restore_that_fails_in_postgres_leaves_the_database_empty(new_postgres, tmp_path, monkeypatch):
    open_local(tmp_path / "lab").close()
    backup(str(tmp_path / "lab"), tmp_path / "lab.tar")

    def full(*_: Any) -> None:
        fill(*_)
        raise OSError(28, "No space left on device")

    fill = restoring.make_tables
    with monkeypatch.context() as patch:
        patch.setattr(restoring, "make_tables", full)
        with pytest.raises(StoreUnavailable, match="No space left"):
            restore(tmp_path / "lab.tar", new_postgres, arrays=tmp_path / "arrays")
    restore(tmp_path / "lab.tar", new_postgres, arrays=tmp_path / "arrays")
    assert content((new_postgres, {"arrays": tmp_path / "arrays"}))["ann block"] == []


def test_a_backup_of_an_older_format_is_brought_up(new_place, tmp_path):
    old = old_folder(tmp_path / "old")
    open_local(tmp_path / "lab").close()
    backup(str(tmp_path / "lab"), tmp_path / "lab.tar")
    data = (old / "lab.sqlite").read_bytes()
    _replaced(tmp_path / "lab.tar", "lab.sqlite", lambda _: data)
    told = hashlib.sha256(data).hexdigest().encode()
    _replaced(
        tmp_path / "lab.tar",
        MANIFEST,
        lambda text: re.sub(rb'"database": "\w+"', b'"database": "' + told + b'"', text).replace(
            _FORMAT, b'"format": 1'
        ),
    )
    with tarfile.open(tmp_path / "lab.tar", "a") as archive:
        for path in (old / "arrays").rglob("*.npy"):
            archive.add(path, f"arrays/{path.parent.name}/{path.name}")
    restore(tmp_path / "lab.tar", new_place[0], **new_place[1])
    found = content(new_place)
    assert len(found["ann analogsignal"]) == 2
    assert [len(values) for values in found["arrays"]] == [5, 10_000]
