from __future__ import annotations

import numpy as np
import pytest
import quantities as pq

from gnode_orm.errors import ValidationFailed
from gnode_orm.models import (
    AnalogSignal,
    AnalogSignalArray,
    Block,
    Document,
    Epoch,
    EpochArray,
    Event,
    EventArray,
    IrregularlySampledSignal,
    Segment,
)


def test_a_segment_joins_the_kinds() -> None:
    segment = Segment("s")
    signals = [AnalogSignal(), AnalogSignalArray(), IrregularlySampledSignal()]
    events, epochs = [Event("e"), EventArray()], [Epoch("p"), EpochArray()]
    for item in (*signals, *events, *epochs):
        item.segment = segment
    assert segment.all_signals == signals
    assert segment.all_events == events
    assert segment.all_epochs == epochs


@pytest.mark.parametrize("model", [Block, Document])
@pytest.mark.parametrize("level", [0, 4, -1])
def test_a_safety_level_is_one_of_three(model: type[Block] | type[Document], level: int) -> None:
    with pytest.raises(ValidationFailed, match=rf"safety_level: {level} is not a level; use 1 \(public\)"):
        model("x", safety_level=level)
    assert model("x").safety_level == 3


@pytest.mark.parametrize("labels", [["a"], ["a", "b", "c"]])
def test_labels_match_the_times(labels: list[str]) -> None:
    message = f"{len(labels)} labels for 2 times; one for each time is needed"
    for model in (EventArray, EpochArray):
        with pytest.raises(ValidationFailed, match=message) as caught:
            model([1, 2] * pq.s, labels=labels)
        assert caught.value.field == "labels"


def test_durations_match_the_times() -> None:
    with pytest.raises(ValidationFailed, match="1 durations for 2 times"):
        EpochArray([1, 2] * pq.s, durations=[1] * pq.s)
    assert len(EpochArray([1, 2] * pq.s, durations=[1, 2] * pq.s).durations) == 2


def test_events_without_labels_are_allowed() -> None:
    assert EventArray([1, 2] * pq.s).labels is None
    assert len(EventArray([1, 2] * pq.s, labels=[]).labels) == 0
    assert len(EventArray(np.array([]) * pq.s, labels=[]).times) == 0


def test_a_wrong_safety_level_is_refused_at_assignment() -> None:
    block = Block("x")
    with pytest.raises(ValidationFailed, match="safety_level: 4 is not a level"):
        block.safety_level = 4
    assert block.safety_level == 3
