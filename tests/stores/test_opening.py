"""Opening a lab: made when missing, never where it should not be, and refused with the reason."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from gnode_orm.core.changes import ChangeSet
from gnode_orm.core.select import Select
from gnode_orm.errors import AccessDenied, FormatError, NotFound, StoreUnavailable, ValidationFailed
from gnode_orm.ids import FIRST
from gnode_orm.location import Location
from gnode_orm.stores.local import open_local, target
from tests.stores.rows import create, found, row, where

ROOT = Path(__file__).resolve().parents[2]


def test_a_missing_lab_is_made_with_one_line_in_the_log(tmp_path, caplog):
    caplog.set_level(logging.INFO, "gnode_orm")
    store = open_local(tmp_path / "lab")
    store.close()
    assert [record.getMessage() for record in caplog.records] == [f"Made a new lab at {tmp_path / 'lab'}"]
    assert {item.name for item in (tmp_path / "lab").iterdir()} == {"lab.sqlite", "arrays", "README.txt"}


def test_a_lab_opened_again_holds_what_was_written(tmp_path):
    store = open_local(tmp_path / "lab")
    block = create(store, "block")
    guid = store.guid("block", block, 1)
    store.close()
    store = open_local(str(tmp_path / "lab"), create=False)
    assert found(store, "block") == [block]
    assert store.guid("block", block, 1) == guid
    store.close()


@pytest.mark.parametrize("how", [{"create": False}, {"readonly": True}])
def test_a_missing_lab_is_not_made_when_it_shall_not(tmp_path, how):
    open_local(tmp_path / "lab").close()
    with pytest.raises(NotFound, match=r"No lab at .*lba \(nearest: .*lab\). Make one: gnode-orm init .*lba"):
        open_local(tmp_path / "lba", **how)
    assert not (tmp_path / "lba").exists()


def test_a_folder_with_other_files_is_not_made_a_lab(tmp_path):
    (tmp_path / "recording.abf").touch()
    with pytest.raises(FormatError, match=r"recording\.abf"):
        open_local(tmp_path)
    assert [item.name for item in tmp_path.iterdir()] == ["recording.abf"]


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_folder_can_have_is_refused(tmp_path, name):
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        open_local(tmp_path / name)


def test_a_file_is_no_lab(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("x")
    with pytest.raises(FormatError, match="is a file"):
        open_local(path)


def test_a_database_of_something_else_is_no_lab(tmp_path):
    (tmp_path / "lab.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(FormatError, match="not a database"):
        open_local(tmp_path)


def test_a_readonly_lab_is_read_and_not_written(tmp_path):
    store = open_local(tmp_path / "lab")
    block = create(store, "block")
    store.close()
    store = open_local(tmp_path / "lab", readonly=True)
    assert found(store, "block") == [block]
    with pytest.raises(AccessDenied, match="readonly=True"):
        store.apply(ChangeSet(creates={"block": [row("block")]}), "ann")
    store.close()


READ_ONLY_FOLDER = """
import os, sys
import gnode_orm.models, gnode_orm.stores.local.opening  # all while what they stand in can be read
from gnode_orm.errors import StoreUnavailable
from gnode_orm.core.select import Select
from gnode_orm.stores.local import open_local
if os.getuid() == 0:  # permissions do not bind root
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
store = open_local(sys.argv[1], readonly=True)
print(store.count(Select("block"), "ann"))
store.close()
for target in (sys.argv[1], sys.argv[1] + "/new", sys.argv[2]):
    try:
        open_local(target)
    except StoreUnavailable as error:
        print(error)
"""


def _let_others_in(folder):
    # pytest makes its temporary folders private.
    for parent in (folder, *folder.parents):
        if parent.name.startswith(("pytest-", "popen-")) or parent == folder:
            parent.chmod(0o755)


def test_a_readonly_folder_is_told_and_can_be_read(tmp_path):
    lab = tmp_path / "lab"
    store = open_local(lab)
    create(store, "block")
    store.close()
    (lab / "lab.sqlite").chmod(0o444)
    lab.chmod(0o555)
    _let_others_in(tmp_path)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    command = [sys.executable, "-c", READ_ONLY_FOLDER, str(lab), str(closed / "lab")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lab.chmod(0o755)
    closed.chmod(0o755)
    count, existing, new, hidden = done.stdout.splitlines() or pytest.fail(done.stderr)
    assert count == "1"
    assert existing == f"{lab} is read-only for you; open it with readonly=True"
    assert new == f"A lab cannot be made at {lab}/new: Permission denied"
    assert hidden == f"{closed}/lab cannot be reached: Permission denied; see who may enter its folders"


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
def test_a_network_file_system_gets_no_write_ahead_log(tmp_path, monkeypatch, caplog, kind):
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"22 1 8:1 / / rw - ext4 /dev/sda rw\n23 22 0:5 / {tmp_path}/net\\040work rw - {kind} host:/x rw\n"
    )
    monkeypatch.setattr(target, "MOUNTS", mounts)
    lab = tmp_path / "net work" / "lab"
    store = open_local(lab)
    block = create(store, "block")
    assert kind in caplog.text
    assert "write-ahead log" in caplog.text
    assert not (lab / "lab.sqlite-wal").exists()
    store.close()
    store = open_local(lab)
    assert found(store, "block") == [block]
    store.close()


def test_a_local_file_system_gets_one(tmp_path, monkeypatch):
    mounts = tmp_path / "mountinfo"
    mounts.write_text("22 1 8:1 / / rw - nfs host:/ rw\n23 22 0:5 / " + str(tmp_path) + " rw - ext4 /dev/sda rw\n")
    monkeypatch.setattr(target, "MOUNTS", mounts)
    store = open_local(tmp_path / "lab")
    create(store, "block")
    assert (tmp_path / "lab" / "lab.sqlite-wal").exists()
    store.close()


def test_file_systems_are_unknown_where_the_system_does_not_tell(tmp_path, monkeypatch):
    monkeypatch.setattr(target, "MOUNTS", tmp_path / "absent")
    assert target.filesystem_of(tmp_path) == ""


def test_a_closed_lab_says_so(store):
    store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        store.get("block", [1], "ann")


@pytest.mark.parametrize(
    ("address", "more", "said"),
    [
        ("mysql://host/x", {"arrays": "a"}, "not supported"),
        ("postgresql://host/x", {}, "arrays="),
        ("postgresql://host:port/x", {"arrays": "a"}, "not a database address"),
        ("folder", {"arrays": "a"}, "keeps its arrays itself"),
    ],
)
def test_a_wrong_address_is_refused(address, more, said):
    with pytest.raises(ValidationFailed, match=said):
        open_local(address, **more)


def test_a_server_that_does_not_answer_is_unavailable_without_showing_the_password(tmp_path):
    with pytest.raises(StoreUnavailable) as caught:
        open_local("postgresql+psycopg://ann:secret@127.0.0.1:1/x", arrays=tmp_path)
    assert "secret" not in str(caught.value)


def test_opening_costs_the_same_for_any_number_of_objects(tmp_path, monkeypatch):
    from gnode_orm.stores.local.sqlite import SqliteDatabase

    def opened():
        steps = 0

        def count():
            nonlocal steps
            steps += 1

        connect = SqliteDatabase._connect

        def counting(self):
            connection = connect(self)
            connection.set_progress_handler(count, 1)
            return connection

        with monkeypatch.context() as patch:
            patch.setattr(SqliteDatabase, "_connect", counting)
            open_local(tmp_path / "lab").close()
        return steps

    store = open_local(tmp_path / "lab")
    create(store, "block")
    store.close()
    small = opened()
    store = open_local(tmp_path / "lab")
    store.apply(ChangeSet(creates={"block": [row("block") for _ in range(20_000)]}), "ann")
    store.close()
    assert opened() == small


@pytest.mark.parametrize("at", [None, 2**50])
@pytest.mark.parametrize(
    "condition",
    [
        where("id", "in", (1, 2)),
        where("segment", "eq", Location.of_number("segment", FIRST)),
        where("segment.block", "eq", Location.of_number("block", FIRST)),
    ],
)
def test_ids_and_foreign_keys_are_found_by_index(tmp_path, condition, at):
    store = open_local(tmp_path / "lab")
    (text,) = store.explain(Select("event", where=condition, at=at), "ann")
    with store._database.read() as transaction:
        names = ("actor", "at", "v0", "limit", "offset")
        plan = transaction.rows(f"EXPLAIN QUERY PLAN {text}", {**dict.fromkeys(names), "v0": "[1]"})
    store.close()
    assert [step for *_, step in plan if step.startswith("SCAN") and "event" in step] == []


def test_a_lab_whose_database_was_emptied_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    open_local(tmp_path / "lab").close()
    for item in (tmp_path / "lab").glob("lab.sqlite*"):
        item.write_bytes(b"")
    with pytest.raises(FormatError, match=r"lab\.sqlite is empty, although a lab was made here"):
        open_local(tmp_path / "lab")


def test_a_lab_whose_making_was_cut_short_is_made_when_it_is_opened(tmp_path: Path) -> None:
    (tmp_path / "lab" / "arrays").mkdir(parents=True)
    (tmp_path / "lab" / "lab.sqlite").touch()
    open_local(tmp_path / "lab").close()
    assert (tmp_path / "lab" / "README.txt").exists()


@pytest.mark.parametrize("arrays", ["gs://bucket/prefix", "s3://", "s3://Not_A_Bucket"])
def test_an_object_store_that_is_not_s3_is_refused_and_no_folder_of_that_name_made(tmp_path, monkeypatch, arrays):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValidationFailed, match="s3://bucket/prefix"):
        open_local("postgresql+psycopg://nobody@127.0.0.1:1/none", arrays=arrays)
    assert list(tmp_path.iterdir()) == []


def test_the_keeper_of_a_served_lab_is_sent_to_where_it_is():
    with pytest.raises(ValidationFailed, match="is a server: do this where its lab is"):
        open_local("http://127.0.0.1:8000")
