"""Small recordings that neo, or the package behind a format, writes by itself, and tables of text."""

from __future__ import annotations

import datetime as dt
import warnings
from pathlib import Path
from typing import Any

import neo
import numpy as np
import quantities as pq


def _block() -> Any:
    block = neo.Block(name="cell", rec_datetime=dt.datetime(2020, 2, 3, 10, 11, 12, tzinfo=dt.UTC))
    segment = neo.Segment(name="trial")
    block.segments.append(segment)
    signal = neo.AnalogSignal(np.arange(100.0)[:, np.newaxis], units="mV", sampling_rate=1 * pq.kHz, name="Vm")
    segment.analogsignals.append(signal)
    segment.spiketrains.append(neo.SpikeTrain([0.01, 0.02] * pq.s, t_stop=0.1 * pq.s, name="unit"))
    segment.events.append(neo.Event([0.05] * pq.s, labels=["light"], name="light"))
    block.check_relationships()
    return block


def _written(path: Path, reader: Any, **options: Any) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # neo's own, while it writes
        file = reader(str(path), **options)
        file.write_block(_block())
        if hasattr(file, "close"):
            file.close()
    return path


def nix(folder: Path) -> Path:
    return _written(folder / "cell.nix", neo.io.NixIO, mode="ow")


def matlab(folder: Path) -> Path:
    return _written(folder / "cell.mat", neo.io.NeoMatlabIO)


def pickled(folder: Path) -> Path:
    return _written(folder / "cell.pkl", neo.io.PickleIO)


def klusta_kwik(folder: Path) -> Path:
    place = folder / "rat"
    place.mkdir()
    (place / "rat.fet.1").write_text("2\n1 2 300\n3 4 600\n5 6 900\n")
    (place / "rat.clu.1").write_text("2\n1\n2\n1\n")
    return place


def spike_times(folder: Path) -> Path:
    path = folder / "trains.txt"
    path.write_text("0.01\t0.02\t\n0.03\t\n")
    return path


def columns(folder: Path) -> Path:
    path = folder / "trace.txt"
    path.write_text("".join(f"{number / 1000}\t{number * 0.5}\n" for number in range(100)))
    return path


def raw_binary(folder: Path) -> Path:
    path = folder / "samples.raw"
    path.write_bytes(np.arange(200, dtype="<i2").tobytes())
    return path


def nest(folder: Path) -> Path:
    path = folder / "neurons.gdf"
    path.write_text("1\t10.0\n2\t20.0\n1\t30.0\n")
    return path


def text_images(folder: Path) -> Path:
    path = folder / "frames.txt"
    path.write_text("\n".join("\t".join(map(str, range(5))) for _ in range(12)) + "\n")
    return path


def nex(folder: Path) -> Path:
    from gnode_orm.cli.nex import Continuous, Markers, Spikes, write_nex

    path = folder / "cell.nex"
    ticks = np.array([100, 200], "i8")
    variables = [
        Spikes("unit", ticks),
        Markers("light", ticks, ["on", "off"]),
        Continuous("Vm", np.arange(100.0), 1000.0),
    ]
    write_nex(path, 20000, 2000, variables, "a cell")
    return path
