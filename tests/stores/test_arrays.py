"""Arrays come back bit for bit, whatever their dtype, shape and size, and by slice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gnode_orm.core.arrayhash import LEAF, ArrayHasher, array_hash, content_hash
from gnode_orm.core.changes import ArrayRef, ChangeSet
from gnode_orm.errors import IntegrityError, NotFound, ValidationFailed
from tests.stores.rows import behind_a_server, create, inline, row

ARRAYS = {
    "0-d": np.array(1.5),
    "empty": np.empty((0, 3), dtype="<i2"),
    "big-endian": np.arange(5, dtype=">f8"),
    "float16": np.array([1, np.nan, -0.0], dtype="<f2"),
    "complex": np.array([[1 + 2j, -0.0 - 1j]]),
    "bool": np.array([True, False]),
    "text": np.array(["go", "läuft", ""], dtype="<U5"),
    "bytes": np.array([b"go", b"stop\xff"], dtype="S5"),
    "int64": np.array([2**63 - 1, -(2**63)]),
    "fortran": np.asfortranarray(np.arange(12).reshape(3, 4)),
    "strided": np.arange(20)[::3],
}
REFUSED_THERE = {"0-d", "text", "bytes"}
"""What an original server refuses, without saying so."""


class Pieces:
    """An array in pieces of some rows."""

    def __init__(self, array: np.ndarray[Any, Any], rows: int) -> None:
        self.dtype, self.shape = array.dtype, array.shape
        self._array, self._rows = array, rows

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        if not self.shape:
            yield np.ascontiguousarray(self._array).reshape(())
            return
        for start in range(0, len(self._array), self._rows):
            yield np.ascontiguousarray(self._array[start : start + self._rows])


def same(a, b):
    return (
        a.dtype == b.dtype
        and a.shape == b.shape
        and np.ascontiguousarray(a).tobytes() == np.ascontiguousarray(b).tobytes()
    )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.needs("Reasons of a refusal")] * (name in REFUSED_THERE))
        for name in ARRAYS
    ],
)
def test_small_arrays_travel_inside_the_change_set(store, name):
    array = ARRAYS[name]
    ref, data = inline(array, "mV")
    if behind_a_server(store) and name in ("0-d", "text", "bytes"):
        with pytest.raises(ValidationFailed, match=r"AnalogSignal\.signal: an array of"):
            create(store, "analogsignal", signal=ref, arrays=data)
        return
    create(store, "analogsignal", signal=ref, arrays=data)
    again = store.read_array(ref)
    assert same(again, array)
    assert not again.flags.writeable


@pytest.mark.parametrize("name", ARRAYS)
def test_any_array_may_be_stored_ahead(store, name):
    array = ARRAYS[name]
    ref = store.put_arrays([(Pieces(array, 2), None)])[0]
    assert ref == ArrayRef(array_hash(array), array.dtype.str, array.shape, None)
    assert same(store.read_array(ref), array)


@pytest.mark.parametrize("name", [name for name in ARRAYS if name != "empty"])
def test_one_element_alone_keeps_its_type(store, name):
    array = ARRAYS[name]
    ref = store.put_arrays([(Pieces(array, 2), None)])[0]
    place = (0,) * array.ndim
    assert same(store.read_array(ref, place), np.asarray(array[place], array.dtype))


def test_large_arrays_are_read_by_slice(store):
    array = np.random.default_rng(0).normal(size=(50_000, 4)).astype("<f4")
    ref = store.put_arrays([(Pieces(array, 7_000), "uV")])[0]
    assert ref.nbytes > store.inline_limit
    create(store, "analogsignalarray", signal=ref)
    assert same(store.read_array(ref), array)
    part = store.read_array(ref, (slice(10, 20), slice(None, None, 2)))
    assert same(part, array[10:20, ::2])
    assert type(part) is np.ndarray
    assert not part.flags.writeable
    assert store.read_array(ref, (3, 1)) == array[3, 1]


def test_many_slices_are_read_together(store):
    small, data = inline(np.arange(5), "s")
    create(store, "spiketrain", times=small, arrays=data)
    large = np.arange(30_000)
    ref = store.put_arrays([(Pieces(large, 30_000), None)])[0]
    parts = store.read_arrays([(small, slice(1, 3)), (ref, slice(5, 7)), (small, ...)])
    assert [part.tolist() for part in parts] == [[1, 2], [5, 6], [0, 1, 2, 3, 4]]


def test_equal_content_is_stored_once(store):
    array = np.arange(20_000)
    first = store.put_arrays([(Pieces(array, 999), "mV")])[0]
    second = store.put_arrays([(Pieces(array, 20_000), "uV")])[0]
    assert first.hash == second.hash
    assert (first.unit, second.unit) == ("mV", "uV")
    small, data = inline(array[:5], "s")
    for _ in range(2):
        create(store, "spiketrain", times=small, arrays=data)
    assert store.read_array(small).tolist() == [0, 1, 2, 3, 4]


def test_an_array_that_is_not_there_is_refused_and_not_found(store):
    ref, _ = inline(np.arange(7), "s")
    with pytest.raises(IntegrityError, match="put_arrays"):
        create(store, "spiketrain", times=ref)
    with pytest.raises(NotFound, match=ref.hash.hex()):
        store.read_array(ref)


def test_bytes_that_do_not_match_their_hash_are_refused(store):
    ref, _ = inline(np.arange(3), "s")
    changes = ChangeSet(creates={"spiketrain": [row("spiketrain", times=ref)]}, arrays={ref.hash: b"\0" * 24})
    with pytest.raises(IntegrityError, match="do not match"):
        store.apply(changes, "ann")


def test_pieces_that_do_not_make_up_the_shape_are_refused(store):
    class Short(Pieces):
        def chunks(self):
            yield np.arange(3)

    for size in (10, 50_000):
        with pytest.raises(ValidationFailed, match="bytes"):
            store.put_arrays([(Short(np.arange(size), size), None)])[0]


def test_object_arrays_are_refused(store):
    with pytest.raises(ValidationFailed, match="dtype object"):
        store.put_arrays([(Pieces(np.array([None, {}], dtype=object), 2), None)])[0]


def test_a_hash_is_independent_of_layout_and_pieces():
    array = np.arange(LEAF // 4, dtype="<i8").reshape(-1, 4)
    whole = array_hash(array)
    assert array_hash(np.asfortranarray(array)) == whole
    assert content_hash(array.tobytes(), array.dtype, array.shape) == whole
    for rows in (9_999, 99_999):
        with ArrayHasher(array.dtype, array.shape) as hasher:
            for start in range(0, len(array), rows):
                hasher.update(array[start : start + rows])
            assert hasher.digest() == whole


def test_a_hash_depends_on_dtype_and_shape():
    array = np.zeros(6, dtype="<i8")
    hashes = {
        array_hash(array),
        array_hash(array.reshape(2, 3)),
        array_hash(array.view("<f8")),
        array_hash(array.astype(">i8")),
    }
    assert len(hashes) == 4
