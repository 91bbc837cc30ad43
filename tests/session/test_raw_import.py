"""Recordings kept as the integers of their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest

from gnode_orm import Session
from tests.files.sample_sets import READ_BY_NEO


@pytest.fixture
def session() -> Any:
    with Session(":memory:") as session:
        yield session


@pytest.mark.trap(18)
def test_a_raw_import_takes_half_the_bytes_and_gives_the_same_values(data: Path, session: Session) -> None:
    path = data / "abf2-ic-ramp" / "17o05027_ic_ramp.abf"
    scaled: Any = session.import_file(path).blocks[0].segments[0].all_signals[0]
    raw: Any = session.import_file(path, raw=True, again=True).blocks[0].segments[0].all_signals[0]
    assert (raw.signal.dtype, scaled.signal.dtype) == (np.int16, np.float32)
    assert 2 * raw.signal.nbytes == scaled.signal.nbytes
    assert raw.signal.unit == "mV"
    assert np.array_equal(raw.physical().magnitude, scaled.signal.magnitude)
    assert np.array_equal(session.load_arrays([raw])[0].magnitude, scaled.signal.magnitude)
    assert np.array_equal(raw.to_neo().magnitude, scaled.to_neo().magnitude)


@pytest.mark.parametrize("name", [name for name in READ_BY_NEO if name.startswith(("abf", "edf", "intan", "neural"))])
def test_raw_recordings_go_back_to_neo_as_neo_reads_them(
    data: Path, expected: dict[str, Any], session: Session, name: str
) -> None:
    path = data / expected[name]["path"]
    raw = session.import_file(path, raw=True).blocks[0].to_neo()
    scaled = session.import_file(path, again=True).blocks[0].to_neo()
    for ours, theirs in zip(raw.segments, scaled.segments, strict=True):
        for one, two in zip(ours.analogsignals, theirs.analogsignals, strict=True):
            assert one.dimensionality == two.dimensionality
            assert np.allclose(one.magnitude, two.magnitude, rtol=1e-6, atol=0, equal_nan=True)
            assert one.array_annotations.keys() == two.array_annotations.keys()
        for kind in ("events", "epochs", "spiketrains"):
            assert [item.shape for item in getattr(ours, kind)] == [item.shape for item in getattr(theirs, kind)]


@pytest.mark.trap(29)
def test_waveforms_come_along_with_raw_signals(data: Path, session: Session) -> None:
    path = data / "blackrock-nev" / "example_1.nev"
    train: Any = session.import_file(path, raw=True).blocks[0].segments[0].spiketrains[0]
    native = neo.io.BlackrockIO(str(path)).read_block(load_waveforms=True).segments[0].spiketrains[0]
    assert np.array_equal(train.waveforms.magnitude, native.waveforms.magnitude)
