"""Groups, views and regions of interest of neo through models."""

from __future__ import annotations

from typing import Any

import neo
import numpy as np
import pytest
import quantities as pq

from gnode_orm import AnalogSignal, AnalogSignalArray, Block, RecordingChannel, RecordingChannelGroup, Segment, Unit
from gnode_orm.convert.neo import convert
from gnode_orm.errors import GnodeWarning, ValidationFailed
from tests.convert.neo.isomorphism import assert_isomorphic
from tests.convert.neo.round_trips import in_block, in_memory, stored


def train(name: str = "train") -> neo.SpikeTrain:
    return neo.SpikeTrain([1.0] * pq.s, t_stop=2, name=name)


def signal(channels: int = 3) -> neo.AnalogSignal:
    return neo.AnalogSignal(np.ones((4, channels)), units="mV", sampling_rate=1 * pq.Hz)


def images() -> neo.ImageSequence:
    return neo.ImageSequence(np.ones((2, 4, 4)), units="V", sampling_rate=1 * pq.Hz, spatial_scale=1 * pq.um)


def grouped(block: neo.Block, *groups: neo.Group) -> neo.Block:
    block.groups.extend(list(groups))
    return block


def nested() -> neo.Block:
    inner, outer = neo.Group(name="inner", depth=3), neo.Group(name=None)
    block = in_block(train(), signal())
    inner.add(block.segments[0].spiketrains[0])
    outer.add(block.segments[0].analogsignals[0], inner)
    return grouped(block, outer, neo.Group(name=""))


def cyclic() -> neo.Block:
    group, other = neo.Group(name="a"), neo.Group(name="b")
    group.add(group, other)
    other.add(group)
    return grouped(neo.Block(), group)


def overlapping() -> neo.Block:
    block = in_block(train("a"), train("b"), train("c"))
    a, b, c = block.segments[0].spiketrains
    one, two = neo.Group([c, a], allowed_types=[neo.SpikeTrain]), neo.Group([a, b, c])
    return grouped(block, neo.Group([one, two]), neo.Group([two, one]))


def orphans() -> neo.Block:
    lost = train("lost")
    event, two = neo.Event([1.0] * pq.s, ["e"]), signal(2)
    unit = neo.Group([lost], allowed_types=[neo.SpikeTrain])
    return grouped(in_block(train()), neo.Group([event, two, unit, lost]), neo.Group([lost, event, images()]))


def views() -> neo.Block:
    block = in_block(signal(5), images())
    view = neo.ChannelView(
        block.segments[0].analogsignals[0],
        np.array([4, 0, 0], "i2"),
        name="view",
        array_annotations={"side": np.array(["l", "r", "r"])},
        note=[1],
    )
    pictures = block.segments[0].imagesequences[0]
    circle = neo.CircularRegionOfInterest(pictures, 1, 2.5, radius=np.float32(1.5), name="circle")
    rectangle = neo.RectangularRegionOfInterest(pictures, 1, 1, width=2, height=2)
    polygon = neo.PolygonRegionOfInterest(pictures, (0, 0), (1, 0), (0.5, 2))
    several = neo.Group([view, pictures])
    several.regionsofinterest.extend([polygon, rectangle])
    first = neo.Group([view])
    first.regionsofinterest.append(circle)
    return grouped(block, first, several)


def of_units() -> neo.Block:
    block = in_block(train("a"), train("b"), signal())
    units = [
        neo.Group([item], name=item.name, allowed_types=[neo.SpikeTrain]) for item in block.segments[0].spiketrains
    ]
    return grouped(block, neo.Group([*units, block.segments[0].analogsignals[0]], name="tetrode"))


def of_namesakes() -> neo.Block:
    """Units, channels and groups that share one name."""
    block = in_block(train("same"), train("same"), signal(1), signal(1))
    segment = block.segments[0]
    units = [neo.Group([item], name="same", allowed_types=[neo.SpikeTrain]) for item in segment.spiketrains]
    channels = [neo.Group([item], name="same") for item in segment.analogsignals]
    return grouped(block, neo.Group([*units, *channels], name="same"), neo.Group(name="same"))


@pytest.mark.case(59, 60, 61, 62, 63, 64, 65)
@pytest.mark.parametrize("make", [nested, cyclic, overlapping, orphans, views, of_units, of_namesakes])
def test_groups_come_back_from_a_store_with_order_and_sharing(make: Any) -> None:
    block = make()
    assert_isomorphic(block, stored(block))


@pytest.mark.parametrize("make", [nested, overlapping, views, of_units])
def test_a_group_alone_comes_back_with_its_members(make: Any) -> None:
    group = make().groups[0]
    again = in_memory(group)
    assert [item.name for item in again.children_recur] == [item.name for item in group.children_recur]


def test_a_group_without_a_block_comes_back_from_a_store_with_its_members() -> None:
    group = neo.Group([train("a"), neo.Group([train("b")], name="inner")], name="outer")
    assert_isomorphic(group, stored(group))


def test_allowed_types_come_back_from_a_store() -> None:
    block = grouped(neo.Block(), neo.Group(allowed_types=[neo.Event, neo.ChannelView]), neo.Group(allowed_types=[]))
    assert_isomorphic(block, stored(block))


def test_groups_of_spike_trains_inside_a_group_become_units_with_foreign_keys() -> None:
    model = Block.from_neo(of_units())
    (tetrode,) = model.recordingchannelgroups
    assert [unit.name for unit in tetrode.units] == ["a", "b"]
    assert [item.unit.name for item in model.segments[0].spiketrains] == ["a", "b"]
    assert model.segments[0].analogsignalarrays[0].recordingchannelgroup is tetrode
    assert not tetrode.ext


def test_a_unit_is_made_where_it_is_asked_for() -> None:
    group = neo.Group([train("a")], allowed_types=[neo.SpikeTrain], name="unit")
    unit = Unit.from_neo(group)
    assert [item.name for item in unit.spiketrains] == ["a"]
    assert_isomorphic(group, unit.to_neo())


def test_a_recording_channel_is_made_where_it_is_asked_for() -> None:
    group = neo.Group([signal(1)], name="channel")
    channel = RecordingChannel.from_neo(group)
    assert isinstance(channel.analogsignals[0], AnalogSignal)
    assert_isomorphic(group, channel.to_neo())


def test_channels_and_units_made_here_are_groups_inside_their_group() -> None:
    block = Block("b")
    segment = Segment("s", block=block)
    tetrode = RecordingChannelGroup("tetrode", block=block)
    unit = Unit("unit", recordingchannelgroup=tetrode)
    channel = RecordingChannel("channel", index=3)
    tetrode.recordingchannels.append(channel)
    AnalogSignal(([1.0], "mV"), sampling_rate=1 * pq.Hz, segment=segment, recordingchannel=channel)
    native = block.to_neo()
    (group,) = native.groups
    assert [item.name for item in group.groups] == ["unit", "channel"]
    assert group.groups[1].analogsignals[0] is native.segments[0].analogsignals[0]
    assert unit.to_neo().allowed_types == (neo.SpikeTrain,)


def test_what_foreign_keys_add_later_stands_behind_the_members_of_neo() -> None:
    model = Block.from_neo(nested())
    outer = model.recordingchannelgroups[0]
    late = AnalogSignalArray(
        ([[1.0, 2.0]], "mV"), sampling_rate=1 * pq.Hz, segment=model.segments[0], recordingchannelgroup=outer
    )
    assert [item.shape for item in model.to_neo().groups[0].analogsignals] == [(4, 3), late.shape]


def test_members_that_were_taken_out_of_the_block_are_no_members_any_more() -> None:
    model = Block.from_neo(nested())
    model.segments[0].spiketrains[0].segment = None
    inner = model.to_neo().groups[0].groups[0]
    assert len(inner.spiketrains) == 0


def test_a_view_whose_signal_is_gone_is_left_out_with_a_warning() -> None:
    model = Block.from_neo(views())
    model.segments[0].analogsignalarrays[0].segment = None
    with pytest.warns(GnodeWarning, match="view.* left out"):
        again = model.to_neo()
    assert [len(group.channelviews) for group in again.groups] == [0, 0]


@pytest.mark.case(65)
def test_a_view_of_a_channel_that_is_not_there_is_refused_with_its_path() -> None:
    block = in_block(signal(4))
    group = neo.Group([neo.ChannelView(block.segments[0].analogsignals[0], [1, 9])])
    with pytest.raises(ValidationFailed, match=r"^block\.groups\[0\]\.channelviews\[0\]\.index: channel 9 of 4"):
        Block.from_neo(grouped(block, group))


def test_a_member_of_another_block_is_refused_with_both() -> None:
    other = in_block(train())
    other.name = "other"
    block = grouped(in_block(), neo.Group([other.segments[0].spiketrains[0]]))
    with pytest.raises(ValidationFailed, match=r"groups\[0\]\.spiketrains\[0\]: .*'other' instead of .*'block'"):
        Block.from_neo(block)


def test_a_member_in_a_segment_without_a_block_is_refused() -> None:
    segment = neo.Segment("loose")
    segment.spiketrains.append(train())
    with pytest.raises(ValidationFailed, match=r"spiketrains\[0\]: .*without a block, Segment 'loose'"):
        Block.from_neo(grouped(neo.Block(), neo.Group([segment.spiketrains[0]])))


def test_groups_nested_a_thousand_deep_come_back() -> None:
    block = grouped(neo.Block(), neo.Group(name="0"))
    group = block.groups[0]
    for depth in range(1, 1000):
        group.add(inner := neo.Group(name=str(depth)))
        group = inner
    assert_isomorphic(block, in_memory(block))


def test_every_object_of_a_graph_is_paired_with_its_model() -> None:
    block = views()
    conversion = convert(block)
    met = {id(native) for native, _ in conversion.pairs}
    assert {id(item) for item in [block, *block.children_recur]} <= met
    assert {type(model) for _, model in conversion.pairs} == {Block, Segment, AnalogSignalArray, RecordingChannelGroup}
