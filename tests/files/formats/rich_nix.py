"""A NIX file of another program with something of everything that NIX has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nixio
import numpy as np


def rich_nix(path: Path) -> Path:
    file = nixio.File.open(str(path), nixio.FileMode.Overwrite)
    metadata = _metadata(file)
    file.create_section("elsewhere", "other").create_property("of nobody", ["?"])
    block = file.create_block("session", "session")
    block.definition, block.metadata = "a session", metadata
    potential, spectrum_of = _arrays(block)
    potential.metadata = metadata.sections["subject"]
    _tags(block, potential, spectrum_of)
    group = block.create_group("together", "group")
    group.data_arrays.append(potential)
    group.tags.append(block.tags["step"])
    cell = block.create_source("cell", "neuron")
    cell.create_source("dendrite", "part")
    potential.sources.append(cell)
    frame = block.create_data_frame("table", "table", col_dict={"a": nixio.DataType.Int64})
    frame.append_rows([[1], [2]])
    file.close()
    return path


def _metadata(file: Any) -> Any:
    top = file.create_section("about", "session")
    subject = top.create_section("subject", "subject")
    weight = subject.create_property("weight", [20.5])
    weight.unit, weight.uncertainty = "g", 0.1
    subject.create_property("tags", ["a", "b"])
    return top


def _arrays(block: Any) -> tuple[Any, Any]:
    potential = block.create_data_array("Vm", "membrane", data=np.arange(100.0))
    potential.unit, potential.label = "mV", "potential"
    time = potential.append_sampled_dimension(0.001)
    time.unit, time.offset = "s", 1.0
    fields = block.create_data_array("LFP", "lfp", data=np.arange(30.0).reshape(10, 3))
    fields.unit = "uV"
    fields.append_sampled_dimension(0.1).unit = "ms"
    fields.append_set_dimension().labels = ["a", "b", "c"]
    current = block.create_data_array("I", "current", data=np.arange(4.0))
    current.unit = "pA"
    current.append_range_dimension([0.0, 1.0, 3.0, 7.0]).unit = "ms"
    spectrum = block.create_data_array("spectrum", "spectrum", data=np.arange(5.0))
    spectrum.append_sampled_dimension(1.0).unit = "Hz"
    cube = block.create_data_array("cube", "image", data=np.zeros((2, 3, 4)))
    for _ in range(3):
        cube.append_set_dimension()
    return potential, fields


def _tags(block: Any, potential: Any, fields: Any) -> None:
    at = block.create_data_array("at", "positions", data=np.array([1.01, 1.05]))
    at.unit = "s"
    at.append_set_dimension()
    shapes = block.create_data_array("shapes", "waveforms", data=np.arange(10.0).reshape(2, 5))
    shapes.unit = "mV"
    shapes.append_set_dimension()
    shapes.append_sampled_dimension(0.0001).unit = "s"
    spikes = block.create_multi_tag("spikes", "spike_times", at)
    spikes.references.append(potential)
    spikes.units = ["s"]
    spikes.create_feature(shapes, nixio.LinkType.Indexed)
    region = block.create_data_array("corners", "positions", data=np.array([[0.0, 1], [1, 2]]))
    region.append_set_dimension()
    region.append_set_dimension()
    block.create_multi_tag("regions", "roi", region).references.append(fields)
    step = block.create_tag("step", "stimulus", [1.02])
    step.extent, step.units = [0.03], ["s"]
    step.create_feature(block.data_arrays["I"], nixio.LinkType.Untagged)
