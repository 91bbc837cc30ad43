"""Lines that do not type-check: each of them carries its mark, and no other line is an error. Never run."""

# ruff: noqa: B015, B018
from __future__ import annotations

from gnode_orm import Block, Segment, Session
from gnode_orm.core.expressions import Condition
from gnode_orm.models import AnalogSignal, Event, RecordingChannelGroup

block = Block("x")
segment = Segment("a")


def where(condition: Condition) -> None: ...


Block(nmae="x")  # error
Block(3)  # error
Block("x", "y")  # error
Block("x", index="y")  # error
Segment("x", block=3)  # error
Segment("x", block=segment)  # error
Event("x", label="y")  # error

block.nmae  # error
block.nmae = "x"  # error
block.name = 3  # error
block.safety_level = None  # error
block.location = None  # error
segment.block = 3  # error
segment.block = segment  # error
segment.block.name  # error
segment.annotations = [1]  # error

block.segments.append(block)  # error
block.segments = [block]  # error
block.segments[0].nmae  # error
RecordingChannelGroup("g").recordingchannels.append(segment)  # error

Segment.nmae == "a"  # error
Segment.block.nmae == "a"  # error
Segment.name.containz("a")  # error
AnalogSignal.segment.block.segment  # error

where(True)  # error
where("name")  # error
where(segment.name == "a")  # error
where(Segment.name)  # error
where(Block.segments)  # error
where((Segment.name == "a") and True)  # error
Block.segments.any(True)  # error
Block.segments.any("x")  # error


def use(session: Session) -> None:
    session.query(Segment).where(True)  # error
    session.query(Segment).where(segment.name == "a")  # error
    session.query(3)  # error
    session.query(Segment).one().nmae  # error
    session.get(Block, "2DFA548ESC").name  # error
