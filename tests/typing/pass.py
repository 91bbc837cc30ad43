"""Lines that type-check, with no plugin. They are read by the checkers and never run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, assert_type

from gnode_orm import Block, Location, Section, Segment, Session
from gnode_orm.core.collections import Collection
from gnode_orm.core.expressions import Column, Condition, JsonColumn, Ordering, QuantityColumn, RelationColumn
from gnode_orm.models import AnalogSignal, Event, RecordingChannel, RecordingChannelGroup, SpikeTrain, Value

block = Block("x")
segment = Segment("a", block=block, index=3)
event = Event("e", time="5 ms", segment=segment, annotations={"a": 1})
signal = AnalogSignal(([1.0], "mV"), sampling_rate=(20, "kHz"), t_start="0 s", segment="segment/2DFA548ESC")

# Instances give values.
assert_type(segment.name, str | None)
assert_type(segment.index, int | None)
assert_type(block.safety_level, int)
assert_type(block.filedatetime, datetime | None)
assert_type(segment.block, Block | None)
assert_type(segment.location, Location | None)
assert_type(segment.id, str | None)
assert_type(segment.modified, datetime | None)
assert_type(segment.annotations, dict[str, Any])
assert_type(segment.ref("block"), Location | None)
assert_type(signal.time_slice("1 s", channels=[0, "a"]), AnalogSignal)
assert_type(block.model_copy(update={"name": "y"}), Block)
assert_type(Segment.model_validate({}), Segment)

# Fields take what they can keep.
segment.name = "b"
segment.name = None
block.filedatetime = datetime(2014, 3, 21, tzinfo=UTC)
block.file_datetime = None
event.time = "5 ms"
event.time = (5, "ms")
segment.annotations["a"] = {"b": [1]}
segment.annotations = {"a": 1}
segment.block = block
segment.block = "block/2DFA548ESC"
segment.block = Location("block/2DFA548ESC")
segment.block = None

# Collections know their members.
assert_type(block.segments, Collection[Segment])
assert_type(block.segments[0], Segment)
assert_type(block.segments[1:], list[Segment])
block.segments.append(segment)
block.segments.extend([segment])
block.segments = [segment]
block.segments.remove(segment)
for member in block.segments:
    assert_type(member, Segment)
RecordingChannelGroup("g").recordingchannels.append(RecordingChannel("c"))

# Classes give columns to build conditions from.
assert_type(Segment.name, Column[str | None])
assert_type(Segment.name == "a", Condition)
assert_type(Segment.name != None, Condition)  # noqa: E711
assert_type(Segment.index > 3, Condition)
assert_type(Segment.name.in_(["a"]), Condition)
assert_type(Block.filedatetime.year == 2014, Condition)
assert_type(Event.time, QuantityColumn)
assert_type(Event.time > 5, Condition)
assert_type(Segment.annotations, JsonColumn)
assert_type(Segment.annotations["a"]["b"] == "red", Condition)
assert_type(Segment.name.asc(), Ordering)
assert_type(~(Segment.name == "a") & (Segment.index > 3) | Segment.name.is_null(), Condition)

# Foreign keys lead on to the parent's fields, or are compared as a whole.
assert_type(Segment.block.name == "x", Condition)
assert_type(AnalogSignal.segment.block.name == "x", Condition)
assert_type(Segment.block == block, Condition)
assert_type(Segment.block != block, Condition)
assert_type(Segment.block.is_(block), Condition)
assert_type(Segment.block.in_([block]), Condition)
assert_type(Segment.block.is_null(), Condition)
assert_type(Section.section.name == "x", Condition)
assert_type(SpikeTrain.unit.name == "x", Condition)
assert_type(Value.property.name == "x", Condition)

# Collections are searched.
assert_type(Block.segments, RelationColumn[Segment])
assert_type(Block.segments.any(Segment.name == "x"), Condition)
assert_type(Segment.block.segments.any(), Condition)

# Sessions know what they give.
with Session(":memory:") as session:
    assert_type(session.add(block), Block)
    session.add_all([block, segment])
    assert_type(session.get(Block, "2DFA548ESC"), Block | None)
    assert_type(session.query(Segment).where(Segment.name == "a").all(), list[Segment])
    assert_type(session.query(Segment).order_by(Segment.name.desc()).limit(3).first(), Segment | None)
    assert_type(session.query(Segment).with_(Segment.analogsignals).one(), Segment)
    assert_type(session.query(Segment).where(Segment.block == block).count(), int)
    for found in session.query(Segment):
        assert_type(found, Segment)
