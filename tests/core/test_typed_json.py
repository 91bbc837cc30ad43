from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pytest
import quantities as pq
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gnode_orm.core.typed_json import decode, encode
from gnode_orm.errors import ValidationFailed

DTYPES = [
    "?", "i1", "u1", "<i2", ">i2", "<u4", "<i8", ">i8", "<u8", "<f2", "<f4", ">f4", "<f8", ">f8", "<c8", "<c16", ">c16",
    "S3", "<U4", ">U4", "<M8[us]", "<M8[ns]", "<M8[D]", "<m8[ms]", "<m8[ns]", np.dtype(np.longdouble).str,
]  # fmt: skip


def same(a: Any, b: Any) -> bool:
    """Equal in type, order of keys, sign of zero, NaN, dtype, shape and bytes."""
    if isinstance(a, pq.Quantity):
        return isinstance(b, pq.Quantity) and a.dimensionality == b.dimensionality and same(a.magnitude, b.magnitude)
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray) and a.dtype == object:
        return a.shape == b.shape and all(map(same, a.flat, b.flat))
    if isinstance(a, np.ndarray | np.generic):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, Decimal):
        return a.as_tuple() == b.as_tuple()
    if isinstance(a, datetime | time):
        return a.isoformat() == b.isoformat()
    return bool(a == b)


# Python itself loses offsets of less than a second when it reads ISO text.
ZONES = (
    st.none() | st.integers(-82_800, 82_800).map(lambda seconds: timezone(timedelta(seconds=seconds))) | st.just(UTC)
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.text(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.complex_numbers(),
    st.binary(),
    st.decimals(),
    st.datetimes(timezones=ZONES),
    st.dates(),
    st.times(),
    st.timedeltas(),
)
UNITS = st.sampled_from([pq.ms, pq.mV, pq.Hz, pq.deg, pq.dimensionless, pq.V / pq.s])
NUMBERS = hnp.arrays(
    st.sampled_from(["<i4", "<f4", "<f8", ">f8", "<i8", "<c8"]), hnp.array_shapes(min_dims=0, min_side=0)
)
QUANTITIES = st.builds(pq.Quantity, NUMBERS, UNITS)
ARRAYS = st.sampled_from(DTYPES[:-1]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
)
LEAVES = SCALARS | QUANTITIES | ARRAYS
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.sampled_from(["", "$", "$$", "$x", "µ", "a b"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(VALUES)
def test_what_is_written_reads_back_the_same(value: Any) -> None:
    assert same(value, decode(encode(value)))


@given(VALUES)
def test_writing_again_gives_the_same_text(value: Any) -> None:
    """So that texts can be compared to find out whether something changed."""
    assert encode(decode(encode(value))) == encode(value)


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_scalars_keep_their_type(dtype: str) -> None:
    array = np.array([0, 1]).astype(dtype)
    for value in (array[0], array[1]):
        assert same(value, decode(encode(value)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 0), (2, 3)])
def test_arrays_keep_dtype_and_shape(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    assert same(array, decode(encode(array)))
    assert same(np.asfortranarray(array), decode(encode(np.asfortranarray(array))))


@pytest.mark.parametrize(
    "value",
    [
        np.float32("nan"),
        np.float64("-inf"),
        np.float64(-0.0),
        np.uint64(2**64 - 1),
        np.datetime64("NaT", "us"),
        np.datetime64("2020-01-01T00:00:00.123456789"),
        np.str_(""),
        np.str_("µ\0é"),
        np.bytes_(b""),
        np.bytes_(b"a\0"),
        np.bool_(True),
        np.complex64(1 - 0j),
        float("nan"),
        -0.0,
        2**64,
        -(2**63),
        -(2**63) - 1,
        2**63 - 1,
        True,
        {"$": {"$": "q"}},
        {"": 1, "$$": 2, "b": 3, "a": 4},
        (1, [2, (3,)], ()),
        datetime(2014, 3, 21, 10, 0, 0, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        time(10, 0, tzinfo=UTC),
        Decimal("0.10"),
        Decimal("sNaN"),
        b"\0\xff",
        pq.Quantity(np.array(45.0), "deg"),
        pq.Quantity(np.array(3, "i8"), "ms"),
        pq.Quantity(np.array(-0.0), "ms"),
        pq.Quantity(np.array(float("nan"), "f4"), "ms"),
        pq.Quantity(np.array(float("nan"), ">f8"), "ms"),
        pq.Quantity(np.array(float("inf"), ">f4"), "ms"),
        pq.Quantity(np.array(2**64 - 1, ">u8"), "ms"),
        pq.Quantity(np.array([1, 2], ">i2"), "mV"),
        pq.Quantity(np.zeros((0, 3)), "mV"),
        pq.Quantity(np.array(1 + 2j), "V"),
    ],
    ids=repr,
)
def test_awkward_values_survive(value: Any) -> None:
    assert same(value, decode(encode(value)))


def test_object_arrays_keep_items_of_every_type_and_equal_length() -> None:
    array = np.empty((2, 2), object)
    for place, item in enumerate(([1, 2], [3, 4], None, np.arange(2))):
        array.flat[place] = item
    assert same(array, decode(encode(array)))


@pytest.mark.parametrize("value", ["text", "", 5, 1.5, True, None, [1, "a"], {"a": {"b": 1}}, []])
def test_plain_values_are_plain_json(value: Any) -> None:
    assert orjson.loads(encode(value)) == value


def test_numbers_of_a_class_below_int_are_kept_at_once() -> None:
    class Colour(IntEnum):
        RED = 3

    assert encode([Colour.RED, {"a": Colour.RED}]) == '[3,{"a":3}]'


def test_a_quantity_carries_its_si_value_and_dimension() -> None:
    assert orjson.loads(encode(5 * pq.ms)) == {"$": "q", "v": 5.0, "u": "ms", "si": 0.005, "d": "s"}


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"a": object()}, "['a']"),
        ({"a": [1, {"b": {1, 2}}]}, "['a'][1]['b']"),
        ({"a": (1, object())}, "['a'][1]"),
        ({"a": "\ud800"}, "['a']"),
        ({"a": np.str_("\ud800")}, "['a']"),
        ({"a": np.zeros(2, [("x", "i4")])}, "['a']"),
        ({"a": np.zeros(2, [("x", "i4")])[0]}, "['a']"),
        ({"a": np.ma.masked_array([1, 2], [True, False])}, "['a']"),
        ({"a": pq.Quantity(1.0, pq.CompoundUnit("0.195*uV"))}, "['a']"),
        ({"a": 10**5000}, "['a']"),
        ({"a": lambda: 1}, "['a']"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_path(value: Any, path: str) -> None:
    with pytest.raises(ValidationFailed) as caught:
        encode(value)
    assert str(caught.value).startswith(path)


@pytest.mark.parametrize("key", [1, None, b"a", ("a",)])
def test_keys_are_text(key: Any) -> None:
    with pytest.raises(ValidationFailed, match=r"\['a'\]: the key .* is not text"):
        encode({"a": {key: 1}})


def test_a_lone_surrogate_in_a_key_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="lone surrogate"):
        encode({"\ud800": 1})


@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: (x,), lambda x: {"a": x}])
def test_a_container_in_itself_ends_in_an_error(wrap: Any) -> None:
    nested: Any = 1
    for _ in range(2000):
        nested = wrap(nested)
    with pytest.raises(ValidationFailed, match="levels deep"):
        encode(nested)


@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: (x,), lambda x: {"a": x}])
def test_what_is_not_too_deep_is_read_back(wrap: Any) -> None:
    nested: Any = 1
    for _ in range(90):
        nested = wrap(nested)
    assert same(nested, decode(encode(nested)))


def test_dates_and_times_differ_from_datetimes() -> None:
    value = [date(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC), time(0)]
    assert same(value, decode(encode(value)))


def test_a_quantity_with_an_uncertainty_is_refused_with_its_path() -> None:
    with pytest.raises(ValidationFailed, match=r"\['depth'\]: .* would lose its uncertainty"):
        encode({"depth": pq.UncertainQuantity(3, "mm", 0.1)})


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "Asia/Kolkata"])
def test_times_keep_the_name_of_their_zone(name: str) -> None:
    zone = ZoneInfo(name)
    for value in (datetime(2020, 7, 1, 12, tzinfo=zone), time(10, 30, tzinfo=zone)):
        again = decode(encode(value))
        assert (again, again.tzinfo) == (value, zone)


def test_the_second_of_two_equal_times_stays_the_second() -> None:
    value = datetime(2020, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)
    again = decode(encode(value))
    assert (again.fold, again.utcoffset()) == (1, value.utcoffset())


def test_a_zone_that_this_machine_does_not_know_leaves_the_offset() -> None:
    text = encode(datetime(2020, 7, 1, 12, tzinfo=ZoneInfo("Europe/Berlin"))).replace("Europe/Berlin", "Mars/Tharsis")
    assert decode(text) == datetime(2020, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
