"""The disk begins with a large array while it is still written and hashed, and what stands in the file is the same."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from gnode_orm.stores.local import durable

STEP = 2 << 20
BYTES = np.random.default_rng(5).integers(0, 256, 2 * STEP + 70_000, dtype=np.uint8).tobytes()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From where on the disk was asked to begin each time, with as many bytes in the file as stand there by then."""
    begun: list[int] = []
    ask = os.posix_fadvise

    def noted(file: int, start: int, length: int, advice: int) -> None:
        assert length == 0  # to the end
        assert os.fstat(file).st_size > start
        begun.append(start)
        ask(file, start, length, advice)

    monkeypatch.setattr(os, "posix_fadvise", noted)
    return begun


def written(path: Path, *pieces: bytes) -> bytes:
    with path.open("xb") as file:
        for piece in pieces:
            durable.write_along(file, memoryview(piece))
    return path.read_bytes()


def test_the_disk_begins_with_each_step_of_a_large_piece(tmp_path: Path, asked: list[int]) -> None:
    assert written(tmp_path / "file", b"header", BYTES) == b"header" + BYTES
    assert asked == [6, 6 + STEP, 6 + 2 * STEP]


def test_small_pieces_are_left_to_the_system(tmp_path: Path, asked: list[int]) -> None:
    assert written(tmp_path / "file", b"", *[b"abc"] * 1000) == b"abc" * 1000
    assert asked == []


def test_a_system_that_cannot_be_asked_writes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "posix_fadvise")
    assert written(tmp_path / "file", b"header", BYTES) == b"header" + BYTES
