"""Every format of the page of formats, by a small recording where there is no real one."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quantities as pq

from gnode_orm import Block, Session
from gnode_orm.convert.neo import convert
from gnode_orm.errors import FormatError
from gnode_orm.files.discovery import discover
from gnode_orm.files.recordings import open_recording
from tests.convert.neo.isomorphism import assert_isomorphic
from tests.files.formats import SAMPLES, Sample, binary_headers, hdf5_layouts, text_headers, written_by_others
from tests.files.natives import natives

pytestmark = pytest.mark.filterwarnings(
    # neo's own, where it leaves files to the garbage collector.
    "ignore:unclosed file:ResourceWarning"
)


def opened(sample: Sample, path: Path, reader: str) -> Any:
    if sample.by_name:
        return open_recording(path, reader=reader, reader_options=dict(sample.options))
    return open_recording(path)


@pytest.mark.parametrize("reader", SAMPLES)
def test_a_recording_of_the_format_is_found_and_read(reader: str, tmp_path: Path) -> None:
    sample = SAMPLES[reader]
    with opened(sample, sample.make(tmp_path), reader) as recording:
        assert recording.reader_name == reader
        *_, block = natives(recording)
    assert len(block.segments) == sample.segments
    segment = block.segments[-1]
    signals = tuple(
        (item.shape, item.dimensionality.string, round(float(item.sampling_rate.rescale("Hz")), 3))
        for item in segment.analogsignals
    )
    assert signals == sample.signals
    assert tuple(map(len, segment.spiketrains)) == sample.trains
    assert tuple(map(len, segment.events))[: len(sample.events)] == sample.events
    assert len(segment.imagesequences) == sample.images


@pytest.mark.parametrize("reader", SAMPLES)
def test_a_recording_of_the_format_comes_back_from_a_lab(reader: str, tmp_path: Path) -> None:
    sample = SAMPLES[reader]
    path = sample.make(tmp_path)
    given = {"reader": reader, "reader_options": dict(sample.options)} if sample.by_name else {}
    with Session(tmp_path / "lab") as session:
        locations = [block.location for block in session.import_file(path, **given).blocks]
    with Session(tmp_path / "lab") as session, opened(sample, path, reader) as recording:
        for location, native in zip(locations, natives(recording), strict=True):
            assert_isomorphic(session.get(location).to_neo(), native)


@pytest.mark.parametrize("reader", [name for name, sample in SAMPLES.items() if not sample.by_name])
def test_a_folder_with_the_recording_gives_it_once(reader: str, tmp_path: Path) -> None:
    SAMPLES[reader].make(tmp_path)
    with Session(":memory:") as session:
        plan = session.plan_import(tmp_path)
        plan.apply(on_error="skip")
        assert session.query(Block).count() == (2 if reader == "BrainwareSrcIO" else 1)


def test_samples_are_those_that_were_written(tmp_path: Path) -> None:
    with open_recording(text_headers.winedr(tmp_path)) as recording:
        (block,) = natives(recording)
    first = block.segments[0].analogsignals[0]
    assert np.allclose(first.magnitude[:3, 0], np.array([0, 2, 4]) * 10 / (0.001 * 32768))
    with open_recording(hdf5_layouts.mearec(tmp_path)) as recording:
        ((_, block),) = recording.blocks()
    assert block.segments[0].analogsignals[0].magnitude[:2].tolist() == [[0, 0.5], [1, 1.5]]
    assert block.segments[0].analogsignals[0].array_annotations["position_y"].tolist() == [0, 20]


@pytest.mark.parametrize("stop", [100, 90, 89, 41, 40])
def test_samples_of_plexon_are_read_to_the_end_of_each_block(tmp_path: Path, stop: int) -> None:
    with open_recording(binary_headers.plexon(tmp_path), raw=True) as recording:
        ((_, block),) = recording.blocks()
        samples = convert(block).model.segments[0].all_signals[0].signal
        assert samples[:stop].magnitude.tolist() == list(range(stop))
        assert samples[stop - 5 : stop].magnitude.tolist() == list(range(stop - 5, stop))


def test_integers_of_a_simulation_stay_integers_when_asked_for(tmp_path: Path) -> None:
    with open_recording(hdf5_layouts.mearec(tmp_path), raw=True) as recording:
        ((_, block),) = recording.blocks()
    signal = block.segments[0].analogsignals[0]
    assert (signal.dtype.str, signal.dimensionality.string) == ("<i2", "(0.5*uV)")


def test_a_state_of_bci2000_changes_where_its_bits_do(tmp_path: Path) -> None:
    with open_recording(text_headers.bci2000(tmp_path)) as recording:
        ((_, block),) = recording.blocks()
    code = block.segments[0].events[1]
    assert (code.name, code.times.tolist(), code.labels.tolist()) == ("StimulusCode", [40 / 256], ["200"])


def test_waveforms_of_kwik_go_with_their_spikes(tmp_path: Path) -> None:
    with open_recording(hdf5_layouts.kwik(tmp_path)) as recording:
        ((_, block),) = recording.blocks()
    first, second = (segment.spiketrains[0] for segment in block.segments)
    assert first.times.tolist() == [100 / 20000, 300 / 20000]
    assert (first.waveforms.shape, float(second.waveforms[0, 1, 0].magnitude)) == ((2, 2, 10), 61.0)
    assert [unit.annotations["cluster_group"] for unit in block.groups[0].groups] == ["Good", "MUA"]


def test_field_potentials_of_neuroscope_have_the_rate_that_is_said_for_them(tmp_path: Path) -> None:
    path = text_headers.neuroscope(tmp_path)
    text = path.read_text().replace(
        "</parameters>", "<fieldPotentials><lfpSamplingRate>1250</lfpSamplingRate></fieldPotentials></parameters>"
    )
    path.write_text(text)
    path.with_suffix(".lfp").write_bytes(path.with_suffix(".dat").read_bytes())
    for suffix, rate in ((".dat", 20000), (".lfp", 1250)):
        with open_recording(path.with_suffix(suffix)) as recording:
            ((_, block),) = recording.blocks()
            assert float(block.segments[0].analogsignals[0].sampling_rate) == rate


def test_names_of_patients_are_left_out_wherever_they_stand(tmp_path: Path) -> None:
    for make, told in ((binary_headers.micromed, "firstname, surname"), (text_headers.bci2000, "SubjectName")):
        with open_recording(make(tmp_path)) as recording:
            ((_, block),) = recording.blocks()
        assert f"personal fields were left out ({told}); keep_personal=True keeps them" in recording.warnings
        assert "Ada" not in str(block.annotations)
        with open_recording(make(tmp_path), keep_personal=True) as recording:
            ((_, block),) = recording.blocks()
        assert "Ada" in str(block.annotations)


NEEDS = {
    "cell.smrx": "pip install sonpy",
    "cell.pl2": "PL2FileReader.dll",
    "cell.cfs": "conda-forge",
    "cell.mcd": "reader_options={'dllname'",
}


@pytest.mark.parametrize(("name", "remedy"), NEEDS.items(), ids=list(NEEDS))
def test_what_needs_something_that_is_not_here_says_what_in_one_line(
    name: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr("gnode_orm.files.requirements.find_spec", lambda name: None if name == "sonpy" else found(name))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a connection was tried"))
    path = tmp_path / name
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(FormatError) as refused:
        open_recording(path)
    assert remedy in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_files_of_heka_say_which_package_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "cell.dat"
    path.write_bytes(b"DAT2" + bytes(1000))
    with pytest.raises(FormatError, match="StimfitIO: needs the package stfio"):
        open_recording(path)


@pytest.mark.parametrize("start", [b"\x0cDAC2/GS/2000", b"\x0fACQUIS1/GS/1991"])
def test_old_files_of_elphy_say_that_they_are_old(start: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cell.DAT"
    path.write_bytes(start + bytes(1000))
    with pytest.raises(FormatError, match="of the kind 'DAC2 objects' alone"):
        open_recording(path)


@pytest.mark.parametrize("make", [binary_headers.tiff_images])
def test_images_ask_for_what_they_do_not_say(make: Any, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="says neither unit, rate nor scale"):
        open_recording(make(tmp_path))


def test_readers_whose_package_was_given_up_point_to_ours(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="leave reader= out to have it read by h5py"):
        open_recording(hdf5_layouts.kwik(tmp_path), reader="KwikIO")


def test_samples_of_maxwell_without_the_plugin_say_where_it_goes(tmp_path: Path) -> None:
    import h5py

    path = hdf5_layouts.maxwell(tmp_path)
    with h5py.File(path, "a") as file:
        place = file["wells/well000/rec0000/groups/routed"]
        shape = place["raw"].shape
        del place["raw"]
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk(shape)
        creation.set_filter(40000, h5py.h5z.FLAG_OPTIONAL)
        made = h5py.h5d.create(place.id, b"raw", h5py.h5t.STD_U16LE, h5py.h5s.create_simple(shape), creation)
        made.write_direct_chunk((0, 0), bytes(2 * shape[0] * shape[1]))
    with pytest.raises(FormatError, match="set HDF5_PLUGIN_PATH"):
        open_recording(path)


def test_several_sessions_of_klustakwik_in_one_folder_are_told_apart(tmp_path: Path) -> None:
    place = written_by_others.klusta_kwik(tmp_path)
    (place / "mouse.fet.1").write_text("1\n1 2\n")
    with pytest.raises(FormatError, match=r"several sessions \(mouse, rat\)"):
        open_recording(place)


def test_options_reach_readers_that_take_them_while_they_read(tmp_path: Path) -> None:
    path = written_by_others.spike_times(tmp_path)
    with open_recording(path, reader="AsciiSpikeTrainIO", reader_options={"unit": pq.ms}) as recording:
        ((_, block),) = recording.blocks()
    assert block.segments[0].spiketrains[0].dimensionality.string == "ms"
    assert "seconds were assumed" not in str(recording.warnings)


def test_a_folder_of_images_is_no_recording_that_could_be_guessed(tmp_path: Path) -> None:
    binary_headers.tiff_images(tmp_path)
    assert all(item.reason is not None for item in discover(tmp_path))
