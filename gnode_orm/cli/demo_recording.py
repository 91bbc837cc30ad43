"""The recording of ``gnode-orm demo``: a cortical neuron that answers to steps of current, simulated.

A leaky integrate-and-fire neuron (rest -70 mV, 100 MOhm, 20 ms) with a threshold that rises after each spike, driven by
steps of 100 to 250 pA and by noise; spikes are drawn in with the shape of an action potential.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gnode_orm.cli.nex import Continuous, Intervals, Markers, Spikes, Variable, write_nex

RATE = 20_000
TRIALS = 3
SECONDS = 3.0
STEP_SECONDS = 0.4
STEPS = ((0.3, 100), (1.0, 150), (1.7, 200), (2.4, 250))
_SEED = 7

_REST, _THRESHOLD, _RESET = -70.0, -54.0, -62.0
_TAU, _RESISTANCE = 0.020, 100e6
_THRESHOLD_JUMP, _THRESHOLD_TAU = 4.0, 0.120
_REFRACTORY = 0.003
_NOISE, _NOISE_TAU = 0.9, 0.004

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Trial:
    """One simulated trial: membrane potential in mV, and the samples at which the neuron fired."""

    potential: Samples
    spikes: npt.NDArray[np.int64]


def write_recording(folder: Path) -> list[Path]:
    """Write the trials as files, one each, and what is known of the experiment as odML; the same ones every time."""
    folder.mkdir(parents=True, exist_ok=True)
    return [*(_write_trial(folder, number) for number in range(1, TRIALS + 1)), _write_metadata(folder)]


def trial_names() -> list[str]:
    """Names of the files of the trials without their suffix."""
    return [_trial_name(number) for number in range(1, TRIALS + 1)]


def simulate(number: int) -> Trial:
    """Simulate a trial; each number gives one trial."""
    random = np.random.default_rng([_SEED, number])
    count = round(SECONDS * RATE)
    driven = _REST + _RESISTANCE * _current(count) * 1e-12 * 1e3
    spikes = _spikes(driven + 3 * random.standard_normal(), _coloured(random, count, 6.0))
    potential = _potential(driven, spikes) + _coloured(random, count, _NOISE)
    return Trial(potential, spikes)


def _trial_name(number: int) -> str:
    return f"cell07_trial{number}"


def _write_trial(folder: Path, number: int) -> Path:
    trial = simulate(number)
    begins = np.array([round(begin * RATE) for begin, _ in STEPS])
    variables: list[Variable] = [
        Continuous("Vm", trial.potential, 0.005),
        Spikes("neuron 1", trial.spikes),
        Intervals("current step", begins, begins + round(STEP_SECONDS * RATE)),
        Markers("step amplitude", begins, [f"{amplitude} pA" for _, amplitude in STEPS]),
    ]
    path = folder / f"{_trial_name(number)}.nex"
    write_nex(path, RATE, len(trial.potential), variables, "Simulated by gnode-orm demo")
    return path


def _current(count: int) -> Samples:
    """The injected current in pA."""
    current = np.zeros(count)
    for begin, amplitude in STEPS:
        current[round(begin * RATE) : round((begin + STEP_SECONDS) * RATE)] = amplitude
    return current


def _coloured(random: np.random.Generator, count: int, deviation: float) -> Samples:
    """Noise that is correlated over a few milliseconds."""
    kernel: Samples = np.exp(-np.arange(0, 5 * _NOISE_TAU, 1 / RATE) / _NOISE_TAU)
    kernel /= np.sqrt(np.sum(kernel**2))
    noise: Samples = np.convolve(random.standard_normal(count), kernel)[:count]
    return deviation * noise


def _spikes(driven: Samples, noise: Samples) -> npt.NDArray[np.int64]:
    """Samples at which the potential crosses the threshold."""
    leak, relax = 1 / (RATE * _TAU), 1 / (RATE * _THRESHOLD_TAU)
    voltage, threshold, blocked = _REST, _THRESHOLD, 0
    found = []
    for sample, (target, shaken) in enumerate(zip(driven.tolist(), noise.tolist(), strict=True)):
        threshold += (_THRESHOLD - threshold) * relax
        if sample < blocked:
            continue
        voltage += (target + shaken - voltage) * leak
        if voltage > threshold:
            found.append(sample)
            voltage, blocked = _RESET, sample + round(_REFRACTORY * RATE)
            threshold += _THRESHOLD_JUMP
    return np.array(found, np.int64)


def _potential(driven: Samples, spikes: npt.NDArray[np.int64]) -> Samples:
    """The passive answer to the current, reset after each spike, with an action potential drawn over each."""
    leak = 1 / (RATE * _TAU)
    resets = set((spikes + round(_REFRACTORY * RATE)).tolist())
    voltage, trace = _REST, []
    for sample, target in enumerate(driven.tolist()):
        voltage = _RESET if sample in resets else voltage + (target - voltage) * leak
        trace.append(voltage)
    potential = np.array(trace)
    shape = _action_potential()
    for spike in spikes:
        end = min(spike + len(shape), len(potential))
        potential[spike:end] = shape[: end - spike]
    return potential


def _action_potential() -> Samples:
    """From threshold to a peak of 32 mV and down to the reset, in the refractory time."""
    milliseconds = np.arange(0, _REFRACTORY * 1e3, 1e3 / RATE)
    points = [0, 0.25, 0.45, 0.6, 0.9, 1.3, 1.9, 3.0]
    shape: Samples = np.interp(milliseconds, points, [_THRESHOLD, -30, 22, 32, -20, -60, -66, _RESET])
    return shape


def _write_metadata(folder: Path) -> Path:
    from gnode_orm.files.odml import write_odml
    from gnode_orm.models import Document, Property, Section, Value

    contents: dict[tuple[str, str], dict[str, tuple[str | list[str], str | None]]] = {
        ("Subject", "subject"): {"Species": ("Mus musculus", None), "Age": ("35", "d")},
        ("Recording", "recording"): {
            "Technique": ("whole-cell current clamp", None),
            "SamplingRate": (str(RATE), "Hz"),
            "Simulated": ("true", None),
        },
        ("Stimulus", "stimulus"): {
            "Kind": ("current step", None),
            "Duration": (str(round(STEP_SECONDS * 1e3)), "ms"),
            "Amplitude": ([str(amplitude) for _, amplitude in STEPS], "pA"),
        },
    }
    document = Document("gnode-orm demo", date=dt.date(2026, 1, 15), version="1")
    for place, ((name, type), properties) in enumerate(contents.items()):
        section = Section(name, type=type, document=document, tree_position=place)
        for key, (data, unit) in properties.items():
            owner = Property(key, section=section)
            for item in data if isinstance(data, list) else [data]:
                Value(item, unit=unit, property=owner)
    path = folder / "cell07.odml"
    write_odml(document, path)
    return path
