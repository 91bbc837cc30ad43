"""Samples of EDF and BDF, beside the library that neo asks for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnode_orm import Session
from gnode_orm.files.edf_samples import Records

pyedflib = pytest.importorskip("pyedflib")

FILES = [
    "bdf-4ch/test_bdf_stim_channel.bdf",
    "edf-139ch/test.edf",
    "edf-uneven/test_uneven_samp.edf",
    "edf-utf8/test_utf8.edf",
]


def digital(path: Path) -> list[Any]:
    with pyedflib.EdfReader(str(path)) as reader:
        return [reader.readSignal(number, digital=True) for number in range(reader.signals_in_file)]


@pytest.mark.parametrize("name", FILES)
def test_samples_are_those_of_the_library_wherever_a_slice_begins_and_ends(data: Path, name: str) -> None:
    records, signals = Records(data / name), digital(data / name)
    assert len(records.signals) == len(signals)
    for number, (samples, (_, size)) in enumerate(zip(signals, records.signals, strict=True)):
        bounds = {0, 1, size - 1, size, size + 1, 2 * size, len(samples) - 1, len(samples)}
        for start in bounds:
            for stop in (bound for bound in bounds if start <= bound <= len(samples)):
                assert np.array_equal(records.samples([number], start, stop)[:, 0], samples[start:stop])


def test_channels_stand_side_by_side_in_the_order_asked_for(data: Path) -> None:
    path = data / "edf-139ch" / "test.edf"
    chosen, signals = [7, 0, 138], digital(path)
    told = np.stack([signals[number] for number in chosen], axis=1)
    assert np.array_equal(Records(path).samples(chosen, 5, 50), told[5:50])


def test_bdf_keeps_its_24_bits(data: Path) -> None:
    path = data / "bdf-4ch" / "test_bdf_stim_channel.bdf"
    with pyedflib.EdfReader(str(path)) as reader:
        told = np.stack([reader.readSignal(number) for number in range(4)], axis=1)
    with Session(":memory:") as session:
        scaled: Any = session.import_file(path).blocks[0].segments[0].all_signals[0]
        raw: Any = session.import_file(path, raw=True, again=True).blocks[0].segments[0].all_signals[0]
        # The gain is neo's, which counts one step of the converter more.
        step = 2 * 187470 / 2**24
        assert np.allclose(scaled.signal.magnitude, told, rtol=1e-7, atol=step)
        assert raw.signal.dtype == np.int32
        assert np.array_equal(raw.signal.magnitude, np.stack(digital(path), axis=1))
        assert np.allclose(raw.physical().magnitude, told, rtol=1e-7, atol=step)
