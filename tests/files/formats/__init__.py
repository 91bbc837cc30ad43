"""A small recording for each reader that no sample recording is there for, and what must be found in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import quantities as pq

from tests.files.formats import binary_headers, hdf5_layouts, more_binary, text_headers, written_by_others

_OF_IMAGES = {"units": "V", "sampling_rate": 10 * pq.Hz, "spatial_scale": 5 * pq.um}


@dataclass(frozen=True)
class Sample:
    """How a recording is made, and what is in it.

    Attributes:
        make: writes it into a folder and gives the path to import.
        segments: how many.
        signals: shape, unit and rate in Hz of each signal of the last segment.
        trains: the count of spikes in each train of the last segment.
        events: the count of events in each event of the last segment.
        by_name: whether the reader has to be asked for.
    """

    make: Callable[[Path], Path]
    segments: int = 1
    signals: tuple[tuple[tuple[int, ...], str, float], ...] = ()
    trains: tuple[int, ...] = ()
    events: tuple[int, ...] = ()
    images: int = 0
    by_name: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def _two(unit: str, rate: float) -> tuple[tuple[tuple[int, ...], str, float], ...]:
    return (((100, 2), unit, rate),)


_CELL = {"signals": (((100, 1), "mV", 1000.0),), "trains": (2,), "events": (1,)}

SAMPLES: dict[str, Sample] = {
    "AlphaOmegaIO": Sample(more_binary.alpha_omega, signals=(((100, 1), "uV", 1000.0),), events=(1,)),
    "AsciiImageIO": Sample(
        written_by_others.text_images,
        images=1,
        by_name=True,
        options={**_OF_IMAGES, "nb_frame": 3, "nb_row": 4, "nb_column": 5},
    ),
    "AsciiSpikeTrainIO": Sample(written_by_others.spike_times, trains=(2, 1), by_name=True),
    "AxonaIO": Sample(binary_headers.axona, signals=(((15, 4), "uV", 48000.0),), trains=(3,)),
    "BCI2000IO": Sample(text_headers.bci2000, signals=_two("uV", 256.0), events=(0, 1)),
    "BiocamIO": Sample(hdf5_layouts.biocam, signals=_two("uV", 7022.0)),
    "BlkIO": Sample(more_binary.optical_block, images=1, by_name=True, options=_OF_IMAGES),
    "BrainwareDamIO": Sample(binary_headers.brainware_dam, 2, signals=(((50, 1), "mV", 1.0),)),
    "BrainwareF32IO": Sample(binary_headers.brainware_f32, 2, trains=(1,)),
    "BrainwareSrcIO": Sample(more_binary.brainware_src, 2, trains=(2,)),
    "ElanIO": Sample(text_headers.elan, signals=_two("uV", 500.0), events=(2,)),
    "IgorIO": Sample(binary_headers.igor, signals=(((100, 1), "mV", 10000.0),)),
    "KlustaKwikIO": Sample(written_by_others.klusta_kwik, trains=(2, 1)),
    "MaxwellIO": Sample(hdf5_layouts.maxwell, signals=_two("uV", 20000.0)),
    "MicromedIO": Sample(binary_headers.micromed, signals=_two("uV", 256.0), events=(1, 0)),
    "NeoMatlabIO": Sample(written_by_others.matlab, **_CELL),  # type: ignore[arg-type]
    "NestIO": Sample(
        written_by_others.nest,
        trains=(2, 1),
        by_name=True,
        options={"gid_list": [], "t_start": 0 * pq.ms, "t_stop": 100 * pq.ms},
    ),
    "NeuroExplorerIO": Sample(written_by_others.nex, signals=(((100, 1), "mV", 20000.0),), trains=(2,), events=(2,)),
    "NeuroNexusIO": Sample(text_headers.neuronexus, signals=_two("uV", 30000.0)),
    "NeuroScopeIO": Sample(text_headers.neuroscope, signals=_two("mV", 20000.0)),
    "NixIO": Sample(written_by_others.nix, **_CELL),  # type: ignore[arg-type]
    "OpenEphysIO": Sample(binary_headers.open_ephys, signals=(((2048, 2), "uV", 30000.0),), events=(2,)),
    "PhyIO": Sample(text_headers.phy, trains=(3, 1)),
    "PickleIO": Sample(written_by_others.pickled, by_name=True, **_CELL),  # type: ignore[arg-type]
    "PlexonIO": Sample(binary_headers.plexon, signals=(((100, 1), "dimensionless", 1000.0),), trains=(2,), events=(1,)),
    "RawBinarySignalIO": Sample(
        written_by_others.raw_binary,
        signals=_two("dimensionless", 1000.0),
        by_name=True,
        options={"sampling_rate": 1000.0},
    ),
    "RawMCSIO": Sample(text_headers.raw_mcs, signals=_two("uV", 20000.0)),
    "SpikeGLXIO": Sample(text_headers.spikeglx, signals=_two("V", 25000.0)),
    "SpikeGadgetsIO": Sample(
        text_headers.spikegadgets, signals=(((100, 1), "dimensionless", 30000.0), *_two("uV", 30000.0))
    ),
    "TdtIO": Sample(binary_headers.tdt, signals=(((128, 1), "uV", 1000.0),)),
    "TiffIO": Sample(binary_headers.tiff_images, images=1, by_name=True, options=_OF_IMAGES),
    "WinEdrIO": Sample(text_headers.winedr, signals=(((100, 1), "mV", 1000.0), ((100, 1), "pA", 1000.0))),
    "WinWcpIO": Sample(text_headers.winwcp, 2, signals=(((128, 1), "mV", 1000.0), ((128, 1), "pA", 1000.0))),
    "kwik": Sample(hdf5_layouts.kwik, 2, trains=(1, 0)),
    "mearec": Sample(hdf5_layouts.mearec, signals=_two("uV", 32000.0), trains=(2, 2)),
}
