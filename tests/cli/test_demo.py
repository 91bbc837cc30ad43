from __future__ import annotations

import json
import re

import numpy as np
import pytest
from neo.io import NeuroExplorerIO

from gnode_orm import AnalogSignal, Block, EpochArray, EventArray, Session, SpikeTrain
from gnode_orm.cli.demo_recording import RATE, STEPS, simulate, trial_names, write_recording


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_recording(tmp_path_factory.mktemp("recording"))


def test_the_neuron_fires_during_the_steps_and_rests_between_them():
    trial = simulate(1)
    times = trial.spikes / RATE
    assert 10 < len(times) < 60
    inside = [(begin <= times) & (times < begin + 0.4) for begin, _ in STEPS]
    assert np.all(np.any(inside, axis=0))
    assert inside[3].sum() > inside[0].sum()
    assert -72 < trial.potential[: round(0.29 * RATE)].mean() < -68
    assert 20 < trial.potential.max() < 45


def test_every_trial_is_the_same_each_time_and_differs_from_the_others():
    assert np.array_equal(simulate(2).potential, simulate(2).potential)
    assert not np.array_equal(simulate(2).potential, simulate(3).potential)


def test_neo_reads_from_the_file_what_was_simulated(files):
    trial = simulate(1)
    segment = NeuroExplorerIO(str(files[0])).read_block().segments[0]
    signal = segment.analogsignals[0]
    assert str(signal.dimensionality) == "mV"
    assert float(signal.sampling_rate.rescale("Hz")) == RATE
    assert np.abs(signal.magnitude[:, 0] - trial.potential).max() < 0.005
    assert np.allclose(segment.spiketrains[0].rescale("s").magnitude, trial.spikes / RATE)
    assert segment.events[0].labels.tolist() == ["100 pA", "150 pA", "200 pA", "250 pA"]
    assert np.allclose(segment.epochs[0].durations.rescale("s").magnitude, 0.4)


def test_the_lab_holds_what_neo_reads(filled_lab, files):
    segment = NeuroExplorerIO(str(files[0])).read_block().segments[0]
    with Session(filled_lab, readonly=True) as session:
        block = session.query(Block).filter(name=trial_names()[0]).one()
        signal = session.query(AnalogSignal).filter(segment__block=block).one()
        assert np.array_equal(np.asarray(signal.signal), segment.analogsignals[0].magnitude[:, 0])
        assert signal.signal.dtype == segment.analogsignals[0].dtype
        train = session.query(SpikeTrain).filter(segment__block=block).one()
        assert np.array_equal(np.asarray(train.times), segment.spiketrains[0].magnitude)
        assert session.query(EventArray).count() == session.query(EpochArray).count() == 3
        assert block.metadata.name == "Recording"


def test_a_second_run_says_so_and_changes_nothing(run, lab):
    first = run("ls", "--lab", lab, "--json").stdout
    result = run("demo", lab)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"The demo is in {lab} already.")
    assert "Try next:" in result.stdout
    assert run("ls", "--lab", lab, "--json").stdout == first


def test_a_run_that_was_cut_short_is_completed(run, lab, listed):
    third = listed(lab, "block", "name=cell07_trial3")[0]["location"]
    assert run("delete", third, "--cascade", "--yes", "--lab", lab).exit_code == 0
    assert run("demo", lab).exit_code == 0
    blocks = json.loads(run("ls", "--lab", lab, "--json").stdout)["blocks"]
    assert sorted(block["name"] for block in blocks) == trial_names()


def test_a_lab_with_other_recordings_is_left_alone(run, tmp_path):
    with Session(tmp_path / "lab") as session:
        session.add(Block("precious"))
        session.commit()
    result = run("demo", tmp_path / "lab")
    assert result.exit_code == 1
    assert "holds other recordings" in result.stderr
    assert len(json.loads(run("ls", "--lab", tmp_path / "lab", "--json").stdout)["blocks"]) == 1


def test_every_command_that_is_proposed_works(run, lab, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = run("demo", lab).stdout
    proposed = re.findall(r"^  gnode-orm (.+)$", text, re.MULTILINE)
    assert len(proposed) == 6
    for command in proposed[:-1]:
        result = run(*command.split())
        assert result.exit_code == 0, (command, result.output)
    assert (tmp_path / "signal.png").stat().st_size > 10_000


def test_the_demo_does_not_go_into_a_database(run):
    result = run("demo", "postgresql://localhost/lab")
    assert result.exit_code == 2
