"""Bytes that go past the cache of the system stand in the file as if they had gone through it."""

from __future__ import annotations

import errno
import os
from mmap import mmap
from pathlib import Path

import numpy as np
import pytest

from gnode_orm.stores.local import durable

SIZE = 1 << 20
BYTES = np.random.default_rng(5).integers(0, 256, SIZE, dtype=np.uint8).tobytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of other bytes."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3 * SIZE)
    return path


@pytest.fixture
def straight(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes went straight to the disk each time."""
    written: list[int] = []
    write = durable._write_straight

    def noted(*args):
        written.append(write(*args))
        return written[-1]

    monkeypatch.setattr(durable, "_write_straight", noted)
    return written


def in_memory(size: int, start: int) -> memoryview:
    """Bytes that stand in memory, counted in blocks, as from a place in a file on."""
    memory = memoryview(mmap(-1, size + 4096))[start % 4096 :][:size]
    memory[:] = BYTES[:size]
    return memory


def write(path: Path, data: memoryview, start: int) -> None:
    with path.open("r+b", buffering=0) as file:
        durable.write_through(file.fileno(), data, start)


@pytest.mark.parametrize("start", [0, 1, 128, 4095, 4096, 10_000])
@pytest.mark.parametrize("size", [0, 1, 127, 4095, 4096, 100_000, SIZE])
@pytest.mark.parametrize("off", [0, 1])
def test_the_file_holds_what_was_written_and_nothing_else_is_touched(path, start, size, off):
    write(path, in_memory(size, start + off), start)
    assert path.read_bytes() == b"x" * start + BYTES[:size] + b"x" * (3 * SIZE - start - size)


def test_blocks_that_stand_in_memory_as_in_the_file_go_straight_to_the_disk(path, straight):
    write(path, in_memory(SIZE, 128), 128)
    assert straight in ([SIZE - 4096], [0])  # none where the file system cannot


def test_what_stands_elsewhere_in_memory_and_where_the_system_cannot_goes_through_it(path, straight, monkeypatch):
    write(path, in_memory(SIZE, 1), 0)
    monkeypatch.delattr(os, "O_DIRECT")
    write(path, in_memory(SIZE, SIZE), SIZE)
    assert straight == [0, 0]
    assert path.read_bytes() == BYTES + BYTES + b"x" * SIZE


@pytest.mark.parametrize("cut", [4096, 5000, 100_000])
def test_a_write_that_ends_early_is_gone_on_with(path, monkeypatch, cut):
    pwrite = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, start: pwrite(file, data[:cut], start))
    write(path, in_memory(SIZE, 128), 128)
    assert path.read_bytes()[128 : 128 + SIZE] == BYTES


def test_a_full_disk_is_told(path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space left"):
        write(path, in_memory(SIZE, 128), 128)
