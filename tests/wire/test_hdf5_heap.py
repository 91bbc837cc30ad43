"""Texts of any length are read as the library reads them, and what is wrong with a heap is said at once."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnode_orm.errors import ValidationFailed
from gnode_orm.wire import hdf5
from gnode_orm.wire.hdf5_heap import Heap

TEXTS = ["", "a", "bc", "x" * 5000, "µ€𝄞", "last"]


def file_of(texts: list[str], libver: str = "earliest", **options: Any) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver=libver) as root:
        root.create_dataset("labels", data=np.array(texts, dtype=object), dtype=h5py.string_dtype(), **options)
    return buffer.getvalue()


def read(content: bytes) -> list[str]:
    with hdf5.opened(io.BytesIO(content)) as opened:
        source = hdf5.first_dataset(opened, len(content))
        return [str(text) for chunk in source.chunks() for text in chunk.reshape(-1)]


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("options", [{}, {"chunks": (2,)}, {"maxshape": (None,)}, {"compression": 1}])
def test_texts_are_those_that_were_written(libver: str, options: dict[str, Any]) -> None:
    assert read(file_of(TEXTS, libver, **options)) == TEXTS


@settings(max_examples=30)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50), max_size=20))
def test_any_text_comes_back(texts: list[str]) -> None:
    assert read(file_of(texts)) == texts


def test_texts_of_which_none_was_written_are_empty() -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as root:
        root.create_dataset("labels", (3,), h5py.string_dtype())
    assert read(buffer.getvalue()) == ["", "", ""]


@pytest.mark.parametrize("kind", ["ascii", "utf-8"])
def test_a_single_text_of_either_encoding_is_read(kind: str) -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as root:
        root.create_dataset("json", data="{}", dtype=h5py.string_dtype(kind))
    with hdf5.opened(buffer) as opened:
        assert hdf5.read_text(opened.tree.dataset("json"), 100, opened, hdf5.Allowance(1000)) == "{}"


def changed(place: Callable[[bytes], int], replacement: bytes) -> bytes:
    content = file_of(["one", "two"])
    start = place(content)
    return content[:start] + replacement + content[start + len(replacement) :]


def heap(content: bytes) -> int:
    return content.index(b"GCOL")


def reference(content: bytes) -> int:
    with h5py.File(io.BytesIO(content)) as root:
        offset: int = root["labels"].id.get_offset()
    return offset


FAULTS = {
    "no heap": (heap, b"GCOX", "none"),
    "another version": (lambda content: heap(content) + 4, b"\x02", "none"),
    "a heap beyond the end": (lambda content: heap(content) + 8, struct.pack("<Q", 1 << 40), "none"),
    "a heap shorter than its head": (lambda content: heap(content) + 8, struct.pack("<Q", 8), "none"),
    "a text longer than its heap": (lambda content: heap(content) + 24, struct.pack("<Q", 1 << 40), "not in the file"),
    "a text shorter than its reference": (lambda content: heap(content) + 24, struct.pack("<Q", 1), "not in the file"),
    "a text that is not there": (lambda content: reference(content) + 12, struct.pack("<I", 99), "not in the file"),
    "a reference out of the file": (lambda content: reference(content) + 4, struct.pack("<Q", 1 << 60), "beyond"),
    "a text of a length that no file has": (reference, struct.pack("<I", 2**32 - 1), "longer than the file"),
    "no text at all": (lambda content: heap(content) + 32, b"\xff\xfe", "neither ASCII nor UTF-8"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_heap_with_a_fault_is_refused(fault: str) -> None:
    place, replacement, said = FAULTS[fault]
    with pytest.raises(ValidationFailed, match=said):
        read(changed(place, replacement))


def test_free_space_of_no_length_is_where_a_heap_ends() -> None:
    """The library reads such a heap for ever."""

    def free_space(content: bytes) -> int:
        return heap(content) + 16 + 2 * (16 + 8) + 8

    assert read(changed(free_space, struct.pack("<Q", 0))) == ["one", "two"]


def test_heaps_that_overlap_are_refused() -> None:
    content = bytearray(4096)
    starts = range(64, 320, 64)
    for start in starts:
        content[start : start + 32] = struct.pack("<4sB3xQHHxxxxQ", b"GCOL", 1, 2048, 1, 1, 8)
    references = [(1, start, 1) for start in starts]
    with pytest.raises(ValidationFailed, match="none"):
        list(Heap(io.BytesIO(bytes(content)), len(content), (8, 8)).texts(references, "labels"))


def test_texts_of_two_axes_are_refused() -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as root:
        root.create_dataset("labels", data=np.array([["a"]], dtype=object), dtype=h5py.string_dtype())
    with pytest.raises(ValidationFailed, match="text has one"):
        read(buffer.getvalue())


def test_a_file_with_something_before_it_is_refused() -> None:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", userblock_size=512) as root:
        root.create_dataset("labels", data=np.array(["a"], dtype=object), dtype=h5py.string_dtype())
    with pytest.raises(ValidationFailed, match="not an HDF5 file"):
        read(buffer.getvalue())


def test_addresses_of_another_width_are_refused() -> None:
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    creation.set_sizes(4, 4)
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_fapl_core(backing_store=False)
    made = h5py.h5f.create(b"narrow", h5py.h5f.ACC_TRUNC, creation, access)
    h5py.File(made).create_dataset("labels", data=np.array(["a"], dtype=object), dtype=h5py.string_dtype())
    h5py.h5f.flush(made)
    with pytest.raises(ValidationFailed, match="addresses of 8 bytes"):
        read(made.get_file_image())
