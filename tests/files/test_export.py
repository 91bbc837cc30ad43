from __future__ import annotations

import os

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, Document, Epoch, Section, Segment, Session, SpikeTrain
from gnode_orm.errors import FormatError, StoreUnavailable, UnsupportedByStore, ValidationFailed
from gnode_orm.files import export as export_module
from gnode_orm.files.comparison import losses_between
from gnode_orm.files.export import export
from gnode_orm.files.recordings import open_recording


def recording() -> Block:
    block = Block("recording", description="of a cell", annotations={"drug": "TTX"})
    segment = Segment("trial", block=block)
    values = np.arange(2000, dtype="<f4").reshape(1000, 2)
    AnalogSignal((values[:, 0], "mV"), sampling_rate=20 * pq.kHz, t_start=1 * pq.s, name="Vm", segment=segment)
    SpikeTrain([0.1, 0.2] * pq.s, t_start=0 * pq.s, t_stop=1 * pq.s, name="unit", segment=segment)
    Epoch("light on", time=0.5 * pq.s, duration=20 * pq.ms, segment=segment)
    return block


def test_nix_keeps_samples_units_and_rate(tmp_path):
    pytest.importorskip("nixio")
    path = tmp_path / "out.nix"
    losses = export(recording(), path)
    assert losses == [
        "SpikeTrain.sampling_rate is made up by the file (at block.segments[0].spiketrains[0])",
        "Epoch is kept as a list of one (at block.segments[0].epochs[0])",
    ]
    with open_recording(path) as opened:
        ((_, native),) = opened.blocks()
        signal = native.segments[0].analogsignals[0]
        assert signal.dtype == np.float32
        assert np.array_equal(signal.magnitude[:, 0], np.arange(0, 2000, 2))
        assert signal.sampling_rate == 20 * pq.kHz
        assert signal.t_start == 1 * pq.s
        assert native.annotations["drug"] == "TTX"


@pytest.mark.parametrize("kind", ["segments", "analogsignals", "spiketrains"])
def test_what_is_smaller_than_a_block_is_wrapped(tmp_path, kind):
    pytest.importorskip("nixio")
    model = recording().segments[0]
    model = model if kind == "segments" else getattr(model, kind)[0]
    made_up = "SpikeTrain.sampling_rate is made up by the file"
    expected = {
        "segments": [f"{made_up} (at segment.spiketrains[0])", "Epoch is kept as a list of one (at segment.epochs[0])"],
        "analogsignals": [],
        "spiketrains": [f"{made_up} (at spiketrain)"],
    }
    assert export(model, tmp_path / "out.nix") == expected[kind]
    with open_recording(tmp_path / "out.nix") as opened:
        ((_, native),) = opened.blocks()
        assert len(native.segments) == 1


def test_matlab_tells_what_it_loses(tmp_path):
    pytest.importorskip("scipy")
    segment = Segment("trial", annotations={"color": "red"})
    AnalogSignal(
        [1.0, 2.0] * pq.mV, sampling_rate=1 * pq.kHz, segment=segment, array_annotations={"channel_names": ["Vm"]}
    )
    losses = export(segment, tmp_path / "out.mat")
    assert any(loss.startswith("AnalogSignal.array_annotations['channel_names'] is lost") for loss in losses)
    assert not any("AnalogSignal.signal" in loss for loss in losses)


def test_nwb_needs_the_time_of_recording(tmp_path):
    pytest.importorskip("pynwb")
    with pytest.raises(FormatError, match=r"out\.nwb: cannot be written: NWB needs the time of recording"):
        export(recording(), tmp_path / "out.nwb")
    assert os.listdir(tmp_path) == []


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(export_module, "find_spec", lambda name: None)
    with pytest.raises(UnsupportedByStore, match=r"needs nixio: pip install 'gnode-orm\[files\]'"):
        export(recording(), tmp_path / "out.nix")


def test_an_unwritable_folder_is_told(tmp_path):
    pytest.importorskip("nixio")
    with pytest.raises(StoreUnavailable, match="cannot be written"):
        export(recording(), tmp_path / "nowhere" / "out.nix")


@pytest.mark.parametrize("name", ["out.tdms", "out.odml", "out"])
def test_formats_that_do_not_fit_are_refused(tmp_path, name):
    with pytest.raises(ValidationFailed, match=r"use \.nix, \.nwb, \.mat"):
        export(recording(), tmp_path / name)


def test_a_section_is_refused_with_the_way_out(tmp_path):
    section = Section("Subject", document=Document("Ada"))
    with pytest.raises(ValidationFailed, match="export its whole Document"):
        export(section, tmp_path / "out.odml")


def test_a_session_exports_a_stored_block(tmp_path):
    pytest.importorskip("nixio")
    with Session(tmp_path / "lab") as session:
        block = session.add(recording())
        session.commit()
        before = session.export(recording(), tmp_path / "new.nix")
        assert session.export(block, tmp_path / "out.nix") == before
        assert not session.dirty


def test_every_sort_of_loss_is_found():
    kept, given = recording(), recording()
    trial, other = kept.segments[0], given.segments[0]
    kept.annotations["age"] = 35
    trial.metadata = Section("Stimulus")
    other.name = None
    other.analogsignals[0].sampling_rate = 20_000 * pq.Hz
    other.spiketrains[0].times = [0.1, 0.3] * pq.s
    other.epochs.clear()
    assert losses_between(kept, given, "block") == [
        "Block.annotations['age'] is lost (at block)",
        "Segment.name is lost (at block.segments[0])",
        "Segment.metadata is lost; export the document that it points into as odML (at block.segments[0])",
        "AnalogSignal.sampling_rate is kept with another type or unit (at block.segments[0].analogsignals[0])",
        "SpikeTrain.times is changed (at block.segments[0].spiketrains[0])",
        "Epoch is not in the file (at block.segments[0].epochs[0])",
    ]


def test_equal_losses_are_counted():
    kept, given = Block("b"), Block("b")
    for block in (kept, given):
        for number in range(3):
            Segment(f"s{number}" if block is kept else None, block=block)
    assert losses_between(kept, given, "block") == ["Segment.name is lost (at block.segments[0] and 2 more)"]


def test_what_a_file_makes_up_is_told():
    kept, given = recording(), recording()
    given.annotations["serial"] = 1
    given.index = 0
    Segment("more", block=given)
    given.file_origin = "out.nix"
    assert losses_between(kept, given, "block") == [
        "Block.annotations['serial'] is made up by the file (at block)",
        "Block.index is made up by the file (at block)",
        "Segment is added by the file (at block.segments[1])",
    ]


def test_members_of_groups_and_shapes_are_compared():
    def grouped(*order):
        block, segment = neo.Block(), neo.Segment()
        block.segments.append(segment)
        segment.events.extend([neo.Event([1] * pq.s), neo.Event([2] * pq.s)])
        segment.imagesequences.append(
            neo.ImageSequence(np.zeros((2, *order, 3)), units="V", sampling_rate=1 * pq.Hz, spatial_scale=1 * pq.um)
        )
        block.groups.append(neo.Group([segment.events[number] for number in (0, 1)][:: 1 if order == (2,) else -1]))
        return Block.from_neo(block)

    assert losses_between(grouped(2), grouped(2), "block") == []
    assert losses_between(grouped(2), grouped(4), "block") == [
        "AnalogSignalArray: the shape of images is changed (at block.segments[0].analogsignalarrays[0])",
        "AnalogSignalArray.signal is changed (at block.segments[0].analogsignalarrays[0])",
        "RecordingChannelGroup: the list of members of a group is changed (at block.recordingchannelgroups[0])",
    ]


def test_types_bytes_and_order_are_compared():
    kept, given = Block(annotations={"a": 1, "b": 2}), Block(annotations={"b": 2, "a": 1.0})
    assert losses_between(kept, given, "block") == [
        "Block.annotations['a'] is kept with another type or unit (at block)",
        "Block.annotations: the order is changed (at block)",
    ]
    zero, minus = (SpikeTrain(np.array([value]) * pq.s, t_stop=1 * pq.s) for value in (0.0, -0.0))
    assert losses_between(zero, minus, "train") == ["SpikeTrain.times is kept with another type or unit (at train)"]
