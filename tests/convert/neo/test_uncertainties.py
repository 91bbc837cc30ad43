"""A quantity with an uncertainty is refused wherever no field would keep the uncertainty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import neo
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, Block, Epoch, EpochArray, Event, SpikeTrain
from gnode_orm.errors import ValidationFailed

TIMES = pq.UncertainQuantity([1.0, 2.0], "s", [0.1, 0.1])
RATE = pq.UncertainQuantity(1.0, "kHz", 0.1)
TRAIN = [1.0, 2.0] * pq.s


@pytest.mark.parametrize(
    "make",
    [
        lambda: Event(time=TIMES[0]),
        lambda: SpikeTrain(TIMES),
        lambda: EpochArray(TRAIN, durations=TIMES),
        lambda: AnalogSignal(([1.0], "mV"), sampling_rate=RATE),
        lambda: Block(annotations={"at": TIMES}),
        lambda: EpochArray.from_neo(neo.Epoch(TRAIN, TIMES)),
        lambda: Epoch.from_neo(neo.Epoch([1.0] * pq.s, TIMES[:1])),
        lambda: SpikeTrain.from_neo(neo.SpikeTrain(TRAIN, t_stop=2, left_sweep=TIMES)),
        lambda: SpikeTrain.from_neo(neo.SpikeTrain(TRAIN, t_stop=2, waveforms=TIMES.reshape(2, 1, 1))),
        lambda: AnalogSignal.from_neo(neo.AnalogSignal([1.0], units="mV", sampling_rate=RATE)),
    ],
)
def test_it_is_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(ValidationFailed, match="would lose its uncertainty"):
        make()
