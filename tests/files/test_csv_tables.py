"""Times and samples as CSV tables."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import quantities as pq

from gnode_orm import (
    AnalogSignal,
    AnalogSignalArray,
    Block,
    EpochArray,
    EventArray,
    IrregularlySampledSignal,
    SpikeTrain,
)
from gnode_orm.errors import FormatError, ValidationFailed
from gnode_orm.files.export import export


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_events_and_epochs_have_a_row_for_each_time(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert export(EventArray(([1.0, 2.5], "s"), labels=["on", 'a "b", c']), path) == []
    assert rows(path) == [["time (s)", "label"], ["1.0", "on"], ["2.5", 'a "b", c']]
    assert export(EpochArray(([1.0], "s"), durations=([20.0], "ms")), path, replace=True) == []
    assert rows(path) == [["time (s)", "duration (ms)"], ["1.0", "20.0"]]


def test_spike_times_are_written_and_what_a_table_lacks_is_said(tmp_path: Path) -> None:
    train = SpikeTrain([0.1, 0.2] * pq.s, t_start=0 * pq.s, t_stop=1 * pq.s, name="unit 1")
    assert sorted(export(train, tmp_path / "out.csv")) == [
        "SpikeTrain.name is lost (at spiketrain)",
        "SpikeTrain.t_start is lost (at spiketrain)",
        "SpikeTrain.t_stop is lost (at spiketrain)",
    ]
    assert rows(tmp_path / "out.csv") == [["time (s)"], ["0.1"], ["0.2"]]


def test_a_table_without_rows_has_its_head(tmp_path: Path) -> None:
    export(EventArray([] * pq.s, labels=[]), tmp_path / "events.csv")
    export(SpikeTrain([] * pq.ms, t_stop=1 * pq.s), tmp_path / "train.csv")
    assert rows(tmp_path / "events.csv") == [["time (s)", "label"]]
    assert rows(tmp_path / "train.csv") == [["time (ms)"]]


def test_waveforms_of_a_train_are_no_part_of_its_table(tmp_path: Path) -> None:
    train = SpikeTrain([1, 2] * pq.s, t_stop=3 * pq.s, waveforms=np.zeros((2, 1, 4)) * pq.mV, sampling_rate=1 * pq.kHz)
    lost = export(train, tmp_path / "train.csv")
    assert "SpikeTrain.waveforms is lost (at spiketrain)" in lost
    assert rows(tmp_path / "train.csv") == [["time (s)"], ["1.0"], ["2.0"]]


def test_samples_have_a_column_for_each_channel_in_physical_values(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    signal = AnalogSignalArray(
        (np.array([[0, 1], [2, 3]], "i2"), "uV"), gain=0.5, sampling_rate=1 * pq.kHz, t_start=5 * pq.ms
    )
    assert export(signal, path) == []
    assert rows(path) == [
        ["time (ms)", "channel 0 (uV)", "channel 1 (uV)"],
        ["5.0", "0.0", "0.5"],
        ["6.0", "1.0", "1.5"],
    ]
    irregular = IrregularlySampledSignal(([1.0, 2.0], "mV"), times=([0.5, 0.7], "s"))
    assert export(irregular, path, replace=True) == []
    assert rows(path) == [["time (s)", "signal (mV)"], ["0.5", "1.0"], ["0.7", "2.0"]]


def test_more_samples_than_a_piece_are_all_written(tmp_path: Path) -> None:
    signal = AnalogSignal((np.arange(70_000.0), "mV"), sampling_rate=1 * pq.kHz)
    export(signal, tmp_path / "out.csv")
    assert len(rows(tmp_path / "out.csv")) == 70_001
    assert rows(tmp_path / "out.csv")[-1] == ["69.999", "69999.0"]


def test_what_is_no_table_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValidationFailed, match="a Block is no table"):
        export(Block("x"), tmp_path / "out.csv")
    with pytest.raises(FormatError, match="nothing to make a table of"):
        export(SpikeTrain(), tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_pickle_is_written_where_its_suffix_is_given_and_loses_nothing(tmp_path: Path) -> None:
    block = Block("x", annotations={"drug": "TTX", "dose": 5 * pq.mV})
    assert export(block, tmp_path / "out.pkl") == []
