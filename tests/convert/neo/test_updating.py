"""A neo object that is converted again updates the models that stand for it."""

from __future__ import annotations

from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import (
    AnalogSignal,
    AnalogSignalArray,
    Block,
    Epoch,
    Event,
    IrregularlySampledSignal,
    RecordingChannel,
    RecordingChannelGroup,
    Section,
    Segment,
    Spike,
    SpikeTrain,
    Unit,
)
from gnode_orm.convert.neo import convert, to_neo
from gnode_orm.session import connect
from tests.convert.neo.isomorphism import assert_isomorphic
from tests.convert.neo.round_trips import in_block
from tests.convert.neo.test_groups import of_units, orphans, views


def train(name: str = "train", times: Any = (1.0,)) -> neo.SpikeTrain:
    return neo.SpikeTrain(times * pq.s, t_stop=2, name=name)


def known(conversion: Any) -> dict[int, Any]:
    return {id(native): model for native, model in conversion.pairs}


def test_the_same_models_take_over_what_changed() -> None:
    block = in_block(train())
    first = convert(block)
    block.name, block.annotations["new"] = "renamed", 1
    block.segments[0].spiketrains[0].t_stop = 3 * pq.s
    again = convert(block, known(first))
    assert again.model is first.model
    assert (again.model.name, again.model.annotations) == ("renamed", {"new": 1})
    assert again.model.segments[0].spiketrains[0].t_stop == 3 * pq.s


def test_new_objects_are_hung_in_at_their_place_in_neo() -> None:
    block = in_block(train("b"))
    first = convert(block)
    segment = block.segments[0]
    segment.spiketrains = [train("a"), segment.spiketrains[0]]
    again = convert(block, known(first))
    assert [item.name for item in again.model.to_neo().segments[0].spiketrains] == ["a", "b"]
    assert_isomorphic(block, again.model.to_neo())


def test_a_member_taken_out_of_a_group_is_out_of_it_after_the_update() -> None:
    block = of_units()
    first = convert(block)
    block.groups[0].analogsignals.clear()
    again = convert(block, known(first))
    assert again.model.segments[0].analogsignalarrays[0].recordingchannelgroup is None
    assert_isomorphic(block, again.model.to_neo())


def test_a_kind_once_chosen_stays() -> None:
    native = neo.Event([1.0] * pq.s, ["a"])
    event = Event.from_neo(native)
    native.name = "named"
    assert convert(native, {id(native): event}).model is event
    assert event.name == "named"


def everything() -> Block:
    """Models of every kind with fields that neo has no place for."""
    block = Block("block", safety_level=1, metadata=Section("about"))
    segment = Segment("segment", block=block, metadata=Section("stimulus"))
    tetrode = RecordingChannelGroup("tetrode", block=block)
    channel = RecordingChannel("channel", index=4)
    tetrode.recordingchannels.append(channel)
    unit = Unit("unit", recordingchannelgroup=tetrode)
    rate = 20 * pq.kHz
    AnalogSignal(([1.0, 2.0], "mV"), sampling_rate=rate, segment=segment, recordingchannel=channel)
    AnalogSignalArray(
        (np.array([[1, 2]], "i2"), "uV"), sampling_rate=rate, gain=(0.5, 2.0), offset=1.0, segment=segment,
        recordingchannelgroup=tetrode,
    )  # fmt: skip
    IrregularlySampledSignal(
        ([1.0], "mV"), times=(np.array([2**60 + 1]), "us"), t_start=1 * pq.ms, segment=segment, recordingchannel=channel
    )
    SpikeTrain(([1.0], "ms"), t_stop=2 * pq.ms, segment=segment, unit=unit)
    Spike(1 * pq.ms, waveform=([[1.0]], "mV"), segment=segment, unit=unit)
    Event("event", time=1 * pq.ms, segment=segment)
    Epoch("epoch", time=1 * pq.ms, segment=segment)
    return block


@pytest.mark.case(89)
def test_an_unmodified_graph_writes_nothing() -> None:
    with connect(":memory:") as lab, lab.session() as session:
        block = everything()
        session.add(block)
        session.commit()
        models = session.query(Segment).all() + session.query(Spike).all()
        native = to_neo(block)
        pairs = {id(native): block, id(native.segments[0]): block.segments[0]}
        for container, names in {
            "analogsignals": ("analogsignals", "analogsignalarrays"),
            "irregularlysampledsignals": ("irregularlysampledsignals",),
            "spiketrains": ("spiketrains", "spikes"),
            "events": ("events",),
            "epochs": ("epochs",),
        }.items():
            made = [item for name in names for item in getattr(block.segments[0], name)]
            pairs |= {id(item): model for item, model in zip(getattr(native.segments[0], container), made, strict=True)}
        tetrode = block.recordingchannelgroups[0]
        groups = [tetrode, tetrode.units[0], tetrode.recordingchannels[0]]
        pairs |= {
            id(item): model for item, model in zip([native.groups[0], *native.groups[0].groups], groups, strict=True)
        }
        assert convert(native, pairs).model is block
        assert len(models) == 2
        assert not session.dirty
        assert not session.new


@pytest.mark.case(90)
def test_what_a_newer_version_put_into_ext_outlives_an_edit_in_neo() -> None:
    newer = {"v": 2, "unheard_of": {"since": "2.0", "numbers": [1, 2]}}
    with connect(":memory:") as lab, lab.session() as session:
        block = session.add(in_block(train()))
        block._set_ext(newer)
        session.commit()
        native = to_neo(block)
        native.name = "edited"
        convert(native, {id(native): block, id(native.segments[0]): block.segments[0]})
        session.commit()
        location = block.location
        session.expire_all()
        with lab.session() as other:
            again = other.get(location)
            assert (again.name, again.ext) == ("edited", newer)
            assert (again.to_neo().name, len(again.to_neo().segments)) == ("edited", 1)


def test_adding_the_same_neo_object_again_writes_nothing() -> None:
    for make in (of_units, orphans, views):
        with connect(":memory:") as lab, lab.session() as session:
            native = make()
            session.add(native)
            session.commit()
            session.add(native)
            assert not session.dirty
            assert not session.new


def test_adding_a_neo_object_again_after_a_change_updates_its_model() -> None:
    with connect(":memory:") as lab, lab.session() as session:
        native = in_block(train())
        model = session.add(native)
        session.commit()
        native.segments[0].spiketrains.append(train("late"))
        native.segments[0].spiketrains[0].annotations["quality"] = "good"
        session.add(native)
        session.commit()
        with lab.session() as other:
            assert_isomorphic(native, other.get(model.location).to_neo())


def test_the_physical_values_that_neo_was_given_do_not_replace_raw_ones() -> None:
    model = AnalogSignal((np.array([1, 2], "i2"), "uV"), gain=0.5, sampling_rate=1 * pq.Hz)
    native = model.to_neo()
    convert(native, {id(native): model})
    assert (model.gain, model.signal.dtype) == (0.5, np.dtype("i2"))
    native *= 2
    convert(native, {id(native): model})
    assert (model.gain, model.signal.load().tolist()) == (None, [1.0, 2.0])
