"""Objects that neo has not loaded: read when they are needed, by pieces, raw where the file keeps integers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq
from neo.io.proxyobjects import AnalogSignalProxy

from gnode_orm import Block, Segment
from gnode_orm.convert.neo import convert
from gnode_orm.core.arrays import ArrayHandle
from gnode_orm.session import connect


@pytest.fixture
def reader(tmp_path: Path) -> Any:
    """A reader of neo's that makes its own data, the same at each reading of signals."""
    path = tmp_path / "recording.fake"
    path.write_text("fake")
    return neo.io.ExampleIO(filename=str(path))


@pytest.fixture
def read_counts(monkeypatch: pytest.MonkeyPatch, reader: Any) -> list[int]:
    """The numbers of samples of each read of signals."""
    counts: list[int] = []
    read = reader.get_analogsignal_chunk

    def counted(**place: Any) -> Any:
        chunk = read(**place)
        counts.append(len(chunk))
        return chunk

    monkeypatch.setattr(reader, "get_analogsignal_chunk", counted)
    return counts


def test_a_lazy_signal_is_raw_integers_with_the_gain_of_the_file(reader: Any) -> None:
    proxy = reader.read_segment(lazy=True).analogsignals[0]
    model = convert(proxy).model
    assert isinstance(proxy, AnalogSignalProxy)
    assert (model.signal.dtype, model.signal.unit, model.shape) == (np.dtype("int16"), "uV", proxy.shape)
    raw = proxy.load(magnitude_mode="raw")
    assert np.array_equal(model.signal.magnitude, raw.magnitude)
    assert raw.units.rescale("uV").item() == pytest.approx(model.gain)


def test_converting_reads_a_sample_of_each_signal_and_slicing_only_what_it_returns(
    reader: Any, read_counts: list[int]
) -> None:
    model = Segment.from_neo(reader.read_segment(lazy=True))
    assert read_counts == [1] * len(model.all_signals)
    read_counts.clear()
    cut = model.all_signals[0].signal[100:110, 2]
    assert (cut.shape, read_counts) == ((10,), [10])
    model.all_signals[0].signal[-5:]
    assert model.all_signals[0].signal[:0].shape == (0, 8)
    assert read_counts == [10, 5]


def test_any_other_index_gives_what_the_loaded_array_gives(reader: Any) -> None:
    proxy = reader.read_segment(lazy=True).analogsignals[0]
    lazy, loaded = convert(proxy).model.signal, proxy.load(magnitude_mode="raw").magnitude
    for key in (..., 7, -1, (3, 2), slice(10, 2, -3), (slice(5, 9), [0, 2]), ([4, 1], slice(None)), np.array([2, 2])):
        assert np.array_equal(np.asarray(lazy[key]), loaded[key])
    assert lazy.with_unit("mV").unit == "mV"
    assert lazy.rescaled("mV")[0, 0] == lazy[0, 0].rescale("mV")


@pytest.mark.case(72)
def test_a_lazy_block_is_stored_and_reads_as_neo_reads_it(reader: Any) -> None:
    lazy, loaded = reader.read_block(lazy=True), reader.read_block()
    with connect(":memory:") as lab:
        with lab.session() as session:
            model = session.add(lazy)
            session.commit()
            location = model.location
        with lab.session() as session:
            again = session.get(location).to_neo()
    for ours, theirs in zip(again.segments, loaded.segments, strict=True):
        for one, other in zip(ours.analogsignals, theirs.analogsignals, strict=True):
            assert (one.dtype, one.units, one.t_start) == (other.dtype, other.units, other.t_start)
            assert one.tobytes() == other.tobytes()
        for one, other in zip(ours.spiketrains, theirs.spiketrains, strict=True):
            assert one.tobytes() == other.tobytes()
            assert one.waveforms.shape[0] == len(other)
        assert [item.labels.tolist() for item in ours.events] == [item.labels.tolist() for item in theirs.events]
    groups = [[item.name for item in group.analogsignals] for group in loaded.groups]
    assert [[item.name for item in group.analogsignals] for group in again.groups] == groups


def test_a_proxy_in_a_group_is_the_proxy_of_its_segment(reader: Any) -> None:
    block = reader.read_block(lazy=True)
    pairs = convert(block).pairs
    proxies = [native for native, _ in pairs if hasattr(native, "proxy_for")]
    assert len({id(item) for item in proxies}) == len(proxies)
    assert any(len(group.analogsignals) for group in block.groups)


def test_a_lazy_signal_of_one_channel_has_one_axis(reader: Any) -> None:
    proxy = AnalogSignalProxy(rawio=reader, stream_index=0, inner_stream_channels=slice(1, 2))
    model = convert(proxy).model
    assert model.kind == "analogsignal"
    assert np.array_equal(model.signal[5:8].magnitude, proxy.load(magnitude_mode="raw").magnitude[5:8, 0])
    assert model.to_neo().tobytes() == proxy.load().tobytes()


def test_gains_of_each_channel_are_kept_and_applied(reader: Any) -> None:
    reader.header["signal_channels"]["gain"][:2] = [0.5, 2.0]
    reader.header["signal_channels"]["offset"][0] = 1.0
    proxy = AnalogSignalProxy(rawio=reader, stream_index=0)
    model = convert(proxy).model
    assert (model.gain[:2], model.offset[:2]) == ((0.5, 2.0), (1.0, 0.0))
    assert np.array_equal(model.to_neo().magnitude, proxy.load().magnitude)


def test_lazy_blocks_know_their_times(reader: Any) -> None:
    model = Block.from_neo(reader.read_block(lazy=True))
    assert model.segments[0].all_signals[0].t_stop == 10 * pq.s


@pytest.mark.case(72)
def test_a_lazy_signal_is_stored_by_pieces(
    reader: Any, read_counts: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ArrayHandle, "_rows_per_chunk", lambda handle: 1000)
    proxy = reader.read_segment(lazy=True).analogsignals[0]
    with connect(tmp_path / "lab") as lab, lab.session() as session:
        model = session.add(proxy)
        session.commit()
        assert max(read_counts) <= 1000
        assert sum(read_counts) >= proxy.shape[0]
        session.expire_all()
        assert np.array_equal(model.signal.magnitude, proxy.load(magnitude_mode="raw").magnitude)
