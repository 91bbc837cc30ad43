from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import quantities as pq
from hypothesis import given
from hypothesis import strategies as st

from gnode_orm.core.quantity import RATE, TIME, accept, from_columns, quantity, si_value, to_columns
from gnode_orm.errors import UnitError, ValidationFailed
from gnode_orm.units import unit_of


def identical(a: Any, b: Any) -> bool:
    return bool(
        a.dimensionality == b.dimensionality
        and a.dtype == b.dtype
        and a.shape == b.shape
        and np.asarray(a).tobytes() == np.asarray(b).tobytes()
    )


def stored(value: Any) -> Any:
    return from_columns(*to_columns(value)[:2])


@pytest.mark.parametrize(
    ("given_value", "number", "unit"),
    [
        (5 * pq.ms, 5, "ms"),
        ((5, "ms"), 5, "ms"),
        ([5, "ms"], 5, "ms"),
        (("5", "ms"), 5, "ms"),
        ({"value": 5, "unit": "ms"}, 5, "ms"),
        ("5 ms", 5, "ms"),
        ("5ms", 5, "ms"),
        (" -1.5e-3  s ", -1.5e-3, "s"),
        ("inf s", np.inf, "s"),
        ((np.float32(5), "ms"), 5, "ms"),
    ],
)
def test_a_quantity_is_taken_in_every_form(given_value: Any, number: float, unit: str) -> None:
    taken = quantity(given_value, TIME)
    assert taken.magnitude == number
    assert taken.dimensionality.string == unit


@pytest.mark.parametrize("dtype", ["i1", "<i8", ">i8", "<u8", "<f2", "<f4", "<f8", ">f8"])
@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_unit_dtype_and_shape_are_kept_and_stored_bit_for_bit(dtype: str, shape: tuple[int, ...]) -> None:
    original = pq.Quantity(np.full(shape, 7).astype(dtype), "ms")
    taken = quantity(original, TIME)
    assert identical(taken, original)
    assert identical(stored(taken), original)


@given(st.floats(width=64) | st.sampled_from([-0.0, 0.0, float("nan"), 5e-324, 1e308]))
def test_every_float64_is_stored_bit_for_bit(number: float) -> None:
    taken = quantity((number, "mV"), None)
    assert identical(stored(taken), taken)


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_int64_is_stored_bit_for_bit(number: int) -> None:
    taken = quantity(pq.Quantity(np.array(number, "i8"), "us"), TIME)
    assert identical(stored(taken), taken)


@given(st.floats(width=32))
def test_every_float32_is_stored_bit_for_bit(number: float) -> None:
    taken = quantity(pq.Quantity(np.array(number, "f4"), "us"), TIME)
    assert identical(stored(taken), taken)


def test_a_plain_float64_needs_no_exact_text() -> None:
    assert to_columns(quantity("5 ms", TIME)) == (5.0, "ms", 0.005)
    assert to_columns(None) == (None, None, None)
    assert from_columns(None, None) is None


def test_nan_has_no_number_to_compare_and_zero_no_sign() -> None:
    """Databases differ on both; the exact value stands in the unit column."""
    nan, zero = (to_columns(quantity((number, "ms"), TIME)) for number in (float("nan"), -0.0))
    assert nan[0] is None
    assert nan[2] is None
    assert np.copysign(1, zero[0]) == np.copysign(1, zero[2]) == 1


@given(
    st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(-(10**12), 10**12, allow_nan=False, places=7).map(float)
    | st.integers(-(10**16), 10**16).map(float),
    st.sampled_from(["s", "ms", "us", "kHz", "min", "degC"]),
)
def test_si_values_are_rounded_to_fifteen_digits(number: float, text: str) -> None:
    unit = unit_of(text)
    assert repr(si_value(number, unit)) == repr(float(f"{number * unit.factor:.15g}"))


def test_si_values_of_equal_times_are_equal() -> None:
    assert si_value(0.1, unit_of("ms")) == si_value(100.0, unit_of("us"))


def test_a_quantity_is_a_read_only_copy() -> None:
    original = pq.Quantity(np.array(5.0), "ms")
    taken = quantity(original, TIME)
    original += 1 * pq.ms
    assert taken.magnitude == 5
    with pytest.raises(ValueError, match="read-only"):
        taken[...] = 1 * pq.ms
    with pytest.raises(ValueError, match=r"read-only|read only"):
        taken += 1 * pq.ms


@pytest.mark.parametrize("number", [5, 5.0, np.float64(5), np.array([5.0]), True])
def test_a_bare_number_is_refused_with_what_to_write(number: Any) -> None:
    with pytest.raises(ValidationFailed, match=r"has no unit; write 5\*pq.ms or '5 ms'"):
        quantity(number, TIME)


@pytest.mark.parametrize("wrong", ["5", "ms", "five ms", "", ("x", "ms"), (None, "ms"), (5, "ms", 1), object()])
def test_what_is_no_number_with_a_unit_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationFailed, match="is not a number with a unit"):
        quantity(wrong, TIME)


def test_digits_alone_are_a_number_without_a_unit() -> None:
    with pytest.raises(ValidationFailed, match="'10' is not a number with a unit"):
        quantity("10", "s")
    assert quantity("5 1/s", "1/s").dimensionality.string == "1/s"
    assert float(quantity("5%", None)) == 5.0


@pytest.mark.parametrize("wrong", [(True, "ms"), (1j, "ms"), pq.Quantity(np.array(True), "ms")])
def test_only_real_numbers_are_taken(wrong: Any) -> None:
    with pytest.raises(ValidationFailed, match="is not a number with a unit"):
        quantity(wrong, TIME)


def test_a_wrong_dimension_is_refused_with_an_example() -> None:
    with pytest.raises(UnitError, match=r"5.0 mV is not a rate \(unit mV\); write 10\*pq.kHz"):
        quantity(5 * pq.mV, RATE)
    with pytest.raises(UnitError, match=r"is not a time \(unit Hz\)"):
        quantity("5 Hz", TIME)


@pytest.mark.parametrize("text", ["5 9**9**9", "5 10*ms", "5 nosuchunit"])
def test_a_unit_outside_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(UnitError):
        quantity(text, TIME)


def test_numbers_of_numpy_are_kept_as_plain_numbers() -> None:
    assert list(map(type, accept((np.float64(0.5), "s"), TIME))) == [float, str, float]


def test_a_second_unit_beside_a_quantity_is_refused() -> None:
    """One library would relabel it, another would convert it."""
    with pytest.raises(UnitError, match="has a unit already"):
        quantity((5 * pq.ms, "s"), TIME)
