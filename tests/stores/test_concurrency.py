"""Many threads and processes write one lab; a crash or a full disk leaves all of a commit or nothing."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from gnode_orm.core.changes import ChangeSet, StaleRows, Update
from gnode_orm.errors import StoreUnavailable
from gnode_orm.stores.local import apply as applying
from gnode_orm.stores.local import open_local
from tests.stores.rows import columns, create, field, found, row, version

ROOT = Path(__file__).resolve().parents[2]


def increment(store, block):
    while True:
        (record,) = store.get("block", [block], "ann")
        values = columns("block", index=field("block", record, "index") + 1)
        try:
            return store.apply(ChangeSet(updates=[Update("block", block, record[1], values)]), "ann").version
        except StaleRows:
            continue


@pytest.mark.needs("The past")
def test_no_update_of_many_threads_is_lost(store):
    block = create(store, "block", index=0)
    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(lambda _: increment(store, block), range(40)))
    assert field("block", store.get("block", [block], "ann")[0], "index") == 40
    assert len(set(versions)) == 40
    assert len(store.history("block", block, "ann")) == 41


def test_the_same_change_set_from_many_threads_is_written_once(store):
    changes = ChangeSet(creates={"block": [row("block")]})
    with ThreadPoolExecutor(4) as pool:
        receipts = set(pool.map(lambda _: store.apply(changes, "ann"), range(8)))
    assert len(receipts) == 1
    assert len(found(store, "block")) == 1


@pytest.mark.needs("One point in time", run=False)
def test_readers_see_whole_commits(store):
    stop = threading.Event()
    seen = []

    def read():
        while not stop.is_set():
            seen.append(len(found_quietly(store)) % 10)

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        for _ in range(20):
            store.apply(ChangeSet(creates={"block": [row("block") for _ in range(10)]}), "ann")
        stop.set()
        reading.result()
    assert set(seen) == {0}


def found_quietly(store):
    from gnode_orm.core.select import Select

    return store.select(Select("block"), "ann").rows


WRITER = """
import sys
from gnode_orm.stores.local import open_local
from tests.stores.rows import create
from tests.stores.test_concurrency import increment
store = open_local(sys.argv[1], arrays=sys.argv[3] or None)
for _ in range(25):
    increment(store, int(sys.argv[2]))
store.close()
"""


@pytest.mark.parametrize("kind", ["folder", "postgres"])
def test_no_update_of_two_processes_is_lost(kind, tmp_path, request):
    lab = str(tmp_path / "lab") if kind == "folder" else request.getfixturevalue("emptied_postgres")
    arrays = "" if kind == "folder" else str(tmp_path / "arrays")
    store = open_local(lab, arrays=arrays or None)
    block = create(store, "block", index=0)
    command = [sys.executable, "-c", WRITER, lab, str(block), arrays]
    writers = [subprocess.Popen(command, cwd=ROOT) for _ in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert field("block", store.get("block", [block], "ann")[0], "index") == 50
    store.close()


def test_two_processes_make_one_lab(tmp_path):
    script = (
        "import sys; from gnode_orm.stores.local import open_local; "
        "store = open_local(sys.argv[1]); print(store.guid('block', 1, 1)); store.close()"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "lab")]
    makers = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    guids = {maker.communicate()[0] for maker in makers}
    assert [maker.returncode for maker in makers] == [0, 0]
    assert len(guids) == 1


KILLED = """
import os, signal, sys
from gnode_orm.core.changes import ChangeSet
from gnode_orm.stores.local import apply, open_local
from gnode_orm.stores.local.sqlite import SqliteTransaction
from tests.stores.rows import row
store = open_local(sys.argv[1])
insert = SqliteTransaction.insert
def dying(self, table, columns, rows):
    insert(self, table, columns, rows)
    if table == "segment":
        os.kill(os.getpid(), signal.SIGKILL)
SqliteTransaction.insert = dying
block = row("block")
rows = [row("segment", block=block[0]) for _ in range(20_000)]
store.apply(ChangeSet(creates={"block": [block], "segment": rows}), "ann")
"""


def test_a_killed_process_leaves_nothing_of_its_commit(tmp_path):
    store = open_local(tmp_path / "lab")
    block = create(store, "block")
    store.close()
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "lab")], cwd=ROOT, check=False)
    assert killed.returncode == -9
    store = open_local(tmp_path / "lab")
    assert (found(store, "block"), found(store, "segment")) == ([block], [])
    create(store, "block")
    store.close()


def test_a_full_disk_leaves_the_last_commit(tmp_path):
    store = open_local(tmp_path / "lab")
    block = create(store, "block")
    with store._database.read() as transaction:
        ((pages,),) = transaction.rows("PRAGMA page_count")
        transaction.rows(f"PRAGMA max_page_count = {pages + 2}")
    rows = [row("block", description="x" * 1000) for _ in range(2000)]
    with pytest.raises(StoreUnavailable, match=r"full.*free some space"):
        store.apply(ChangeSet(creates={"block": rows}), "ann")
    assert found(store, "block") == [block]
    store.close()
    store = open_local(tmp_path / "lab")
    assert found(store, "block") == [block]
    create(store, "block")
    store.close()


def test_a_full_disk_during_an_array_leaves_no_file(tmp_path, monkeypatch):
    from tests.stores.test_arrays import Pieces

    store = open_local(tmp_path / "lab")

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreUnavailable, match="No space left"):
            store.put_arrays([(Pieces(np.arange(50_000), 50_000), None)])[0]
    assert list((tmp_path / "lab" / "arrays").iterdir()) == []
    store.close()


@pytest.mark.needs("Reasons of a refusal")
def test_an_error_in_the_middle_leaves_nothing(store, monkeypatch):
    def broken(work):
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(applying, "propagate", broken)
        # A server keeps its reasons to its log.
        with pytest.raises((RuntimeError, StoreUnavailable), match=r"broken|The server failed"):
            create(store, "block")
    assert found(store, "block") == []
    block = create(store, "block")
    assert version(store, "block", block) > 0


@pytest.mark.needs("Ids and versions")
def test_a_clock_set_back_does_not_turn_versions_back(store, monkeypatch):
    first = version(store, "block", create(store, "block"))
    monkeypatch.setattr(applying, "now_us", lambda: 1)
    assert version(store, "block", create(store, "block")) == first + 1


def test_a_busy_lab_is_unavailable(tmp_path, monkeypatch):
    from gnode_orm.stores.local import sqlite

    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.0)
    store = open_local(tmp_path / "lab")
    other = sqlite3.connect(tmp_path / "lab" / "lab.sqlite")
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another program is writing"):
        create(store, "block")
    other.rollback()
    other.close()
    create(store, "block")
    store.close()


def test_a_write_with_little_patience_waits_neither_for_programs_nor_for_threads(tmp_path):
    store = open_local(tmp_path / "lab", patience=0.0)
    with closing(sqlite3.connect(tmp_path / "lab" / "lab.sqlite")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="another program is writing"):
            create(store, "block")
        other.rollback()
    refusals = []

    def write() -> None:
        try:
            create(store, "block")
        except StoreUnavailable as refusal:
            refusals.append(str(refusal))

    with store._database.write():
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
    assert [refusal.partition("lab.sqlite: ")[2] for refusal in refusals] == [
        "others are writing; nothing was written: try again"
    ]
    create(store, "block")
    store.close()
