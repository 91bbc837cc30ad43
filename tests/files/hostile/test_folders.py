"""Folders and names that wait for an import: each ends in one line, and the rest of the folder is imported."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gnode_orm import Block, Session, validate
from gnode_orm.errors import FormatError, GnodeError, NotFound
from gnode_orm.files.discovery import discover
from gnode_orm.files.path_text import path_text
from tests.files.hostile.special_files import bound, device

NOBODY = 65534


@pytest.fixture
def recording(data: Path) -> Path:
    """A small recording of one file."""
    return data / "abf2-varlen" / "2020_06_16_0000.abf"


SPECIAL: dict[str, tuple[Callable[[Path], Any], type[GnodeError], str]] = {
    "pipe": (os.mkfifo, FormatError, "a named pipe, not a recording"),
    "device": (device, FormatError, "a device, not a recording"),
    "socket": (bound, FormatError, "a socket, not a recording"),
    "ring": (lambda path: path.symlink_to(path.name), NotFound, "a link to cell.abf, and so on in a ring"),
    "too long": (lambda path: path.symlink_to("x" * 300), FormatError, "File name too long"),
}


@pytest.mark.parametrize(("make", "error", "words"), SPECIAL.values(), ids=list(SPECIAL))
def test_what_is_no_file_is_refused_before_it_is_opened(
    tmp_path: Path, make: Callable[[Path], Any], error: type[GnodeError], words: str
) -> None:
    path = tmp_path / "cell.abf"
    make(path)
    with Session(":memory:") as session:
        with pytest.raises(error) as refused:
            session.import_file(path)
        assert session.query(Block).count() == 0
    assert str(refused.value) == f"{path}: {words}" or words in str(refused.value)
    if error is FormatError:
        (issue,) = validate(path).errors
        assert (issue.code, issue.path) == ("unreadable-file", "cell.abf")


def test_a_folder_of_traps_is_imported_but_for_these(tmp_path: Path, recording: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    shutil.copy(recording, folder / "good.abf")
    os.mkfifo(folder / "pipe.abf")
    device(folder / "zero.abf")
    bound(folder / "socket.abf")
    (folder / "ring.abf").symlink_to("ring.abf")
    (folder / "lost.abf").symlink_to("nowhere.abf")
    (folder / "again").symlink_to(".")
    (folder / "elsewhere").symlink_to("/")
    (folder / "empty.abf").touch()
    with Session(":memory:") as session:
        plan = session.plan_import(folder)
        result = plan.apply(on_error="skip")
        assert [block.name for block in result.blocks] == ["good"]
    assert [line.removeprefix(f"{folder}/") for line in plan.ignored] == [
        "elsewhere: a link to a folder elsewhere; import / by itself",
        "lost.abf: a link to nowhere.abf, which does not exist",
        "pipe.abf: a named pipe, not a recording",
        "ring.abf: a link to ring.abf, and so on in a ring",
        "socket.abf: a socket, not a recording",
        "zero.abf: a device, not a recording",
    ]
    assert result.failed == [f"{folder}/empty.abf: the file is empty"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"caf\xe9.abf", r"caf\xe9"),
        (b"new\nline.abf", r"new\nline"),
        (b"\x1b[31mred.abf", r"\x1b[31mred"),
        ("ελ λ.abf".encode(), "ελ λ"),
        (b"100% {0}'\".abf", "100% {0}'\""),
        (b"-rf.abf", "-rf"),
    ],
)
@pytest.mark.trap(12)
def test_any_name_of_a_file_becomes_text_of_one_line(tmp_path: Path, recording: Path, name: bytes, text: str) -> None:
    path = tmp_path / os.fsdecode(name)
    shutil.copy(recording, path)
    with Session(tmp_path / "lab") as session:
        plan = session.plan_import(path)
        (block,) = plan.apply().blocks
        assert (block.name, block.file_origin, block.ext["import"]["file"]) == (text, f"{text}.abf", f"{text}.abf")
        assert session.history(block)[0].message == f"import {text}.abf"
        assert f"+ {tmp_path}/{text}.abf (AxonIO)" in str(plan).splitlines()
        assert str(session.plan_import(path)).endswith(f"in the lab already as block/{block.id}")
    path.chmod(0o600)
    path.write_bytes(b"ABF2")
    (issue,) = validate(path).errors
    assert (issue.path, issue.message.startswith(f"{tmp_path}/{text}.abf: ")) == (f"{text}.abf", True)


def test_a_path_of_plain_text_stays_as_it_is() -> None:
    assert path_text(Path("data/µ V.abf")) == "data/µ V.abf"


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of somebody whom the rights of files hold."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o777)
    as_root = os.geteuid() == 0
    if as_root:
        os.seteuid(NOBODY)
    yield place
    if as_root:
        os.seteuid(0)
    shutil.rmtree(place)


def test_what_may_not_be_read_is_told(unprivileged: Path) -> None:
    closed, folder = unprivileged / "closed.abf", unprivileged / "folder"
    closed.write_bytes(b"ABF2")
    folder.mkdir()
    for path in (closed, folder):
        path.chmod(0)
    try:
        found = [(item.path.name, item.reason) for item in discover(unprivileged)]
        assert found == [("closed.abf", None), ("folder", "the folder cannot be read: Permission denied")]
        for path, words in ((closed, "cannot be opened"), (folder, "the folder cannot be read")):
            (issue,) = validate(path).errors
            assert issue.message == f"{path}: {words}: Permission denied"
    finally:
        folder.chmod(0o700)


@pytest.fixture
def deepest(tmp_path: Path) -> Iterator[Path]:
    """A file below more folders than Python's stack is deep; taken away again, since pytest could not."""
    here = os.getcwd()
    os.chdir(tmp_path)
    for _ in range(1100):
        os.mkdir("d")
        os.chdir("d")
    Path("cell.abf").touch()
    os.chdir(here)
    yield tmp_path
    os.chdir(os.path.join(tmp_path, *["d"] * 1100))
    Path("cell.abf").unlink()
    for _ in range(1100):
        os.chdir("..")
        os.rmdir("d")
    os.chdir(here)


def test_folders_nested_beyond_every_stack_are_walked(deepest: Path) -> None:
    assert [(item.path.name, item.reason) for item in discover(deepest)] == [("cell.abf", None)]


def test_many_empty_files_are_told_one_by_one(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"cell{number:04}.abf").touch()
    with Session(":memory:") as session:
        plan = session.plan_import(tmp_path)
        with pytest.raises(FormatError, match=r"cell0000\.abf: the file is empty, and 1999 more files with problems"):
            plan.apply()
        result = plan.apply(on_error="skip")
        assert (len(result.failed), session.query(Block).count()) == (2000, 0)
    assert {line.rpartition(": ")[2] for line in result.failed} == {"the file is empty"}
