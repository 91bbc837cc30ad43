"""Signals of neo through models: shapes, dtypes, units, rates, raw samples."""

from __future__ import annotations

from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, AnalogSignalArray, Block, IrregularlySampledSignal
from gnode_orm.errors import ValidationFailed
from tests.convert.neo.isomorphism import assert_isomorphic
from tests.convert.neo.round_trips import in_block, in_memory, stored

RATE = 1 * pq.kHz
DTYPES = ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?", ">i2", ">i4", ">f4", ">f8", "f2", "f4", "c8", "c16", "g"]
UNITS = ["uV", "microvolt", "pA", "nS", "dimensionless", "degC", "lsb", "deg", "mmHg", "mV/ms", "uV**2/Hz", "percent"]
RATES = [
    1 / (3 * pq.us),
    pq.Quantity(1.0, "1/ms"),
    pq.Quantity(1.0, "1/min"),
    pq.Quantity(np.int64(20000), "Hz", dtype="i8"),
    pq.Quantity(np.float32(0.1), "kHz", dtype="f4"),
    pq.Quantity([20.0], "kHz"),
    pq.Quantity(403.2258, "Hz"),
    pq.kHz,
    0 * pq.Hz,
    -1 * pq.Hz,
    np.nan * pq.Hz,
    np.inf * pq.Hz,
    5 * pq.mV,
]
STARTS = [
    1e15 * pq.ms,
    pq.Quantity(2**62 + 1, "us", dtype="i8"),
    pq.Quantity(0.1, "s", dtype="f4"),
    np.nan * pq.s,
    np.inf * pq.s,
    -0.0 * pq.s,
    5.0,
    3,
    np.float32(0.1),
    5 * pq.mV,
    [1.0, 2.0] * pq.s,
]


def signal(samples: Any = ((1.0,), (2.0,)), units: Any = "mV", **facts: Any) -> neo.AnalogSignal:
    return neo.AnalogSignal(np.asarray(samples), units=units, **{"sampling_rate": RATE, **facts})


@pytest.mark.case(7, 8, 9, 10, 11)
@pytest.mark.parametrize("shape", [(5, 1), (5, 3), (0, 1), (0, 3), (5, 0), (1, 1)], ids=str)
def test_every_shape_of_signal_comes_back_from_a_store(shape: tuple[int, int]) -> None:
    block = in_block(signal(np.arange(np.prod(shape), dtype="i2").reshape(shape)))
    assert_isomorphic(block, stored(block))


@pytest.mark.case(7, 8)
def test_one_channel_becomes_a_signal_of_one_axis_and_several_an_array() -> None:
    one, many = AnalogSignal.from_neo(signal()), AnalogSignalArray.from_neo(signal([[1.0, 2.0]]))
    assert (one.shape, many.shape) == ((2,), (1, 2))


@pytest.mark.case(12)
@pytest.mark.parametrize("axes", [0, 1])
def test_signals_with_fewer_axes_than_neo_documents_keep_their_shape(axes: int) -> None:
    native = signal()
    bare = (native.magnitude[:, 0] if axes else native.magnitude[0, 0]) * pq.mV
    odd = bare.view(neo.AnalogSignal)
    odd._sampling_rate = RATE
    assert odd.ndim == axes
    assert_isomorphic(odd, in_memory(odd))


@pytest.mark.case(14, 15, 16, 17, 18)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_comes_back_from_a_store_byte_for_byte(dtype: str) -> None:
    block = in_block(signal(np.array([[0, 1], [1, 0], [1, 1]]).astype(dtype)))
    assert_isomorphic(block, stored(block))


@pytest.mark.case(20)
def test_special_floats_keep_their_bytes() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, -0.0, 5e-324]])
    values[0, 0] = np.array([0x7FF8000000000123], "u8").view("f8")[0]
    assert_isomorphic(in_block(signal(values)), stored(in_block(signal(values))))


@pytest.mark.case(21)
@pytest.mark.parametrize(
    "samples", [np.arange(12.0).reshape(6, 2)[::2], np.asfortranarray(np.arange(6.0).reshape(3, 2))]
)
def test_strided_and_fortran_samples_give_the_same_values_in_c_order(samples: Any) -> None:
    native = pq.Quantity(samples, "mV").view(neo.AnalogSignal)
    native._sampling_rate = RATE
    again = in_memory(native)
    assert_isomorphic(native, again)
    assert again.flags.c_contiguous


@pytest.mark.case(23, 24)
@pytest.mark.parametrize("units", UNITS)
def test_units_keep_dimension_and_scale(units: str) -> None:
    assert_isomorphic(in_block(signal(units=units)), stored(in_block(signal(units=units))))


@pytest.mark.case(23)
def test_two_names_of_a_unit_are_one() -> None:
    short, long = (AnalogSignal.from_neo(signal(units=name)) for name in ("uV", "microvolt"))
    assert short.signal.unit == long.signal.unit == "uV"


@pytest.mark.case(30, 31, 32)
@pytest.mark.parametrize("rate", RATES, ids=repr)
def test_every_sampling_rate_that_neo_takes_comes_back_from_a_store(rate: Any) -> None:
    block = in_block(signal(sampling_rate=rate))
    assert_isomorphic(block, stored(block))


@pytest.mark.parametrize("rate", [0 * pq.Hz, np.nan * pq.Hz, 5 * pq.mV], ids=str)
def test_what_is_no_rate_stands_beside_the_field(rate: Any) -> None:
    model = AnalogSignal.from_neo(signal(sampling_rate=rate))
    assert model.sampling_rate is None
    assert "sampling_rate" in model.ext["exact"]


@pytest.mark.case(33, 34, 35, 36)
@pytest.mark.parametrize("start", STARTS, ids=repr)
def test_every_t_start_that_neo_takes_comes_back_from_a_store(start: Any) -> None:
    block = in_block(signal(t_start=start))
    assert_isomorphic(block, stored(block))


def test_a_t_start_set_later_replaces_what_no_field_could_hold() -> None:
    model = AnalogSignal.from_neo(signal(t_start=5.0))
    model.t_start = 7 * pq.ms
    assert model.to_neo().t_start == 7 * pq.ms


@pytest.mark.case(25)
def test_a_unit_with_a_factor_becomes_raw_integers_with_a_gain() -> None:
    raw = signal(np.array([[1], [-7]], "i2"), units=pq.CompoundUnit("0.195*uV"))
    model = AnalogSignal.from_neo(raw)
    assert (model.gain, model.signal.unit, model.signal.dtype) == (0.195, "uV", np.dtype("i2"))
    block = in_block(raw)
    assert_isomorphic(block, stored(block))


def test_a_gain_changed_after_the_import_is_no_longer_the_unit_of_the_file() -> None:
    model = AnalogSignal.from_neo(signal(np.array([[10]], "i2"), units=pq.CompoundUnit("0.5*uV")))
    model.gain = 2.0
    again = model.to_neo()
    assert (again.units, again.item()) == (pq.uV, 20.0)


def test_raw_samples_with_gain_and_offset_are_physical_values_in_neo() -> None:
    model = AnalogSignalArray(
        (np.array([[1, 2], [3, 4]], "i2"), "mV"), sampling_rate=RATE, gain=(2.0, 10.0), offset=(0.0, 1.0)
    )
    native = model.to_neo()
    assert native.dtype == np.float32
    assert native.magnitude.tolist() == [[2.0, 21.0], [6.0, 41.0]]


def test_a_unit_with_a_factor_and_a_power_comes_back_from_a_store() -> None:
    block = in_block(signal(units=pq.CompoundUnit("2e-3*uV**2/Hz")))
    assert_isomorphic(block, stored(block))


@pytest.mark.case(25)
def test_a_unit_whose_text_would_lose_its_scale_is_refused_with_its_path() -> None:
    block = in_block(signal(), signal(units=pq.CompoundUnit("2*3*mV")))
    with pytest.raises(ValidationFailed, match=r"^block\.segments\[0\]\.analogsignals\[1\]\.signal: .*scale"):
        Block.from_neo(block)


@pytest.mark.case(19)
@pytest.mark.parametrize("samples", [np.array([["a"]]), np.array([[None]])], ids=["text", "objects"])
def test_samples_that_are_no_numbers_are_refused_with_their_path(samples: Any) -> None:
    native = samples.view(pq.Quantity).view(neo.AnalogSignal)
    native._sampling_rate = RATE
    with pytest.raises(ValidationFailed, match=r"^block\.segments\[0\]\.analogsignals\[0\]\.signal: .*no numbers"):
        Block.from_neo(in_block(native))


@pytest.mark.case(13)
def test_a_signal_of_three_axes_is_refused_with_its_shape() -> None:
    with pytest.raises(ValidationFailed, match=r"^analogsignal\.signal: .*\(2, 2, 2\)"):
        AnalogSignalArray.from_neo(signal(np.zeros((2, 2, 2))))


def test_samples_are_shared_with_neo_on_the_way_in_and_copied_on_the_way_out() -> None:
    native = signal()
    model = AnalogSignal.from_neo(native)
    again = model.to_neo()
    assert np.shares_memory(np.asarray(model.signal), native)
    assert not np.shares_memory(again, native)
    again += 1 * pq.mV
    assert model.signal[0] == 1 * pq.mV


@pytest.mark.case(54)
@pytest.mark.parametrize(
    ("times", "samples"),
    [
        ([3.0, 1.0, 2.0], np.arange(3, dtype="i2")),
        ([], np.zeros((0, 1))),
        ([0.5, 1.5], np.array([[1.0, 2.0], [3.0, 4.0]])),
        ([np.nan, 1.0], np.array([1.0, 2.0], ">f4")),
    ],
    ids=["unsorted", "empty", "two channels", "NaN"],
)
def test_irregularly_sampled_signals_come_back_from_a_store(times: list[float], samples: Any) -> None:
    block = in_block(neo.IrregularlySampledSignal(times * pq.ms, samples, units="mV"))
    assert_isomorphic(block, stored(block))


def test_an_irregularly_sampled_signal_begins_with_its_first_sample() -> None:
    model = IrregularlySampledSignal.from_neo(neo.IrregularlySampledSignal([2.0, 3.0] * pq.ms, [1, 2], units="mV"))
    assert (model.t_start, model.shape) == (2 * pq.ms, (2,))


@pytest.mark.case(55)
def test_image_sequences_are_signals_of_one_channel_a_pixel() -> None:
    images = neo.ImageSequence(
        np.arange(24.0).reshape(4, 2, 3), units="V", sampling_rate=RATE, spatial_scale=2 * pq.um, t_start=1 * pq.s
    )
    assert AnalogSignalArray.from_neo(images).shape == (4, 6)
    block = in_block(images, signal([[1.0, 2.0]]))
    assert_isomorphic(block, stored(block))


def test_an_image_sequence_without_frames_comes_back() -> None:
    images = neo.ImageSequence(np.zeros((1, 2, 3)), units="V", sampling_rate=RATE, spatial_scale=3)[:0]
    images.t_start, images.sampling_rate, images.spatial_scale = 0 * pq.s, RATE, 3
    assert images.shape == (0, 2, 3)
    assert_isomorphic(images, in_memory(images))


def test_an_incomplete_object_is_refused_with_its_path() -> None:
    whole = neo.ImageSequence(np.zeros((2, 2, 3)), units="V", sampling_rate=RATE, spatial_scale=3)
    with pytest.raises(
        ValidationFailed, match=r"^block\.segments\[0\]\.imagesequences\[0\]: .*no attribute '_t_start'"
    ):
        Block.from_neo(in_block(whole[:1]))


def test_signals_of_one_and_of_many_channels_keep_their_common_order() -> None:
    block = in_block(signal([[1.0, 2.0]]), signal(), signal([[3.0, 4.0]]), signal())
    assert_isomorphic(block, stored(block))


def test_a_model_without_a_rate_is_refused_by_neo_with_the_remedy() -> None:
    model = AnalogSignal(([1.0], "mV"))
    with pytest.raises(ValidationFailed, match=r"^analogsignal\.sampling_rate: .*set it"):
        model.to_neo()
