"""NWB and NIX files of other programs, and files that would crash the HDF5 library."""

from __future__ import annotations

import datetime as dt
import re
import struct
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnode_orm import Block, Session
from gnode_orm.errors import FormatError
from gnode_orm.files import hdf5_probe
from gnode_orm.files.recordings import open_recording

BEGIN = dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def only(path: Path, reader: str, *, raw: bool = False) -> tuple[Any, list[str]]:
    with open_recording(path, reader=reader, raw=raw) as recording:
        ((_, block),) = recording.blocks()
        return block, recording.warnings


@pytest.fixture(scope="module")
def nwb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pynwb = pytest.importorskip("pynwb")
    path = tmp_path_factory.mktemp("nwb") / "session.nwb"
    session = pynwb.NWBFile(
        session_description="a session", identifier="s1", session_start_time=BEGIN, experimenter=["me"], lab="ours"
    )
    session.subject = pynwb.file.Subject(subject_id="m1", species="Mus musculus", date_of_birth=BEGIN)
    session.add_acquisition(
        pynwb.TimeSeries(
            name="raw", data=np.arange(6, dtype="i2"), unit="volts", rate=1000.0, starting_time=2.0, conversion=0.5
        )
    )
    session.add_acquisition(
        pynwb.TimeSeries(name="pupil", data=[1.0, 2.0, 4.0], unit="blinks", timestamps=[0.0, 0.5, 0.7])
    )
    session.add_acquisition(pynwb.TimeSeries(name="words", data=["a", "b"], unit="n/a", rate=1.0))
    session.add_unit_column("quality", "how good")
    session.add_unit(spike_times=[0.5, 1.5], obs_intervals=[[0.0, 3.0]], quality="good")
    session.add_unit(spike_times=[0.25], obs_intervals=[[0.0, 3.0]], quality="poor")
    session.add_trial_column("condition", "which")
    session.add_trial(start_time=0.0, stop_time=1.0, condition="left")
    session.add_trial(start_time=1.0, stop_time=3.0, condition="right")
    with warnings.catch_warnings(), pynwb.NWBHDF5IO(str(path), "w") as file:
        warnings.simplefilter("ignore")
        file.write(session)
    return path


def test_series_units_and_intervals_of_nwb_are_read(nwb: Path) -> None:
    block, told = only(nwb, "pynwb")
    (segment,) = block.segments
    (signal,) = segment.analogsignals
    assert (signal.name, signal.dtype, signal.magnitude.ravel().tolist()) == ("raw", "f4", [0, 0.5, 1, 1.5, 2, 2.5])
    assert (str(signal.units.dimensionality), float(signal.t_start), float(signal.sampling_rate)) == ("V", 2.0, 1000.0)
    (pupil,) = segment.irregularlysampledsignals
    assert (pupil.times.magnitude.tolist(), pupil.annotations["unit_in_file"]) == ([0.0, 0.5, 0.7], "blinks")
    trains = [(item.name, item.magnitude.tolist(), float(item.t_stop)) for item in segment.spiketrains]
    assert trains == [("unit 0", [0.5, 1.5], 3.0), ("unit 1", [0.25], 3.0)]
    assert [item.annotations["quality"] for item in segment.spiketrains] == ["good", "poor"]
    (trials,) = segment.epochs
    assert (trials.name, trials.durations.magnitude.tolist()) == ("trials", [1.0, 2.0])
    assert trials.labels.tolist() == ["left", "right"]
    assert (block.rec_datetime, block.annotations["lab"], block.annotations["species"]) == (
        BEGIN,
        "ours",
        "Mus musculus",
    )
    assert "birthdate" not in block.annotations
    assert "unit 'blinks' is unknown: kept as dimensionless, values not scaled" in told
    assert "TimeSeries 'words' has no counterpart: left out" in told


def test_raw_series_of_nwb_keep_their_integers(nwb: Path) -> None:
    with Session(":memory:") as session:
        signal: Any = session.import_file(nwb, reader="pynwb", raw=True).blocks[0].segments[0].analogsignals[0]
        assert (signal.signal.dtype, signal.gain, signal.signal.unit) == (np.int16, 0.5, "V")
        assert signal.physical().magnitude.tolist() == [0, 0.5, 1, 1.5, 2, 2.5]


@pytest.mark.trap(3)
def test_what_neo_refuses_of_nwb_is_read_behind_the_same_call(data: Path) -> None:
    with Session(":memory:") as session:
        result = session.import_file(data / "nwb-electricalseries" / "test_ElectricalSeries.nwb")
        signal: Any = result.blocks[0].segments[0].all_signals[0]
        assert (signal.shape, signal.signal.unit) == ((10, 2), "V")
        assert signal.array_annotations["channel_ids"].tolist() == [0, 2]


@pytest.fixture(scope="module")
def nix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nixio = pytest.importorskip("nixio")
    path = tmp_path_factory.mktemp("nix") / "other.nix"
    file = nixio.File.open(str(path), nixio.FileMode.Overwrite)
    block = file.create_block("session", "my.session")
    block.metadata = file.create_section("rig", "setup")
    block.metadata.create_property("gain", [10])
    channels = block.create_data_array("lfp", "my.lfp", data=np.arange(6.0).reshape(2, 3))
    channels.unit = "mV"
    channels.append_set_dimension()
    axis = channels.append_sampled_dimension(0.5)
    axis.unit, axis.offset = "ms", 10.0
    sparse = block.create_data_array("lick", "my.lick", data=[1.0, 2.0])
    sparse.unit = "mV"
    sparse.append_range_dimension([0.1, 0.4]).unit = "s"
    onsets = block.create_data_array("onsets", "my.times", data=[0.1, 0.2])
    onsets.unit = "s"
    lengths = block.create_data_array("lengths", "my.times", data=[0.01, 0.02])
    stimuli = block.create_multi_tag("stimuli", "my.stimulus", onsets)
    stimuli.extents, stimuli.units = lengths, ["s"]
    mark = block.create_tag("drug", "my.mark", [0.3])
    mark.units = ["s"]
    picture = block.create_data_array("picture", "my.image", data=np.zeros((2, 2)))
    picture.append_set_dimension()
    picture.append_set_dimension()
    file.close()
    return path


@pytest.mark.trap(6)
def test_arrays_over_time_and_tags_of_nix_are_read(nix: Path) -> None:
    block, told = only(nix, "nixio")
    (segment,) = block.segments
    (lfp,) = segment.analogsignals
    assert (lfp.name, lfp.shape, float(lfp.t_start.rescale("ms"))) == ("lfp", (3, 2), 10.0)
    assert float(lfp.sampling_rate.rescale("kHz")) == 2.0
    (lick,) = segment.irregularlysampledsignals
    assert (lick.times.magnitude.tolist(), lick.magnitude.ravel().tolist()) == ([0.1, 0.4], [1.0, 2.0])
    (stimuli,) = segment.epochs
    assert (stimuli.magnitude.tolist(), stimuli.durations.magnitude.tolist()) == ([0.1, 0.2], [0.01, 0.02])
    assert [(item.name, item.magnitude.tolist()) for item in segment.events] == [("drug", [0.3])]
    assert (block.name, block.annotations["metadata"]) == ("session", {"gain": 10})
    assert "DataArray 'picture' (my.image) has no counterpart: left out" in told


def test_spike_times_of_a_nix_file_without_neo_are_imported(data: Path) -> None:
    with Session(":memory:") as session:
        result = session.import_file(data / "nix-not-neo" / "spike_features.h5")
        (segment,) = result.blocks[0].segments
        assert [signal.shape for signal in segment.all_signals] == [(100000,), (100000,)]
        (train,) = segment.spiketrains
        assert (len(train.times), float(train.t_stop)) == (51, 10.0)
        assert "MultiTag 'spike times' says no unit: seconds were assumed" in result.warnings


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Path], None]]:
    """Let the process that tries files run another program, for one test."""

    def replace(program: str, place: Path) -> None:
        place.write_text(program)
        monkeypatch.setattr(hdf5_probe, "_SCRIPT", str(place))

    hdf5_probe._probe.close()
    hdf5_probe._problem.cache_clear()
    yield replace
    hdf5_probe._probe.close()
    hdf5_probe._problem.cache_clear()


def test_a_file_that_crashes_the_library_is_refused_and_does_not_crash_us(
    nix: Path, tmp_path: Path, probe: Callable[[str, Path], None]
) -> None:
    probe("import os; input(); os.abort()", tmp_path / "dying.py")
    with pytest.raises(FormatError, match="reading its structure crashes the library for it"):
        open_recording(nix)


def test_a_file_that_the_library_reads_for_ever_is_refused(
    nix: Path, tmp_path: Path, probe: Callable[[str, Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    probe("import threading; threading.Event().wait()", tmp_path / "endless.py")
    monkeypatch.setattr(hdf5_probe, "_SECONDS", 0.01)
    with pytest.raises(FormatError, match="reading its structure does not come to an end"):
        open_recording(nix)


@pytest.mark.usefixtures("probe")
def test_a_tree_of_links_that_leads_back_to_itself_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sound, endless = tmp_path / "sound.h5", tmp_path / "endless.h5"
    import h5py

    with h5py.File(sound, "w", libver="earliest") as file:
        file["samples"] = np.arange(10)
        for number in range(400):
            file.create_group(f"n{number:04}")
    content = sound.read_bytes()
    # Each node says where its right neighbour stands, which the library follows: here it is the node itself.
    nodes = [found.start() for found in re.finditer(b"TREE", content)]
    damaged = bytearray(content)
    for node in nodes:
        damaged[node + 16 : node + 24] = struct.pack("<Q", node)
    endless.write_bytes(damaged)
    assert hdf5_probe.problem_of_hdf5(sound) is None
    monkeypatch.setattr(hdf5_probe, "_SECONDS", 1)  # the process has started by now
    with Session(":memory:") as session:
        with pytest.raises(FormatError, match=r"^[^\n]*endless\.h5: .*reading its structure does not come to an end$"):
            session.import_file(endless)
        assert session.query(Block).count() == 0


def test_one_process_tries_file_after_file_and_is_replaced_when_it_dies(nix: Path, nwb: Path) -> None:
    hdf5_probe._problem.cache_clear()
    assert hdf5_probe.problem_of_hdf5(nix) is None
    first = hdf5_probe._probe._process
    assert hdf5_probe.problem_of_hdf5(nwb) is None
    assert hdf5_probe._probe._process is first is not None
    first.kill()
    first.wait()
    hdf5_probe._problem.cache_clear()
    assert "crashes" in str(hdf5_probe.problem_of_hdf5(nix))
    hdf5_probe._problem.cache_clear()
    assert hdf5_probe.problem_of_hdf5(nix) is None


def test_an_array_that_claims_more_than_the_file_holds_is_refused(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "huge.nwb"
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.0"
        file.create_dataset("acquisition/v", shape=(1 << 40,), dtype="f8", chunks=(1 << 16,))
    with pytest.raises(FormatError, match=r"up to acquisition/v claim 8796093022208 bytes, and the file holds 0"):
        open_recording(path)


def test_many_arrays_that_claim_too_much_together_are_refused(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        for number in range(20):
            file.create_dataset(f"v{number}", shape=(1 << 21,), dtype="f8", chunks=(1 << 16,))
    assert "claim 285212672 bytes, and the file holds 0" in str(hdf5_probe.problem_of_hdf5(path))


def test_an_array_that_is_well_compressed_is_no_claim(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "even.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("v", data=np.zeros(1 << 22), chunks=(1 << 16,), compression="gzip")
    assert hdf5_probe.problem_of_hdf5(path) is None


def test_a_sound_file_passes_the_probe(nix: Path) -> None:
    assert hdf5_probe.problem_of_hdf5(nix) is None
