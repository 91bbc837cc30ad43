"""Recordings of Intan, beside what neo's own reader gives of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from neo.io import IntanIO

from gnode_orm import Session
from gnode_orm.files.construction import construct
from gnode_orm.files.intan import read_side_by_side
from tests.files.intan_rhs import LENGTH, write_rhs

NAME = "intan-rhd/sampledata.rhd"


def ours(path: Path) -> Any:
    return construct(IntanIO, path, {})[0]


def test_headers_are_those_that_neo_reads(data: Path) -> None:
    read, told = ours(data / NAME), IntanIO(str(data / NAME))
    for name, values in told.header.items():
        assert np.array_equal(read.header[name], values), name
        assert np.asarray(read.header[name]).dtype == np.asarray(values).dtype
    assert repr(read.raw_annotations) == repr(told.raw_annotations)


def test_a_header_that_ends_early_is_refused_as_neo_refuses_it(data: Path, tmp_path: Path) -> None:
    whole = (data / NAME).read_bytes()
    for size in (0, 3, 4, 10, 47, 100, 200, 1000):
        path = tmp_path / f"{size}.rhd"
        path.write_bytes(whole[:size])
        with pytest.raises(Exception) as told:  # noqa: PT011 - whatever it is
            IntanIO(str(path))
        with pytest.raises(type(told.value)) as refused:
            ours(path)
        assert str(refused.value) == str(told.value)


def test_a_header_without_samples_is_a_recording_of_none(data: Path, tmp_path: Path) -> None:
    whole = (data / NAME).read_bytes()
    path = tmp_path / NAME.rpartition("/")[2]
    path.write_bytes(whole[: -IntanIO(str(data / NAME))._raw_data.nbytes])
    assert ours(path).get_analogsignal_chunk(0, 0, stream_index=0).shape == (0, 32)


def test_samples_are_those_that_neo_reads_wherever_a_slice_begins_and_ends(data: Path) -> None:
    read, told = ours(data / NAME), IntanIO(str(data / NAME))
    for stream in range(2):
        size = told.get_signal_size(0, 0, stream)
        for start, stop in ((None, None), (0, 1), (127, 129), (128, 256), (5, 1000), (size - 3, size), (0, size)):
            for channels in (None, [0], [2, 0], slice(1, 3)):
                place = {"stream_index": stream, "channel_indexes": channels, "i_start": start, "i_stop": stop}
                found, expected = read.get_analogsignal_chunk(0, 0, **place), told.get_analogsignal_chunk(0, 0, **place)
                assert found.dtype == expected.dtype
                assert np.array_equal(found, expected)


def test_channels_with_something_between_them_are_left_to_neo() -> None:
    channels = np.array([("a", "0"), ("b", "0")], [("id", "U8"), ("stream_id", "U8")])
    streams = np.array([("0",)], [("id", "U8")])
    reader = SimpleNamespace(
        header={"signal_channels": channels, "signal_streams": streams},
        file_format="header-attached",
        _raw_data=np.zeros(2, [("a", "u2", 4), ("between", "u2", 4), ("b", "u2", 4)]),
        _get_analogsignal_chunk=(of_neo := object()),
    )
    read_side_by_side(reader)
    assert reader._get_analogsignal_chunk is of_neo


@pytest.mark.parametrize("options", [{}, {"with_dc": False}, {"amplifiers": 1}, {"amplifiers": 0, "with_dc": False}])
def test_recordings_with_stimulation_are_those_that_neo_reads(tmp_path: Path, options: dict[str, Any]) -> None:
    write_rhs(path := tmp_path / "stimulated.rhs", **options)
    read, told = ours(path), IntanIO(str(path))
    for name, values in told.header.items():
        assert np.array_equal(read.header[name], values), name
    size = told.get_signal_size(0, 0, 0)
    assert size == 3 * LENGTH
    for stream in range(told.signal_streams_count()):
        for start, stop in ((None, None), (0, 1), (127, 129), (5, 300), (size - 3, size)):
            for channels in (None, [0]):
                place = {"stream_index": stream, "channel_indexes": channels, "i_start": start, "i_stop": stop}
                found, expected = read.get_analogsignal_chunk(0, 0, **place), told.get_analogsignal_chunk(0, 0, **place)
                assert found.dtype == expected.dtype
                assert np.array_equal(found, expected)


@pytest.mark.parametrize("raw", [False, True])
def test_an_import_of_a_recording_with_stimulation_holds_what_neo_reads(tmp_path: Path, raw: bool) -> None:
    write_rhs(path := tmp_path / "stimulated.rhs")
    with Session(":memory:") as session:
        result = session.import_file(path, raw=raw)
        (segment,) = result.blocks[0].segments
        told = IntanIO(str(path)).read_block().segments[0].analogsignals
        signals = {signal.name: signal for signal in (*segment.analogsignalarrays, *segment.analogsignals)}
        assert sorted(signals) == sorted(signal.name for signal in told)
        assert len(told) == 7
        for expected in told:
            found = signals[expected.name].physical()
            assert found.dimensionality == expected.dimensionality
            np.testing.assert_allclose(found.magnitude.reshape(expected.shape), expected.magnitude, rtol=1e-6)
