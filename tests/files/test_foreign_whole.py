"""NIX and NWB of other programs: whatever is in a file is in the block, or named in a warning."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnode_orm import Session
from gnode_orm.files.neo_objects import every_object
from gnode_orm.files.recordings import open_recording
from tests.convert.neo.isomorphism import assert_isomorphic

pytest.importorskip("nixio")
pytest.importorskip("pynwb")

from tests.files.formats.rich_nix import rich_nix
from tests.files.formats.rich_nwb import rich_nwb


def read(path: Path) -> tuple[Any, list[str]]:
    with open_recording(path) as recording:
        ((_, block),) = recording.blocks()
        return block, recording.warnings


def said(block: Any, told: list[str]) -> str:
    """Everything that stands in a block or was said of its file, as one text."""
    items = [
        (item.name, item.description, item.annotations, getattr(item, "array_annotations", None))
        for item in every_object(block)
    ]
    return repr((items, told))


@pytest.fixture(scope="module")
def nix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rich_nix(tmp_path_factory.mktemp("nix") / "rich.nix")


@pytest.fixture(scope="module")
def nwb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rich_nwb(tmp_path_factory.mktemp("nwb") / "rich.nwb")


def by_name(items: Any) -> dict[str, Any]:
    return {str(item.name): item for item in items}


def test_everything_with_a_name_in_a_nix_file_is_in_the_block_or_told(nix: Path) -> None:
    import nixio

    block, told = read(nix)
    text = said(block, told)
    file = nixio.File.open(str(nix), nixio.FileMode.ReadOnly)
    held = file.blocks[0]
    # The positions of tags are their times.
    arrays = [item for item in held.data_arrays if item.name not in ("at", "corners", "shapes")]
    others = itertools.chain(held.tags, held.multi_tags, held.groups, held.sources, held.data_frames)
    named = [*arrays, *others, *held.metadata.props, *held.metadata.sections, file.sections["elsewhere"]]
    names = [str(item.name) for item in named]
    file.close()
    assert [name for name in names if f"'{name}'" not in text] == []
    assert [line for line in told if "left out" in line] == [
        "Section 'elsewhere' (other) has no counterpart: left out",
        "DataArray 'spectrum' (spectrum) has no counterpart: left out",
        "DataArray 'cube' (image) has no counterpart: left out",
        "MultiTag 'regions' (roi) has no counterpart: left out",
        "DataFrame 'table' (table) has no counterpart: left out",
    ]


def test_a_nix_file_keeps_what_it_says_of_arrays_and_tags(nix: Path) -> None:
    block, _ = read(nix)
    segment = block.segments[0]
    signals = by_name(segment.analogsignals)
    weight = {"value": 20.5, "unit": "g", "uncertainty": 0.1}
    assert signals["Vm"].annotations == {
        "nix_type": "membrane",
        "label": "potential",
        "metadata": {"weight": weight, "tags": ["a", "b"]},
        "sources": ["cell"],
    }
    assert signals["LFP"].array_annotations["channel_names"].tolist() == ["a", "b", "c"]
    (train,) = segment.spiketrains
    assert (train.waveforms.shape, str(train.waveforms.dimensionality)) == ((2, 1, 5), "mV")
    assert float(train.sampling_rate.rescale("Hz")) == pytest.approx(10000)
    (epoch,) = segment.epochs
    assert (epoch.name, epoch.annotations["features"]) == ("step", ["I"])
    assert [item.name for item in block.groups[0].data_children] == ["Vm", "step"]
    assert block.annotations["sources"] == {"cell": {"type": "neuron", "sources": {"dendrite": {"type": "part"}}}}


def test_everything_with_a_name_in_an_nwb_file_is_in_the_block_or_told(nwb: Path) -> None:
    import pynwb

    block, told = read(nwb)
    text = said(block, told)
    with pynwb.NWBHDF5IO(str(nwb), "r") as file:
        session = file.read()
        columns = {id(column) for item in session.objects.values() for column in getattr(item, "columns", ())}
        names = {str(item.name) for item in session.objects.values() if id(item) not in columns and item is not session}
    # A table of units is its rows; pictures go with the container that is told; a container is in the path.
    names -= {"units", "picture", "epochs", "electrodes"}
    assert sorted(name for name in names if name not in text) == []
    assert [line for line in told if "left out" in line] == [
        "TimeSeries 'cube' has no counterpart: left out",
        "column 'timeseries' of TimeIntervals 'epochs' has no counterpart: left out",
        "DynamicTable 'extra' has no counterpart: left out",
        "Images 'pictures' has no counterpart: left out",
        "ScratchData 'scribble' has no counterpart: left out",
        "SpikeEventSeries 'snippets' has no counterpart: left out",
        "ImageSeries 'video' has no counterpart: left out",
    ]


def test_an_nwb_file_keeps_numbers_places_and_rows(nwb: Path) -> None:
    block, _ = read(nwb)
    segment = block.segments[0]
    signals = by_name(segment.analogsignals)
    field = signals["field"]
    assert field.magnitude[1].tolist() == [2 * 2 + 0.5, 3 * 2 * 2 + 0.5]
    assert (float(field.t_start), field.array_annotations["channel_ids"].tolist()) == (1.5, [1, 3])
    assert signals["xy"].annotations["nwb_path"] == "processing/behavior/Position/xy"
    assert signals["potential"].annotations["bias_current"] == 1e-12
    (graded,) = segment.irregularlysampledsignals
    assert graded.annotations["control"].tolist() == [1, 1, 2]
    first, second = segment.spiketrains
    assert first.annotations["obs_intervals"].tolist() == [[0.0, 1.0], [2.0, 3.0]]
    assert (first.annotations["electrodes"].tolist(), second.annotations["electrodes"].tolist()) == ([1, 3], [0])
    assert (first.annotations["amplitudes"].tolist(), first.annotations["electrode_group"]) == ([1.0, 2.0], "shank")
    epochs = by_name(segment.epochs)
    assert epochs["trials"].array_annotations["answers"].tolist() == ["[1.0, 2.0]", "[3.0]"]
    assert epochs["epochs"].array_annotations["tags"].tolist() == ['["first", "second"]']
    (remarks,) = segment.events
    assert remarks.labels.tolist() == ["hello", "bye"]
    objects = block.annotations["nwb_objects"]
    assert objects["Device probe"] == {"description": "a probe", "serial_number": "7"}
    assert objects["IntracellularElectrode pipette"]["resistance"] == "5 MOhm"
    assert np.array_equal(objects["electrodes"]["imp"], [1e6] * 4)
    assert block.annotations["timestamps_reference_time"] == "2020-01-02T02:04:05+00:00"


@pytest.mark.parametrize("made", ["nix", "nwb"])
def test_it_comes_back_from_a_lab(made: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    path = request.getfixturevalue(made)
    with Session(tmp_path / "lab") as session:
        location = session.import_file(path).blocks[0].location
    with Session(tmp_path / "lab") as session:
        assert_isomorphic(session.get(location).to_neo(), read(path)[0])


def test_what_neo_passes_over_in_an_nwb_file_is_told(tmp_path: Path) -> None:
    import warnings

    import pynwb

    from tests.files.formats.rich_nwb import BEGIN

    session = pynwb.NWBFile(session_description="s", identifier="i", session_start_time=BEGIN)
    session.add_acquisition(pynwb.TimeSeries(name="Vm", data=[1.0, 2.0], unit="V", rate=10.0))
    session.add_trial(start_time=0.0, stop_time=1.0)
    with warnings.catch_warnings(), pynwb.NWBHDF5IO(str(tmp_path / "a.nwb"), "w") as file:
        warnings.simplefilter("ignore")
        file.write(session)
    block, told = read(tmp_path / "a.nwb")
    assert len(block.segments[0].analogsignals) == 1
    assert told == ["neo passes over TimeIntervals 'trials'; reader='pynwb' reads what it can of them"]


def test_an_offset_that_neo_would_leave_out_is_read_by_pynwb(tmp_path: Path) -> None:
    import warnings

    import pynwb

    from tests.files.formats.rich_nwb import BEGIN

    session = pynwb.NWBFile(session_description="s", identifier="i", session_start_time=BEGIN)
    session.add_acquisition(pynwb.TimeSeries(name="Vm", data=[1.0, 2.0], unit="V", rate=10.0, offset=5.0))
    with warnings.catch_warnings(), pynwb.NWBHDF5IO(str(tmp_path / "a.nwb"), "w") as file:
        warnings.simplefilter("ignore")
        file.write(session)
    block, _ = read(tmp_path / "a.nwb")
    assert block.segments[0].analogsignals[0].magnitude.ravel().tolist() == [6.0, 7.0]
