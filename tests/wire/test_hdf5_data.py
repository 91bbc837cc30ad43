"""Data are read as the library reads them, and what is wrong with a layout is said at once."""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pytest

from gnode_orm.errors import ValidationFailed
from gnode_orm.wire import hdf5, hdf5_data

GENERATOR = np.random.default_rng(1)
ARRAYS: dict[str, npt.NDArray[Any]] = {
    "numbers": np.arange(1000.0),
    "big-endian": GENERATOR.integers(0, 99, (57, 13)).astype(">i2"),
    "three axes": GENERATOR.random((20, 5, 7)).astype("f4"),
    "truths": GENERATOR.random((300, 3)) > 0.5,
    "complex": GENERATOR.random(50) + 1j,
    "bytes": np.array([b"ab", b"c", b""]),
    "half": np.arange(9, dtype="f2"),
    "long double": np.arange(9, dtype="g"),
    "odd width": np.array([b"abc", b"def", b"ghi"]),
}
PACKED: list[dict[str, Any]] = [
    {}, {"compression": 9}, {"compression": 1, "shuffle": True, "fletcher32": True}, {"fletcher32": True},
    {"shuffle": True},
]  # fmt: skip


def file_of(write: Callable[[Any], None], libver: str = "earliest") -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", libver=libver) as root:
        write(root)
    return buffer.getvalue()


def read(content: bytes) -> npt.NDArray[Any]:
    with hdf5.opened(io.BytesIO(content)) as opened:
        source = hdf5.first_dataset(opened, len(content))
        whole = np.empty(source.shape, source.dtype)
        start = 0
        for piece in source.chunks():
            assert piece.dtype == source.dtype
            whole.reshape(-1)[start : start + piece.size] = piece.reshape(-1)
            start += piece.size
        assert start == whole.size
        return whole


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("name", ARRAYS)
def test_data_are_those_that_were_written(name: str, libver: str) -> None:
    values = ARRAYS[name]
    thirds = tuple(max(1, n // 3) for n in values.shape)
    for layout in ({}, {"chunks": True}, {"chunks": thirds}, {"chunks": thirds, "maxshape": (None,) * values.ndim}):
        for packed in PACKED if layout else PACKED[:1]:
            options = {**layout, **packed}
            again = read(file_of(lambda root, o=options: root.create_dataset("x", data=values, **o), libver))
            assert again.dtype == values.dtype
            assert np.array_equal(again, values), options


def test_chunks_as_long_as_the_array_come_in_bounded_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hdf5_data, "_BAND", 64)
    values = np.arange(300.0).reshape(100, 3)
    content = file_of(lambda root: root.create_dataset("x", data=values, chunks=(40, 1), compression=1))
    with hdf5.opened(io.BytesIO(content)) as opened:
        pieces = list(hdf5.first_dataset(opened, len(content)).chunks())
    assert max(piece.nbytes for piece in pieces) <= 64
    assert np.array_equal(np.concatenate(pieces), values)


def test_a_single_number_and_nothing_at_all_are_read() -> None:
    assert read(file_of(lambda root: root.create_dataset("x", data=3.5))).shape == ()
    assert read(file_of(lambda root: root.create_dataset("x", data=np.zeros((0, 3))))).shape == (0, 3)


def test_what_was_never_written_is_zero() -> None:
    def write(root: Any) -> None:
        data = root.create_dataset("x", (100,), "i4", chunks=(10,))
        data[20:30] = 1

    assert read(file_of(write)).sum() == 10
    assert not read(file_of(lambda root: root.create_dataset("x", (100,), "i4"))).any()


def test_gaps_for_a_value_of_their_own_are_refused() -> None:
    def write(root: Any) -> None:
        root.create_dataset("x", (100,), "i4", chunks=(10,), fillvalue=7)[20:30] = 1

    with pytest.raises(ValidationFailed, match="gaps"):
        read(file_of(write))


def compact(root: Any) -> None:
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(root.id, b"x", h5py.h5t.NATIVE_INT32, h5py.h5s.create_simple((3,)), layout)


def of_twelve_bits(root: Any) -> None:
    kind = h5py.h5t.STD_I16LE.copy()
    kind.set_precision(12)
    h5py.h5d.create(root.id, b"x", kind, h5py.h5s.create_simple((3,)))


def of_many_chunks(root: Any) -> None:
    root.create_dataset("x", (1000, 1000), "i1", chunks=(1, 1), maxshape=(None, None))


@pytest.mark.parametrize(
    ("write", "said"), [(compact, "header"), (of_twelve_bits, "layout of their own"), (of_many_chunks, "chunks")]
)
def test_a_layout_that_is_not_taken_is_refused(write: Callable[[Any], None], said: str) -> None:
    with pytest.raises(ValidationFailed, match=said):
        read(file_of(write))


def first_chunk(content: bytes) -> int:
    with h5py.File(io.BytesIO(content)) as root:
        offset: int = root["x"].id.get_chunk_info(0).byte_offset
    return offset


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fletcher32": True}, "checksum"),
        ({"compression": 1}, "unpack"),
        ({"compression": 9, "shuffle": True}, "unpack"),
    ],
)
def test_a_chunk_that_was_changed_is_refused(options: dict[str, Any], said: str) -> None:
    content = bytearray(file_of(lambda root: root.create_dataset("x", data=np.arange(100.0), chunks=(50,), **options)))
    content[first_chunk(bytes(content))] ^= 255
    with pytest.raises(ValidationFailed, match=said):
        read(bytes(content))


def test_a_file_with_any_byte_changed_is_read_or_refused() -> None:
    """Whatever stands in it: an answer comes, and it is one of ours."""
    content = file_of(lambda root: root.create_dataset("x", data=np.arange(40.0), chunks=(10,), compression=1))
    places = [place for place, byte in enumerate(content) if byte]
    choice = random.Random(7)
    for _ in range(300):
        changed = bytearray(content)
        for place in choice.sample(places, 2):
            changed[place] = choice.randrange(256)
        with contextlib.suppress(ValidationFailed):
            assert read(bytes(changed)).dtype.kind in "biufcS"
