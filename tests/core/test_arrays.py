from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import quantities as pq

from gnode_orm.core.arrays import ArrayHandle, label_array, number_array
from gnode_orm.core.changes import ArrayRef
from gnode_orm.errors import UnitError, ValidationFailed


class Recorder:
    """Stands for a store that holds one array; notes what is read."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.read: list[Any] = []

    def read_array(self, ref: ArrayRef, key: Any = ...) -> Any:
        self.read.append(key)
        return self.array[key]


def stored(array: Any, unit: str | None) -> tuple[ArrayHandle, Recorder]:
    reader = Recorder(array)
    return ArrayHandle.stored(reader, ArrayRef(b"h" * 32, array.dtype.str, array.shape, unit)), reader


VALUES = np.arange(12, dtype="<f4").reshape(6, 2)


@pytest.mark.parametrize(
    "given", [pq.Quantity(VALUES, "mV"), (VALUES, "mV"), (VALUES.tolist(), "mV"), number_array((VALUES, "mV"), None)]
)
def test_an_array_is_taken_in_every_form(given: Any) -> None:
    handle = number_array(given, None)
    assert handle.shape == (6, 2)
    assert handle.unit == "mV"
    assert handle.units == 1 * pq.mV
    assert np.array_equal(handle.magnitude, VALUES)


@pytest.mark.parametrize("dtype", ["i1", "<i2", ">i2", "<u8", "<f4", ">f8", "<c16", "?"])
def test_dtype_and_byte_order_are_kept(dtype: str) -> None:
    handle = number_array((VALUES.astype(dtype), "mV"), None)
    assert handle.dtype == np.dtype(dtype)
    assert handle.load().dtype == np.dtype(dtype)


@pytest.mark.parametrize(
    "made", [number_array((VALUES, "mV"), None), stored(VALUES, "mV")[0]], ids=["memory", "stored"]
)
@pytest.mark.parametrize("key", [..., 2, slice(1, 4), (slice(1, 4), 1), (slice(None), slice(0, 1)), (-1, -1)])
def test_a_slice_is_a_read_only_quantity(made: ArrayHandle, key: Any) -> None:
    part = made[key]
    assert isinstance(part, pq.Quantity)
    assert part.dimensionality.string == "mV"
    assert np.array_equal(part.magnitude, VALUES[key])
    assert not part.flags.writeable


def test_only_what_a_slice_returns_is_read() -> None:
    handle, reader = stored(VALUES, "mV")
    assert (len(handle), handle.ndim, handle.size, handle.nbytes) == (6, 2, 12, 48)
    assert (handle.unit, handle.units, handle.dimensionality.string) == ("mV", 1 * pq.mV, "mV")
    assert handle.descriptor() == {"dtype": "<f4", "shape": [6, 2], "unit": "mV", "sha256": (b"h" * 32).hex()}
    assert repr(handle) == "<6x2 float32 mV>"
    assert reader.read == []
    handle[1:3, 0]
    assert reader.read == [(slice(1, 3), 0)]


def test_an_array_without_axes_has_no_length() -> None:
    handle = ArrayHandle.in_memory(np.array(1.0), None)
    assert handle.size == 1
    with pytest.raises(TypeError, match="no length"):
        len(handle)


def test_labels_are_plain_text() -> None:
    handle = label_array(["a", "b"])
    assert handle.units is handle.unit is handle.dimensionality is None
    assert handle[0] == "a"
    assert isinstance(handle[0], str)
    assert list(handle) == ["a", "b"]
    assert handle[0:1].tolist() == ["a"]


def test_numpy_takes_a_handle_as_an_array() -> None:
    handle = number_array((VALUES, "mV"), None)
    assert np.array_equal(np.asarray(handle), VALUES)
    assert np.asarray(handle, dtype="f8").dtype == np.float64
    copied = np.array(handle)
    copied[0, 0] = 99
    assert handle.magnitude[0, 0] == 0
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(handle, dtype="f8", copy=False)


def test_arithmetic_keeps_units() -> None:
    handle = number_array(([1.0, 2.0], "mV"), None)
    assert (handle * 2).dimensionality.string == "mV"
    assert (handle + 1 * pq.V).magnitude == pytest.approx([1001.0, 1002.0])
    assert (handle > 0.0015 * pq.V).tolist() == [False, True]
    assert (handle == number_array(([1.0, 5.0], "mV"), None)).tolist() == [True, False]
    assert (2 * handle / (1 * pq.mV)).tolist() == [2.0, 4.0]
    assert (handle > 1.5 * pq.mV).tolist() == [False, True]
    assert np.sqrt(number_array(([4.0], "mV**2"), None)).dimensionality.string == "mV"


def test_values_are_read_only() -> None:
    handle = number_array((VALUES.copy(), "mV"), None)
    with pytest.raises(TypeError, match="read-only; compute a new one"):
        handle += 1 * pq.mV
    with pytest.raises(TypeError):
        handle[0] = 1  # type: ignore[index]
    with pytest.raises(ValueError, match="read-only"):
        handle.magnitude[0] = 1


@pytest.mark.parametrize("unit", [5, None, [1]])
def test_what_is_no_unit_is_refused(unit: Any) -> None:
    handle = number_array(([1.0, 2.0], "mV"), None)
    for act in (handle.with_unit, handle.rescaled):
        with pytest.raises(UnitError, match="is not a unit; write for instance 'mV'"):
            act(unit)


def test_one_element_keeps_the_order_of_bytes() -> None:
    assert number_array((np.arange(3, dtype=">i2"), "mV"), None)[1].dtype.str == ">i2"


def test_with_unit_relabels_and_rescaled_converts() -> None:
    handle = number_array(([1.0, 2.0], "mV"), None)
    assert (handle.with_unit("pA").magnitude.tolist(), handle.with_unit("pA").unit) == ([1.0, 2.0], "pA")
    assert handle.with_unit(pq.pA).unit == "pA"
    assert handle.rescaled("uV").unit == "uV"
    assert handle.rescaled("uV").magnitude == pytest.approx([1000.0, 2000.0])
    assert handle.rescaled("mV") is handle
    assert handle.unit == "mV"
    assert handle.rescale("uV").magnitude == pytest.approx([1000.0, 2000.0])


def test_a_stored_array_is_relabelled_without_a_read() -> None:
    handle, reader = stored(VALUES, "mV")
    other = handle.with_unit("pA")
    assert other.ref is not None
    assert handle.ref is not None
    assert (other.ref.hash, other.ref.unit) == (handle.ref.hash, "pA")
    assert reader.read == []
    assert other[0].dimensionality.string == "pA"


def test_converting_needs_a_unit_of_the_same_dimension() -> None:
    with pytest.raises(UnitError, match="pA"):
        number_array(([1.0], "mV"), None).rescaled("pA")
    with pytest.raises(ValidationFailed, match=r"no unit to convert from; use with_unit"):
        label_array(["a"]).rescaled("mV")


@pytest.mark.parametrize("shape", [(0, 3), (1,), (5, 2), (300_000, 8)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_chunks_are_the_array_in_c_order(shape: tuple[int, ...], order: Any) -> None:
    array = np.asarray(np.arange(np.prod(shape), dtype="f8").reshape(shape), order=order)
    chunks = list(ArrayHandle.in_memory(array, None).chunks())
    assert np.array_equal(np.concatenate(chunks), array)
    assert all(chunk.flags.c_contiguous for chunk in chunks)
    assert max(chunk.nbytes for chunk in chunks) <= 8 << 20


def test_an_array_without_a_unit_is_refused() -> None:
    with pytest.raises(ValidationFailed, match=r"has no unit; write \(array, 'mV'\)"):
        number_array(VALUES, None)
    assert number_array(VALUES, None, unit_optional=True).unit is None


@pytest.mark.parametrize("values", [["a"], [None], [object()], [[1], [2, 3]]])
def test_only_numbers_are_taken(values: Any) -> None:
    array = np.array(values, dtype=object) if isinstance(values[0], list) else np.array(values)
    with pytest.raises(ValidationFailed, match="numbers are needed"):
        number_array((array, "mV"), None)


def test_a_wrong_dimension_is_refused() -> None:
    with pytest.raises(UnitError, match="is not a time"):
        number_array((VALUES, "mV"), "s")


def test_what_would_silently_lose_something_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="lose its mask"):
        number_array((np.ma.masked_array([1, 2], [True, False]), "mV"), None)
    with pytest.raises(UnitError, match="has a unit already"):
        number_array(([1.0] * pq.V, "mV"), None)
    with pytest.raises(UnitError, match="has a unit already"):
        number_array((number_array(([1.0], "V"), None), "mV"), None)


@pytest.mark.parametrize("labels", [["a", "µ"], [], np.array([b"a"]), np.array([1, 2]), np.array(["a"], "U5"), ("a",)])
def test_labels_are_text_bytes_or_integers(labels: Any) -> None:
    assert label_array(labels).magnitude.tolist() == list(labels)


@pytest.mark.parametrize("labels", [[None], [1.5], [["a"]], "abc", np.array(["a", None], object)])
def test_other_labels_are_refused(labels: Any) -> None:
    with pytest.raises(ValidationFailed, match="labels"):
        label_array(labels)


@pytest.mark.parametrize("made", [number_array((VALUES, "mV"), None), stored(VALUES, "mV")[0], label_array(["a"])])
def test_a_pickled_handle_holds_its_values(made: ArrayHandle) -> None:
    again = pickle.loads(pickle.dumps(made))
    assert again.ref is None
    assert again.unit == made.unit
    assert again.dtype == made.dtype
    assert np.array_equal(again.magnitude, made.magnitude)


def test_what_a_handle_has_not_and_loaded_values_have_is_said():
    handle = number_array([1.0, 2.0] * pq.mV, None)
    with pytest.raises(AttributeError, match=r"no 'mean'; load\(\).mean has it"):
        handle.mean()
    with pytest.raises(AttributeError, match=r"no 'maen'$"):
        handle.maen()
    with pytest.raises(TypeError, match=r"read-only: change a copy of load\(\)"):
        handle[0] = 3 * pq.mV
