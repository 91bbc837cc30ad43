"""An NWB file with something of most things that NWB has."""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pynwb
from hdmf.common import DynamicTable, VectorData

BEGIN = dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def rich_nwb(path: Path) -> Path:
    file = pynwb.NWBFile(
        session_description="rich",
        identifier="r1",
        session_start_time=BEGIN,
        timestamps_reference_time=BEGIN - dt.timedelta(hours=1),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pynwb, on styles
        _probe(file)
        _patch(file)
        _tables(file)
        _behaviour(file)
        with pynwb.NWBHDF5IO(str(path), "w") as opened:
            opened.write(file)
    return path


def _probe(file: Any) -> None:
    device = file.create_device("probe", description="a probe", serial_number="7")
    shank = file.create_electrode_group("shank", description="a shank", location="CA1", device=device)
    for number in range(4):
        file.add_electrode(x=float(number), imp=1e6, location="CA1", group=shank)
    two = file.create_electrode_table_region([1, 3], "two of them")
    file.add_acquisition(
        pynwb.ecephys.ElectricalSeries(
            name="field",
            data=np.arange(20, dtype="i2").reshape(10, 2),
            electrodes=two,
            rate=1000.0,
            starting_time=1.5,
            conversion=2.0,
            offset=0.5,
            channel_conversion=[1.0, 2.0],
            filtering="1 kHz",
        )
    )
    file.add_acquisition(
        pynwb.ecephys.SpikeEventSeries(
            name="snippets",
            data=np.zeros((2, 2, 3)),
            timestamps=[0.1, 0.2],
            electrodes=file.create_electrode_table_region([0, 1], "others"),
        )
    )


def _patch(file: Any) -> None:
    pipette = file.create_icephys_electrode(
        "pipette", description="a pipette", device=file.devices["probe"], resistance="5 MOhm"
    )
    file.add_acquisition(
        pynwb.icephys.CurrentClampSeries(
            name="potential", data=np.arange(5.0), electrode=pipette, gain=2.0, rate=100.0, bias_current=1e-12
        )
    )
    file.add_stimulus(pynwb.TimeSeries(name="current", data=np.arange(5.0), unit="A", rate=10.0))
    file.add_stimulus_template(pynwb.TimeSeries(name="step", data=np.arange(3.0), unit="A", rate=10.0))
    file.add_acquisition(
        pynwb.TimeSeries(
            name="graded",
            data=np.arange(3.0),
            unit="V",
            timestamps=[0.0, 0.1, 0.4],
            control=[1, 1, 2],
            control_description=["a", "b"],
        )
    )
    file.add_acquisition(pynwb.TimeSeries(name="cube", data=np.zeros((4, 3, 2)), unit="V", rate=1.0))


def _tables(file: Any) -> None:
    file.add_unit_column("amplitudes", "one for each spike", index=True)
    group = file.electrode_groups["shank"]
    file.add_unit(
        spike_times=[0.1, 0.5],
        obs_intervals=[[0.0, 1.0], [2.0, 3.0]],
        waveform_mean=np.ones((4, 2)),
        amplitudes=[1.0, 2.0],
        electrodes=[1, 3],
        electrode_group=group,
    )
    file.add_unit(
        spike_times=[0.2],
        obs_intervals=[[0.0, 1.0]],
        waveform_mean=np.ones((4, 2)),
        amplitudes=[1.0],
        electrodes=[0],
        electrode_group=group,
    )
    file.add_trial_column("answers", "as many as there were", index=True)
    file.add_trial(start_time=0.0, stop_time=1.0, answers=[1.0, 2.0])
    file.add_trial(start_time=1.0, stop_time=2.0, answers=[3.0])
    file.add_epoch(0.0, 2.0, ["first", "second"], [file.acquisition["graded"]])


def _behaviour(file: Any) -> None:
    module = file.create_processing_module("behavior", "what it did")
    place = pynwb.behavior.Position()
    place.add_spatial_series(
        pynwb.behavior.SpatialSeries(
            name="xy", data=np.arange(10.0).reshape(5, 2), reference_frame="corner", rate=30.0, unit="cm"
        )
    )
    module.add(place)
    module.add(pynwb.misc.AnnotationSeries(name="remarks", data=["hello", "bye"], timestamps=[0.1, 0.2]))
    module.add(DynamicTable("extra", "a table", columns=[VectorData("a", "a", data=[1, 2])]))
    file.add_scratch(np.arange(3), name="scribble", description="a note")
    file.add_acquisition(
        pynwb.image.ImageSeries(
            name="video", external_file=["movie.avi"], format="external", rate=30.0, num_samples=10, starting_frame=[0]
        )
    )
    file.add_acquisition(
        pynwb.base.Images("pictures", images=[pynwb.image.GrayscaleImage("picture", np.zeros((3, 4)))])
    )
