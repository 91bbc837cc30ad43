"""A small lab in memory, with one recording of everything that users' tests commonly need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import quantities as pq

from gnode_orm.models import (
    AnalogSignal,
    Block,
    Document,
    EventArray,
    Property,
    RecordingChannel,
    RecordingChannelGroup,
    Section,
    Segment,
    SpikeTrain,
    Unit,
    Value,
)

if TYPE_CHECKING:
    from gnode_orm.session.lab import Lab


def example_block(trials: int = 3) -> Block:
    """Make a transient block: trials with a signal, spikes and events each, one channel, one unit, and metadata.

    The samples are the same at every call: a sine of 10 Hz for one second at 1 kHz, shifted from trial to trial.
    """
    stimulus = Section("Stimulus", type="stimulus", document=Document("A. Nonymous"))
    Value("45", unit="deg", property=Property("Orientation", section=stimulus))
    block = Block("Example", description="made by gnode_orm.testing", metadata=stimulus)
    group = RecordingChannelGroup("Electrode", block=block)
    channel = RecordingChannel("Channel 1", index=0)
    group.recordingchannels.append(channel)
    unit = Unit("Neuron 1", recordingchannelgroup=group)
    for number in range(trials):
        _trial(number, block, channel, unit)
    return block


def example_lab(trials: int = 3, user: str = "tester") -> Lab:
    """Open a lab in memory that holds an example block of ``user``."""
    from gnode_orm.session.lab import connect

    lab = connect(":memory:", username=user)
    with lab.session() as session, session.begin():
        session.add(example_block(trials))
    return lab


def _trial(number: int, block: Block, channel: RecordingChannel, unit: Unit) -> None:
    segment = Segment(f"Trial {number + 1:02}", index=number, block=block, annotations={"orientation": 45 * pq.deg})
    times = np.arange(1000) / 1000
    AnalogSignal(
        signal=(np.sin(2 * np.pi * 10 * times + number), "mV"),
        sampling_rate=1 * pq.kHz,
        t_start=0 * pq.s,
        name="Vm",
        segment=segment,
        recordingchannel=channel,
    )
    SpikeTrain(
        times=(np.array([0.1, 0.25, 0.7]) + number / 100, "s"), t_start=0 * pq.s, t_stop=1 * pq.s,
        segment=segment, unit=unit,
    )  # fmt: skip
    EventArray(times=([0.0, 0.5], "s"), labels=["on", "off"], segment=segment)
